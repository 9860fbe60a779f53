import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Keys, and the requests that go out.
extension ProxyResponder {
    static let scheme = "http"

    /// GET, and HEAD under the key of GET; POST and QUERY with their content in the key.
    ///
    /// `nil` when the decoder had to repair bytes that would be part of it.
    func primaryKey(_ head: GatedHead, content: ContentParts?) -> CacheKey? {
        guard let content else {
            return hasher.getKey(
                scheme: Self.scheme, authority: head.authority, target: head.target)
        }
        let credentials = configuration.ignoresCredentials ? [] : credentialLines(head)
        guard !credentials.contains(where: { $0.value.isRepaired }) else { return nil }
        return hasher.primaryKey(
            KeyParts(
                surface: .proxy, cacheName: KeyParts.defaultCacheName, recipe: .raw,
                method: head.method.rawValue, scheme: Self.scheme, authority: head.authority,
                target: head.target, content: content,
                credentials: secret.digest(fields: credentials)))
    }

    /// The content's digest and the fields that origins choose an answer to POST by.
    func keyedParts(_ head: GatedHead, digest: Digest, length: UInt64) -> ContentParts {
        ContentParts(
            length: length, digest: digest, names: keyFields.names,
            values: keyFields.values(in: head.headers))
    }

    private func credentialLines(_ head: GatedHead) -> [(name: String, value: String)] {
        guard head.hasCredentials || head.hasCookie else { return [] }
        return head.headers.compactMap { name, value in
            let lower = name.lowercased()
            let isCredential = CredentialFields.isCredential(
                lower, extra: configuration.credentialFields)
            return isCredential ? (lower, value) : nil
        }
    }

    func variantKey(_ head: GatedHead, names: [String]) -> Digest? {
        HeaderLines(headers: head.headers).variantKey(
            names: names, secret: secret, credentialFields: configuration.credentialFields,
            hasher: hasher)
    }

    /// Everything a fill needs after the client has gone.
    ///
    /// Call right after `primaryKey`, whose preimage it keeps.
    func fillRequest(
        _ head: GatedHead, key: CacheKey, facts: RequestFacts, content: WholeContent?,
        reason: ForwardReason, clientAddress: String?
    ) -> FillRequest? {
        let material = hasher.lastMaterial
        guard
            let uri = hasher.uriKey(
                scheme: Self.scheme, authority: head.authority, target: head.target)
        else { return nil }
        let isPost = head.kind == .post
        // A declared POST is asked for whole, and by nobody's preconditions.
        let hasOwnConditions = !isPost && !head.conditions.isEmpty
        let hasOwnDirectives = reason == .request || facts.cacheControl.flags.contains(.noStore)
        let fields = OriginFields.fields(
            of: head,
            options: .init(
                keepsPreconditions: hasOwnConditions, keepsDirectives: hasOwnDirectives,
                clientAddress: clientAddress, viaName: engine.configuration.viaName,
                guarded: keyFields.guarded))
        return FillRequest(
            identity: EntryIdentity(
                primaryKey: key, uriKey: uri, material: material, surface: .proxy,
                cacheName: KeyParts.defaultCacheName, recipe: .raw,
                method: content == nil ? "GET" : head.method.rawValue, scheme: Self.scheme,
                authority: head.authority, target: head.target),
            facts: facts,
            route: configuration.routes.route(for: head.kind, target: head.target),
            fields: HeaderLines(headers: head.headers),
            origin: OriginRequest(
                method: HTTPRequest.Method(head.method), target: head.target,
                clientAuthority: head.authority, fields: fields,
                body: content?.body ?? .none, isRetryable: true),
            isExclusive: hasOwnConditions || hasOwnDirectives,
            requestContent: content.flatMap { keptContent($0, head: head) },
            contentCharge: content?.charge(engine.budget))
    }

    /// A request that goes through as it is, apart from hop-by-hop and overriding fields.
    func passRequest(
        _ head: GatedHead, reason: ForwardReason, detail: String?, clientAddress: String?
    ) -> PassRequest {
        let body: OriginRequest.Body =
            switch head.content {
            case .none: .none
            case .length(let length): .streamed(length: length)
            case .chunked: .streamed(length: nil)
            }
        let isIdempotentRead = (head.kind == .get || head.kind == .head) && !head.hasContent
        return PassRequest(
            origin: OriginRequest(
                method: HTTPRequest.Method(head.method), target: head.target,
                clientAuthority: head.authority,
                fields: OriginFields.fields(
                    of: head,
                    options: .init(
                        keepsPreconditions: true, keepsDirectives: true,
                        clientAddress: clientAddress, viaName: engine.configuration.viaName,
                        guarded: keyFields.guarded)),
                body: body, isRetryable: isIdempotentRead),
            facts: head.facts,
            isDeclared: configuration.routes.route(for: head.kind, target: head.target)
                .storage.isDeclared,
            scheme: Self.scheme, authority: head.authority, surface: .proxy, reason: reason,
            detail: detail, later: head.kind == .post ? laterGet(head) : nil)
    }

    /// The answer to a POST may be what a later GET of its URI gets (RFC 9110 §9.3.3).
    private func laterGet(_ head: GatedHead) -> PassRequest.LaterGet {
        PassRequest.LaterGet(
            policy: configuration.routes.route(for: .get, target: head.target).storage,
            fields: HeaderLines(headers: head.headers))
    }

    /// What of the content is kept for people who read the file.
    private func keptContent(_ content: WholeContent, head: GatedHead) -> RequestContent? {
        guard configuration.keptContent != .off, let start = content.start else { return nil }
        let limit = configuration.keptContentBytes
        let isTruncated = content.length > UInt64(clamping: limit)
        let kept = start.getSlice(
            at: start.readerIndex, length: min(limit, start.readableBytes))
        guard let kept else { return nil }
        if configuration.keptContent == .text {
            guard kept.isText(allowsCutCharacter: isTruncated) else { return nil }
        }
        return RequestContent(
            bytes: kept, isTruncated: isTruncated, mediaType: head.headers["content-type"].first)
    }
}

extension ByteBuffer {
    /// Whether this is UTF-8 without NUL; a character cut at the end is allowed if asked.
    func isText(allowsCutCharacter: Bool) -> Bool {
        withUnsafeReadableBytes { bytes in
            var end = bytes.count
            if allowsCutCharacter {
                // Back to the start of the last character, at most three continuation bytes.
                var steps = 0
                while end > 0, steps < 3, bytes[end - 1] & 0xC0 == 0x80 {
                    end -= 1
                    steps += 1
                }
                if end > 0, bytes[end - 1] & 0xC0 == 0xC0 { end -= 1 }
            }
            let text = UnsafeRawBufferPointer(rebasing: bytes[..<end])
            guard !text.contains(0) else { return false }
            return String(validating: text, as: UTF8.self) != nil
        }
    }
}
