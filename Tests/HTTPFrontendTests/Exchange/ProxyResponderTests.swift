import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPFrontend

@Suite("Plans, keys and kept content")
struct ProxyResponderTests {
    /// A responder on the front end's loop, for what needs no connection.
    private func with<T: Sendable>(
        _ configure: (inout FrontendConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (ProxyResponder) throws -> T
    ) async throws -> T {
        var result: T?
        try await Front.run(configure: configure) { front in
            result = try await front.withLoop { loop in
                try body(
                    ProxyResponder(
                        loop: loop.loop, engine: loop.engine, configuration: loop.configuration,
                        hasher: loop.hasher, secret: loop.secret, keyFields: loop.keyFields))
            }
        }
        return try #require(result)
    }

    static let plans: [(HTTPMethod, String, [(String, String)], String)] = [
        (.GET, "/a", [], "lookup"), (.HEAD, "/a", [], "lookup"),
        (.GET, "/a", [("Content-Length", "0")], "lookup"),
        (.GET, "/a", [("Content-Length", "1")], "bypass request-content"),
        (.HEAD, "/a", [("Transfer-Encoding", "chunked")], "bypass request-content"),
        (.GET, "/a", [("If-Match", "*")], "request precondition"),
        (.GET, "/a", [("If-Unmodified-Since", "x")], "request precondition"),
        (.GET, "/a", [("If-None-Match", "*")], "lookup"),
        (.GET, "/a", [("Range", "bytes=0-1")], "lookup"),
        (.POST, "/a", [("Content-Length", "1")], "method -"), (.POST, "/search", [], "keyed"),
        (.POST, "/search?q", [("Content-Length", "20")], "keyed"),
        (.POST, "/search", [("Content-Length", "21")], "bypass body-limit"),
        (.POST, "/search", [("Transfer-Encoding", "chunked")], "keyed"),
        (.POST, "/search", [("If-Match", "*")], "keyed"), (.POST, "/search/", [], "method -"),
        (.POST, "/./search", [], "method -"), (.POST, "/%73earch", [], "method -"),
        (.RAW(value: "QUERY"), "/a", [("Content-Length", "1")], "keyed"),
        (.RAW(value: "QUERY"), "/a", [("If-Match", "*")], "request precondition"),
        (.RAW(value: "QUERY"), "/a", [("Content-Length", "21")], "bypass body-limit"),
        (.PUT, "/search", [], "method -"), (.DELETE, "/a", [], "method -"),
        (.OPTIONS, "*", [], "method -"), (.PROPFIND, "/a", [], "method -"),
    ]

    @Test func planTable() async throws {
        let texts = try await with({ $0.maxKeyBodyBytes = 20 }) { responder in
            try Self.plans.map { method, target, fields, _ in
                switch responder.plan(try HeadGateTests.gated(method, target, fields)) {
                case .lookup: "lookup"
                case .keyed: "keyed"
                case .pass(let reason, let detail): "\(reason.rawValue) \(detail ?? "-")"
                }
            }
        }
        for (text, plan) in zip(texts, Self.plans) {
            #expect(text == plan.3, "\(plan.0) \(plan.1) \(plan.2)")
        }
    }

    private static func key(
        _ responder: ProxyResponder, _ method: HTTPMethod, _ target: String = "/search",
        _ fields: [(String, String)] = [], host: String = "a.example", content: String? = nil
    ) throws -> CacheKey? {
        let credentials = CredentialFields.standard + responder.configuration.credentialFields
        let gate = HeadGate(
            limits: .init(), hosts: [], fieldTable: FieldTable(credentials: credentials),
            scheme: "http", guarded: [], pseudonym: "larder")
        let head = try gate.check(HeadGateTests.head(method, target, fields, host: host)).get()
        let parts = try content.map { text in
            let digester = try BodyDigester()
            Array(text.utf8).withUnsafeBytes { digester.update($0) }
            let (digest, length) = try #require(digester.finish())
            return responder.keyedParts(head, digest: digest, length: length)
        }
        return responder.primaryKey(head, content: parts)
    }

    @Test func headAndGetShareAKeyAndHoldNoCredentials() async throws {
        let (same, others) = try await with { responder in
            let same = [
                try Self.key(responder, .GET), try Self.key(responder, .HEAD),
                try Self.key(responder, .GET, "/search", [("Cookie", "a")]),
                try Self.key(responder, .GET, host: "A.example.:80"),
            ]
            let others = [
                try Self.key(responder, .GET, "/search?"),
                try Self.key(responder, .GET, host: "b.example"),
                try Self.key(responder, .GET, host: "a.example:8080"),
            ]
            return (same, others)
        }
        #expect(!same.contains(nil) && Set(same).count == 1)
        #expect(Set(same + others).count == 4)
    }

    /// Each must have a key of its own.
    static let different: [(method: HTTPMethod, fields: [(String, String)], content: String)] = [
        (.POST, [], "x"), (.POST, [], ""), (.POST, [], "y"), (.RAW(value: "QUERY"), [], "x"),
        (.POST, [("Content-Type", "a")], "x"), (.POST, [("Content-Type", "")], "x"),
        (.POST, [("Content-Encoding", "a")], "x"), (.POST, [("Content-Language", "a")], "x"),
        (.POST, [("Accept", "a")], "x"), (.POST, [("Accept-Language", "a")], "x"),
        (.POST, [("Accept-Encoding", "gzip")], "x"), (.POST, [("Origin", "a")], "x"),
        (.POST, [("X-Tenant", "a")], "x"), (.POST, [("Authorization", "a")], "x"),
        (.POST, [("Cookie", "a")], "x"), (.POST, [("X-Api-Key", "a")], "x"),
        (.POST, [("X-Secret", "a")], "x"), (.POST, [("Cookie", "a"), ("Cookie", "b")], "x"),
    ]

    @Test func contentKeysDifferByEveryPart() async throws {
        let configure: (inout FrontendConfiguration) -> Void = { configuration in
            configuration.keyFields = ["x-tenant"]
            configuration.credentialFields = ["x-secret"]
        }
        let (keys, unrelated, get) = try await with(configure) { responder in
            let keys = try Self.different.map {
                try Self.key(responder, $0.method, "/search", $0.fields, content: $0.content)
            }
            let unrelated = try Self.key(
                responder, .POST, "/search", [("X-Other", "a")], content: "x")
            return (keys, unrelated, try Self.key(responder, .GET))
        }
        #expect(!keys.contains(nil) && !keys.contains(get))
        #expect(Set(keys).count == Self.different.count)
        #expect(unrelated == keys.first)
    }

    @Test func ignoredCredentialsAreInNoKey() async throws {
        let keys = try await with({ $0.ignoresCredentials = true }) { responder in
            [
                try Self.key(responder, .POST, content: "x"),
                try Self.key(responder, .POST, "/search", [("Cookie", "a")], content: "x"),
            ]
        }
        #expect(keys.first != .some(nil) && Set(keys).count == 1)
    }

    @Test(arguments: ["Accept", "Content-Type", "Cookie", "Authorization", "Origin", "X-Tenant"])
    func repairedBytesMakeNoKey(_ name: String) async throws {
        let keys = try await with({ $0.keyFields = ["x-tenant"] }) { responder in
            try ["a", "a\u{FFFD}"].map {
                try Self.key(responder, .POST, "/search", [(name, $0)], content: "x")
            }
        }
        #expect(keys.first != .some(nil) && keys.last == .some(nil))
    }

    @Test func fillIsForTheWholeAnswer() async throws {
        let fields = [
            ("Range", "bytes=0-1"), ("If-None-Match", "x"), ("Cache-Control", "no-cache"),
            ("Content-Type", "text/plain"),
        ]
        let made = try await with { responder in
            let head = try HeadGateTests.gated(.POST, "/search", fields)
            let key = try #require(try Self.key(responder, .POST, "/search", fields, content: "x"))
            let bytes = ByteBuffer(string: "x")
            let digest = try #require(try BodyDigester().finish()).digest
            return responder.fillRequest(
                head, key: key, facts: head.facts,
                content: WholeContent(
                    body: .buffered(bytes), start: bytes, digest: digest, length: 1),
                reason: .uriMiss, clientAddress: nil)
        }
        let fill = try #require(made)
        #expect(!fill.isExclusive)
        for name in [HTTPField.Name.range, .ifNoneMatch, .cacheControl] {
            #expect(fill.origin.fields[values: name].isEmpty)
        }
        #expect(fill.identity.method == "POST" && fill.identity.target == "/search")
        #expect(!fill.identity.material.isEmpty)
        #expect(fill.requestContent?.mediaType == "text/plain")
        #expect(fill.origin.isRetryable)
    }

    @Test(arguments: [
        (HTTPMethod.GET, [(String, String)](), true), (.HEAD, [], true), (.POST, [], false),
        (.PUT, [], false), (.DELETE, [], false), (.GET, [("Content-Length", "1")], false),
    ])
    func onlyReadsArePassedOnAgain(
        _ method: HTTPMethod, fields: [(String, String)], expected: Bool
    ) async throws {
        let isRetryable = try await with { responder in
            responder.passRequest(
                try HeadGateTests.gated(method, "/a", fields), reason: .method, detail: nil,
                clientAddress: nil
            ).origin.isRetryable
        }
        #expect(isRetryable == expected)
    }

    @Test(arguments: [
        ("", true, true), ("text", true, true), ("é€😀", true, true), ("a\0b", false, false),
    ])
    func isText(_ text: String, whole: Bool, cut: Bool) {
        let buffer = ByteBuffer(string: text)
        #expect(buffer.isText(allowsCutCharacter: false) == whole)
        #expect(buffer.isText(allowsCutCharacter: true) == cut)
    }

    @Test func cutCharacterIsTextOnlyIfAllowed() {
        for character in ["é", "€", "😀"] {
            let bytes = Array(character.utf8)
            for length in 1..<bytes.count {
                let buffer = ByteBuffer(bytes: Array("ab".utf8) + bytes.prefix(length))
                #expect(!buffer.isText(allowsCutCharacter: false))
                #expect(buffer.isText(allowsCutCharacter: true), "\(character) \(length)")
            }
        }
        #expect(!ByteBuffer(bytes: [0xFF, 0x61]).isText(allowsCutCharacter: true))
        #expect(
            !ByteBuffer(bytes: [0x80, 0x80, 0x80, 0x80, 0x80]).isText(allowsCutCharacter: true))
        #expect(!ByteBuffer(bytes: [0x61, 0xC0, 0x80, 0x61]).isText(allowsCutCharacter: true))
    }
}
