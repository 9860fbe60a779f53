package import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

extension FillRequest {
    /// Whether its fetch may serve others who ask the same: nothing in it is this client's own.
    var mayBeShared: Bool {
        guard !isExclusive, !facts.hasRange, facts.cacheControl.isEmpty else { return false }
        switch facts.method {
        case .get, .query, .post: return true
        case .head, .otherSafe, .unsafe: return false
        }
    }

    /// The same request as nobody's: what a revalidation in the background asks, whole and without
    /// the conditions of the client that set it off.
    var withoutConditions: FillRequest {
        var request = self
        for name in [
            HTTPField.Name.ifNoneMatch, .ifModifiedSince, .ifMatch, .ifUnmodifiedSince, .ifRange,
            .range,
        ] {
            request.origin.fields[name] = nil
        }
        request.facts.hasRange = false
        request.isExclusive = false
        if facts.method == .head {
            request.facts.method = .get
            request.origin.method = .get
        }
        return request
    }

    /// What a revalidation in the background of a stored response asks: of a part, only its bytes.
    func revalidating(_ stored: StoredResponse) -> FillRequest {
        var request = withoutConditions
        guard let range = stored.entry.part?.range else { return request }
        request.origin.fields[.range] =
            RangeSpec.int(first: range.first, last: range.last).fieldValue
        request.facts.hasRange = true
        return request
    }

    /// The content to keep in the file, without the rest of a larger buffer that it is a part of.
    var keptContent: RequestContent? {
        guard var content = requestContent, content.isTruncated else { return requestContent }
        content.bytes = ByteBuffer(bytes: content.bytes.readableBytesView)
        return content
    }
}

extension NoStoreReason {
    /// It holds for everybody who asks the same, so that nobody needs to wait for it.
    var isLasting: Bool {
        switch self {
        case .requestNoStore, .credentials, .requestContent, .unkeyed, .generation: false
        default: true
        }
    }

    /// It was this request, or an invalidation since, that kept the answer from being stored: what
    /// is stored for others is none the worse.
    var leavesStored: Bool {
        switch self {
        case .requestNoStore, .credentials, .requestContent, .unkeyed, .generation: true
        default: false
        }
    }
}

extension FieldLines {
    /// The key of the variant that this request selects (RFC 9111 §4.1); `nil` if a value cannot
    /// be part of a key.
    package func variantKey(
        names: [String], secret: CredentialSecret, credentialFields: [String], hasher: KeyHasher
    ) -> Digest? {
        let values = names.map { Vary.normalizedValue(name: $0, lines: lines(named: $0)) }
        return hasher.variantKey(
            names: names, values: values, secret: secret, extraCredentialFields: credentialFields)
    }
}

extension OriginRequest {
    /// Adds the stored response's validators exactly as received (RFC 9111 §4.3.1), where they may
    /// be asked with; a client's own conditions go out untouched, but its tags can take the stored
    /// one along (§4.3.2).
    mutating func validate(
        _ stored: StoredResponse, for request: FillRequest
    ) -> Fill.Validating {
        guard
            Validation.applies(
                to: request.facts.method, isPostValidated: request.route.storage.validatesPost)
        else { return .none }
        let own = fields[values: .ifNoneMatch]
        guard own.isEmpty else {
            let combined = Validation.combinedIfNoneMatch(
                client: own, stored: stored.entry.fields)
            guard let combined else { return .none }
            fields[.ifNoneMatch] = combined
            return .combined
        }
        guard fields[.ifModifiedSince] == nil else { return .none }
        let validators = Validation.validators(of: stored.entry.fields)
        if let tag = validators.ifNoneMatch { fields[.ifNoneMatch] = tag }
        if let date = validators.ifModifiedSince { fields[.ifModifiedSince] = date }
        return validators.isEmpty ? .none : .own
    }
}

extension HTTPResponse {
    /// The head as it is passed on: hop-by-hop fields removed, Via appended (RFC 9110 §7.6).
    func forwarded(via name: String, receivedAt time: EpochSeconds) -> HTTPResponse {
        var head = self
        head.headerFields =
            HopByHop.removed(from: headerFields).forwarded(via: name, receivedAt: time)
        return head
    }
}

extension HTTPResponse {
    var withoutHopByHop: HTTPResponse {
        var head = self
        head.headerFields = HopByHop.removed(from: headerFields)
        return head
    }
}

extension HTTPFields {
    /// With our Via appended, and Date if the origin gave none (RFC 9110 §6.6.1).
    func forwarded(via name: String, receivedAt time: EpochSeconds) -> HTTPFields {
        var fields = dated(time).withReadableCacheStatus
        fields.append(HTTPField(name: .via, value: Via.member(pseudonym: name)))
        return fields
    }

    /// Without lines of Cache-Status that would make ours unreadable with them (RFC 9211 §2).
    var withReadableCacheStatus: HTTPFields {
        guard let name = Self.cacheStatus else { return self }
        let lines = self[values: name]
        guard !lines.isEmpty, CacheStatus.upstream(lines).isEmpty else { return self }
        var fields = self
        fields[name] = nil
        return fields
    }

    private static let cacheStatus = HTTPField.Name("Cache-Status")

    /// With a Date if there was none (RFC 9110 §6.6.1).
    func dated(_ time: EpochSeconds) -> HTTPFields {
        guard self[values: .date].isEmpty else { return self }
        var fields = self
        fields.append(HTTPField(name: .date, value: HTTPDate.format(time)))
        return fields
    }
}

extension Engine {
    /// The key of the variant that a request's fields select, with a hasher of its own: off the
    /// hit path, and on any thread.
    func variantKey(of fields: any FieldLines, names: [String]) -> Digest? {
        guard let hasher = try? KeyHasher() else { return nil }
        return fields.variantKey(
            names: names, secret: secret, credentialFields: configuration.credentialFields,
            hasher: hasher)
    }

    func variant(of request: FillRequest, names: [String]) -> Variant {
        guard !names.isEmpty else { return .none }
        return Variant(names: names, key: variantKey(of: request.fields, names: names))
    }

    func durableQuery(of request: FillRequest) -> EntryQuery {
        let identity = request.identity
        let fields = request.fields
        return EntryQuery(
            primaryKey: identity.primaryKey, uriKey: identity.uriKey, material: identity.material,
            variantKey: { [self] in variantKey(of: fields, names: $0) })
    }

    /// Whether the key is stored for other values of the fields its answers vary by.
    func holdsOtherVariant(than request: FillRequest) -> Bool {
        let key = request.identity.primaryKey
        return memory.holds(key) { isCurrent($0) } || !writes.pending(key).isEmpty
    }

    /// A pending put that answers this request: readable until its commit has returned.
    func pendingResponse(for request: FillRequest) -> StoredResponse? {
        let pending = writes.pending(request.identity.primaryKey)
        guard !pending.isEmpty else { return nil }
        // Its generation says nothing here: an invalidation of its URI would be pending behind it.
        return pending.selected { variantKey(of: request.fields, names: $0) }
    }
}
