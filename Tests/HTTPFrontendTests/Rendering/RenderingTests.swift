import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Prepared heads")
struct RenderingTests {
    private func stored(
        _ status: HTTPResponse.Status = .ok, _ fields: [(String, String)], body: String = "hello"
    ) throws -> StoredResponse {
        let key = try #require(Digest(bytes: [UInt8](repeating: 1, count: 32)))
        var lines = HTTPFields()
        for (name, value) in fields {
            lines.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let entry = StoredEntry(
            identity: EntryIdentity(
                primaryKey: key, uriKey: key, material: [], surface: .proxy, cacheName: "",
                recipe: .raw, method: "GET", scheme: "http", authority: "a", target: "/"),
            variant: .none, status: status, fields: lines, body: .whole(ByteBuffer(string: body)),
            terms: ReuseTerms(
                dateValue: 100, bornAt: 100, freshUntil: 160, staleWhileRevalidateUntil: 160,
                staleIfErrorUntil: 160),
            requestTime: 100, responseTime: 100)
        return StoredResponse(
            entry: entry, rendering: StoredRendering().rendering(of: entry), generation: 0, epoch: 0
        )
    }

    private func hit(
        _ stored: StoredResponse, _ status: CacheStatus, keepsAlive: Bool = true,
        isHTTP10: Bool = false
    ) -> String {
        var buffer = ByteBuffer()
        buffer.writeHitHead(
            stored, status: status, now: 110, keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        return String(buffer: buffer)
    }

    @Test func fieldsKeepOrderAndLoseFramingAndAge() throws {
        let response = try stored(
            .ok,
            [
                ("X-B", "1"), ("Age", "7"), ("x-a", "2"), ("Content-Length", "99"),
                ("X-B", "3"), ("Transfer-Encoding", "chunked"), ("Connection", "x"),
            ])
        #expect(
            String(buffer: response.rendering)
                == "HTTP/1.1 200 OK\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nContent-Length: 5\r\n")
    }

    @Test(arguments: [(HTTPResponse.Status.noContent, 0), (.notFound, 1), (.created, 1)])
    func lengthIsNeverWith204(_ status: HTTPResponse.Status, count: Int) throws {
        let text = String(buffer: try stored(status, [], body: "").rendering)
        #expect(text.hasPrefix("HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n"))
        #expect(text.contains("Content-Length: 0\r\n") == (count == 1))
    }

    @Test(arguments: [
        (true, false, ""), (false, false, "Connection: close\r\n"),
        (true, true, "Connection: keep-alive\r\n"), (false, true, "Connection: close\r\n"),
    ])
    func tailOfAHit(keepsAlive: Bool, isHTTP10: Bool, connection: String) throws {
        let text = hit(
            try stored(.ok, []), CacheStatus(result: .hit, ttl: 50), keepsAlive: keepsAlive,
            isHTTP10: isHTTP10)
        #expect(
            text == "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nAge: 10\r\n"
                + "Cache-Status: larder; hit; ttl=50\r\nX-Cache: HIT\r\n\(connection)\r\n")
    }

    /// The short cut for hits must say what the long way says.
    @Test(arguments: [
        CacheStatus(result: .hit, ttl: 50), CacheStatus(result: .hit, ttl: -3),
        CacheStatus(result: .hit), CacheStatus(result: .hit, ttl: 1, detail: "x"),
        CacheStatus(result: .stale, ttl: -5),
        CacheStatus(result: .stale, forwardStatus: 503, ttl: -5),
        CacheStatus(result: .revalidated, forwardStatus: 304, isStored: true, ttl: 60),
    ])
    func cacheStatus(_ status: CacheStatus) throws {
        let text = hit(try stored(.ok, []), status)
        #expect(
            text.contains(
                "\r\nCache-Status: \(status.serialized())\r\nX-Cache: \(status.result.xCache)\r\n"))
    }

    @Test func notModifiedHasNoContentFields() throws {
        let response = try stored(
            .ok,
            [("ETag", "\"a\""), ("Content-Type", "text/plain"), ("Cache-Control", "max-age=60")])
        var buffer = ByteBuffer()
        buffer.writeNotModifiedHead(
            response, status: CacheStatus(result: .hit, ttl: 50), now: 110, keepsAlive: true,
            isHTTP10: false)
        #expect(
            String(buffer: buffer)
                == "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nCache-Control: max-age=60\r\n"
                + "Age: 10\r\nCache-Status: larder; hit; ttl=50\r\nX-Cache: HIT\r\n\r\n")
    }

    /// Whatever a row or an origin holds, a line stays a line.
    @Test func controlCharactersEndNothing() throws {
        let response = try stored(
            HTTPResponse.Status(code: 200, reasonPhrase: "O\r\nSet-Cookie: a\0"),
            [("X-A", "1\r\nSet-Cookie: b\r\n\r\n"), ("X-B", "\0\n\u{7F}")])
        let lines = String(buffer: response.rendering).unicodeScalars.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.last == "\r" && !$0.dropLast().contains { $0.value < 32 } })
    }
}

@Suite("Problem documents")
struct ProblemDocumentTests {
    static let errors: [(RequestError, Int)] = [
        (.malformed(.syntax), 400), (.malformed(.transferEncoding), 400),
        (.malformed(.contentLength), 400), (.malformed(.host), 400), (.malformed(.target), 400),
        (.malformed(.authorityMismatch), 400), (.malformed(.connection), 400),
        (.malformed(.upgradeWithContent), 400), (.malformed(.repaired), 400),
        (.headTimeout, 408), (.bodyTimeout, 408), (.contentTooLarge, 413), (.targetTooLong, 414),
        (.expectationFailed, 417), (.misdirected, 421), (.headTooLarge, 431),
        (.methodNotAllowed, 405), (.notImplemented, 501), (.versionNotSupported, 505),
        (.loopDetected, 508),
    ]

    private func check(_ document: ProblemDocument, status: Int) throws {
        let bytes = document.rendered(keepsAlive: false, isHTTP10: false, isHead: false)
        let read = WireAnswer.read(Array(bytes.readableBytesView), isEnded: true)
        let answer = try #require(read.answers.first)
        #expect(read.answers.count == 1 && read.rest.isEmpty)
        #expect(answer.status == status && answer.closes)
        #expect(answer.values("content-type") == ["application/problem+json"])
        #expect(answer.values("cache-control") == ["no-store"])
        let members = try #require(FlatJSON.members(answer.body), "\(answer.body)")
        #expect(members["status"] == "\(status)")
        #expect(members["title"]?.isEmpty == false)
        #expect(members["detail"]?.isEmpty == false)
        #expect(Set(members.keys) == ["status", "title", "detail"])
    }

    @Test(arguments: errors)
    func requestErrors(_ error: RequestError, status: Int) throws {
        try check(ProblemDocument(error), status: status)
    }

    @Test(
        arguments: [
            (AnswerFailure.onlyIfCached, 504, nil), (.noOrigin, 503, "destination_unavailable"),
            (.origin(.connectFailed(.name, "secret")), 502, "dns_error"),
            (.origin(.connectFailed(.refused, "secret")), 502, "connection_refused"),
            (.origin(.connectFailed(.closed, "secret")), 502, "connection_terminated"),
            (.origin(.connectFailed(.tls, "secret")), 502, "tls_protocol_error"),
            (.origin(.connectFailed(.certificate, "secret")), 502, "tls_certificate_error"),
            (.origin(.connectFailed(.limit, "secret")), 503, "connection_limit_reached"),
            (.origin(.connectFailed(.other, "secret")), 503, "destination_unavailable"),
            (.origin(.malformed("secret")), 502, "http_protocol_error"),
            (.origin(.closed), 502, "connection_terminated"),
            (.origin(.shuttingDown), 503, "destination_unavailable"),
            (.origin(.contentUnreadable), 500, "proxy_internal_error"),
            (.origin(.connectTimeout), 504, "connection_timeout"),
            (.origin(.firstByteTimeout), 504, "http_response_timeout"),
            (.origin(.betweenBytesTimeout), 504, "connection_read_timeout"),
        ] as [(AnswerFailure, Int, String?)])
    func failures(_ failure: AnswerFailure, status: Int, proxyError: String?) throws {
        let document = ProblemDocument(failure)
        try check(document, status: status)
        let text = String(
            buffer: document.rendered(keepsAlive: true, isHTTP10: false, isHead: false))
        #expect(!text.contains("secret") && !text.contains("Connection:"))
        #expect(
            text.contains("\r\nProxy-Status: larder; error=\(proxyError ?? "-")\r\n")
                == (proxyError != nil))
    }

    @Test func headHasTheSameHeadOnly() {
        let document = ProblemDocument(RequestError.headTimeout)
        let whole = String(
            buffer: document.rendered(keepsAlive: true, isHTTP10: true, isHead: false))
        let head = String(buffer: document.rendered(keepsAlive: true, isHTTP10: true, isHead: true))
        #expect(whole.hasPrefix(head) && head.hasSuffix("\r\n\r\n") && whole.count > head.count)
        #expect(head.contains("Connection: keep-alive\r\n"))
    }
}

/// Reads one JSON object of strings and numbers, strictly (RFC 8259).
private enum FlatJSON {
    static func members(_ text: String) -> [String: String]? {
        var rest = Array(text.utf8)[...]
        guard rest.popLast() == 0x0A, rest.popFirst() == UInt8(ascii: "{") else { return nil }
        var members: [String: String] = [:]
        while let name = string(&rest), rest.popFirst() == UInt8(ascii: ":") {
            let isString = rest.first == UInt8(ascii: "\"")
            guard let value = isString ? string(&rest) : number(&rest), members[name] == nil else {
                return nil
            }
            members[name] = value
            switch rest.popFirst() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return rest.isEmpty ? members : nil
            default: return nil
            }
        }
        return nil
    }

    private static func string(_ rest: inout ArraySlice<UInt8>) -> String? {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), "\"\\/".utf8.contains(escaped) else {
                    return nil
                }
                bytes.append(escaped)
            case 0..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> String? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest.dropFirst(digits.count)
        return digits.isEmpty ? nil : String(decoding: digits, as: UTF8.self)
    }
}
