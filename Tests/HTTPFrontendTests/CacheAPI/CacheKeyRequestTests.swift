import CacheEngine
import CacheKeys
import CacheTestKit
import HTTPCaching
import NIOHTTP1
import Testing

@testable import HTTPFrontend

@Suite("What a request of the Cache API names: URL or key of one's own, in which cache")
struct CacheKeyRequestTests {
    private typealias Unkeyed = CacheKeyRequest.Unkeyed

    private func head(
        _ target: String, _ fields: [(String, String)], host: String?
    ) throws -> GatedHead {
        var gate = HeadGateTests.gate
        gate.door = .cacheAPI
        return try gate.check(HeadGateTests.head(.GET, target, fields, host: host)).get()
    }

    private func request(
        _ target: String = "http://a.example/x", _ fields: [(String, String)] = [],
        host: String? = nil, _ front: Front
    ) throws -> Named {
        let request = try CacheKeyRequest(head(target, fields, host: host))
        let identity = front.engine.cacheIdentity(
            of: request.url, in: request.cacheName, hasher: try KeyHasher())
        guard let identity else { throw Unkeyed.repaired }
        // What a lookup in memory is made with.
        let key = request.url.primaryKey(in: request.cacheName, hasher: try KeyHasher())
        #expect(key == identity.primaryKey)
        return Named(
            identity: identity, overrides: request.overrides,
            hasAuthorization: request.hasAuthorization)
    }

    /// A request with the identity that follows from it.
    private struct Named {
        var identity: EntryIdentity
        var overrides: PutOverrides
        var hasAuthorization: Bool
    }

    private func name(_ identity: EntryIdentity) -> String {
        "\(identity.scheme)|\(identity.authority)|\(identity.target)"
    }

    // MARK: URLs

    @Test func absoluteFormNamesItself() async throws {
        try await Front.run { front in
            for (target, expected) in [
                ("http://a.example/x?q=1", "http|a.example|/x?q=1"),
                ("HTTP://A.Example:80/X%2f", "http|a.example|/X%2f"),
                ("https://a.example:443/", "https|a.example|/"),
                ("http://a.example:443/", "http|a.example:443|/"),
                ("https://a.example", "https|a.example|/"),
                ("ftp://a.example/", "ftp|a.example|/"),
                ("http://a.example?q", "http|a.example|/?q"),
                ("http://a.example#f", "http|a.example|/"),
                ("http://a.example/a#x", "http|a.example|/a"),
                ("http://a.example/a?b#x?y", "http|a.example|/a?b"),
                ("http://a.example/a?", "http|a.example|/a?"),
                ("http://a.example//a/../b", "http|a.example|//a/../b"),
                ("http://[::1]:8080/", "http|[::1]:8080|/"),
                ("http://a_b.example/", "http|a_b.example|/"),
            ] {
                // Whatever Host says, and also without one.
                for fields in [[], [("Host", "other.example")], [("Host", "x"), ("Host", "y")]] {
                    let made = try request(target, fields, front)
                    #expect(name(made.identity) == expected, "\(target)")
                    #expect(made.identity.surface == .cacheAPI)
                    #expect(made.identity.cacheName.isEmpty)
                }
            }
        }
    }

    @Test func originFormIsNamedByHostAndForwardedProto() async throws {
        try await Front.run { front in
            let proto = "X-Forwarded-Proto"
            for (target, fields, expected) in [
                ("/x?q", [], "http|a.example|/x?q"), ("/a#x", [], "http|a.example|/a"),
                ("/x", [(proto, "https")], "https|a.example|/x"),
                ("/x", [(proto, "HTTPS")], "https|a.example|/x"),
                ("/x", [(proto, "http")], "http|a.example|/x"),
                ("//b.example/x", [], "http|a.example|//b.example/x"),
            ] as [(String, [(String, String)], String)] {
                let made = try request(target, fields, host: "A.example:80", front)
                // The port of another scheme stays.
                let isHTTPS = expected.hasPrefix("https")
                let shown = isHTTPS ? "https|a.example:80|/x" : expected
                #expect(name(made.identity) == shown, "\(target) \(fields)")
            }
            let secure = try request("/x", [(proto, "https")], host: "a.example:443", front)
            let absolute = try request("https://a.example/x", [], front)
            #expect(secure.identity == absolute.identity)
            // A header of that name says nothing about a target that has its scheme.
            let own = try request("http://a.example/x", [(proto, "https")], front)
            #expect(name(own.identity) == "http|a.example|/x")
        }
    }

    @Test func whatNamesNothing() async throws {
        try await Front.run { front in
            let proto = "X-Forwarded-Proto"
            for (target, fields, host) in [
                ("http://u@a.example/", [], nil), ("http://u:p@a.example/", [], nil),
                ("http:///x", [], nil), ("a.example/x", [], nil), ("http:/a.example", [], nil),
                ("*", [], "a.example"), ("://a.example/", [], nil), ("1http://a/", [], nil),
                ("http://a.ex%61mple/", [], nil), ("/x", [], nil), ("/x", [], ""),
                ("/x", [("Host", "b.example")], "a.example"), ("/x", [], "u@a.example"),
                ("/x", [(proto, "https"), (proto, "http")], "a.example"),
                ("/x", [(proto, "")], "a.example"), ("/x", [(proto, "https, http")], "a.example"),
            ] as [(String, [(String, String)], String?)] {
                #expect(throws: Unkeyed.url, "\(target) \(fields)") {
                    try request(target, fields, host: host, front)
                }
            }
        }
    }

    // MARK: Caches

    @Test func namesOfCachesAreDecoded() async throws {
        try await Front.run { front in
            let longest = String(repeating: "n", count: 1023)
            for (lines, expected) in [
                ([], ""), ([""], ""), (["a"], "a"), (["A"], "A"), (["%41"], "A"),
                (["caf%C3%A9%20%2F%25"], "caf\u{E9} /%"), (["%c3%a9"], "\u{E9}"),
                (["a+b"], "a+b"), (["!'()*-._~"], "!'()*-._~"), (["%F0%9F%98%80"], "\u{1F600}"),
                ([longest], longest), (["e%CC%81"], "e\u{301}"), (["%0D%0A"], "\r\n"),
            ] {
                let fields = lines.map { ("CF-Cache-Namespace", $0) }
                let made = try request("http://a.example/x", fields, front)
                #expect(Array(made.identity.cacheName.utf8) == Array(expected.utf8), "\(lines)")
            }
            for lines in [
                ["%"], ["%4"], ["%4g"], ["%g4"], ["a%"], ["%FF"], ["%C3"], ["%ED%A0%80"], ["%00"],
                ["a", "b"], ["", ""], ["a", ""], ["", "a"], ["a", "a"], [longest + "n"],
                [String(repeating: "%C3%A9", count: 512)],
            ] {
                let fields = lines.map { ("CF-Cache-Namespace", $0) }
                #expect(throws: Unkeyed.namespace, "\(lines)") {
                    try request("http://a.example/x", fields, front)
                }
            }
        }
    }

    @Test func eachCacheHasItsOwnKeys() async throws {
        try await Front.run { front in
            var keys: Set<CacheKey> = []
            for name in ["", "a", "A", "e%CC%81", "%C3%A9", "a%20"] {
                let fields = name.isEmpty ? [] : [("cf-cache-namespace", name)]
                keys.insert(
                    try request("http://a.example/x", fields, front).identity.primaryKey)
            }
            #expect(keys.count == 6)
        }
    }

    // MARK: request.cf

    private func blob(_ lines: String...) throws -> CacheBlob { try CacheBlob(lines) }

    @Test(
        arguments: [
            ("{}", nil), ("{\"cacheKey\":null}", nil), ("{\"cacheKey\":false}", nil),
            ("{\"cacheKey\":0}", nil), ("{\"cacheKey\":-0}", nil), ("{\"cacheKey\":0.0}", nil),
            ("{\"cacheKey\":\"\"}", nil), ("{\"cacheKey\":true}", "true"),
            ("{\"cacheKey\":42}", "42"), ("{\"cacheKey\":-1.5}", "-1.5"),
            ("{\"cacheKey\":\"0\"}", "0"), ("{\"cacheKey\":\"false\"}", "false"),
            ("{\"cacheKey\":\" \"}", " "), ("{\"cacheKey\":\"a\\nb\"}", "a\nb"),
            ("{\"cacheKey\":\"a\",\"cacheKey\":\"b\"}", "b"), ("{\"CacheKey\":\"a\"}", nil),
            ("{\"cache\\u212aey\":\"a\"}", nil), ("{\"cf\":{\"cacheKey\":\"a\"}}", nil),
        ] as [(String, String?)])
    func cacheKeysAreStrings(line: String, key: String?) throws {
        #expect(try blob(line).cacheKey == key)
    }

    @Test(arguments: [
        "", "null", "1", "[]", "\"a\"", "{", "{\"cacheKey\":[]}", "{\"cacheKey\":[\"a\"]}",
        "{\"cacheKey\":{}}", "{}{}", "{\"cacheKey\":\"\\ud800\"}",
    ])
    func unusableBlobs(line: String) {
        #expect(throws: Unkeyed.blob) { try blob(line) }
    }

    @Test func oneBlobOnly() throws {
        #expect(try CacheBlob([]) == CacheBlob(["{}"]))
        #expect(throws: Unkeyed.blob) { try blob("{}", "{}") }
    }

    @Test func overrides() throws {
        let all = try blob(
            "{\"cacheTtl\":60,\"cacheEverything\":true,\"cacheTags\":[\"a\",1,\"b\"],"
                + "\"cacheTtlByStatus\":{\"404\":5,\"200-299\":\"x\",\"400-499\":7,\"20x\":1,"
                + "\"300-200\":1,\"2-3\":1,\"200\":-1,\"500-599\":0},\"cacheLevel\":\"bypass\"}")
        #expect(all.overrides.ttl == 60)
        #expect(all.overrides.storesEverything)
        #expect(all.overrides.tags == ["a", "b"])
        // In the order of the text, what makes no sense left out.
        #expect(
            all.overrides.ttlByStatus == [
                .init(codes: 404...404, seconds: 5), .init(codes: 400...499, seconds: 7),
                .init(codes: 200...200, seconds: -1), .init(codes: 500...599, seconds: 0),
            ])
        #expect(all.cacheKey == nil)
    }

    @Test(
        arguments: [
            ("1", 1), ("-1", -1), ("0", 0), ("1.9", 1), ("1e3", 1000), ("\"60\"", nil),
            ("null", nil), ("true", nil), ("[1]", nil),
        ] as [(String, Int64?)])
    func ttls(text: String, seconds: Int64?) throws {
        #expect(try blob("{\"cacheTtl\":\(text)}").overrides.ttl == seconds)
    }

    @Test func aKeyTakesThePlaceOfTheURL() async throws {
        try await Front.run { front in
            for (key, expected) in [
                ("abc", "key||abc"), ("a b#c", "key||a b#c"), ("/x", "key||/x"),
                ("http://b.example/x", "http|b.example|/x"),
                ("HTTP://B.example/x#y", "key||HTTP://B.example/x#y"),
            ] {
                let line = JSONValue.object([("cacheKey", .string(key))]).serialized
                // Even where the target names nothing.
                for target in ["http://a.example/x", "/no-host"] {
                    let made = try request(target, [("CF-Blob", line)], front)
                    #expect(name(made.identity) == expected)
                }
            }
            #expect(throws: Unkeyed.url) {
                try request("http://a.example/", [("CF-Blob", "{\"cacheKey\":\"\\u0000\"}")], front)
            }
        }
    }

    @Test func authorizationIsNoted() async throws {
        try await Front.run { front in
            let plain = try request("http://a.example/", [], front)
            let authorized = try request("http://a.example/", [("authorization", "x")], front)
            #expect(!plain.hasAuthorization && authorized.hasAuthorization)
        }
    }
}
