import CacheEngine
import HTTPCaching
import NIOHTTP1
import Testing

@testable import HTTPFrontend

@Suite("Head gate: decoded heads")
struct HeadGateTests {
    static let gate = HeadGate(
        limits: .init(), hosts: [],
        fieldTable: FieldTable(credentials: ["authorization", "x-key"]),
        scheme: "http", guarded: ["x-tenant"], pseudonym: "larder-7f")

    static func head(
        _ method: HTTPMethod = .GET, _ uri: String = "/a", _ fields: [(String, String)] = [],
        version: HTTPVersion = .http1_1, host: String? = "a.example"
    ) -> HTTPRequestHead {
        let hosts = host.map { [("Host", $0)] } ?? []
        return HTTPRequestHead(
            version: version, method: method, uri: uri, headers: HTTPHeaders(hosts + fields))
    }

    static func gated(
        _ method: HTTPMethod = .GET, _ uri: String = "/a", _ fields: [(String, String)] = [],
        version: HTTPVersion = .http1_1, host: String? = "a.example"
    ) throws -> GatedHead {
        try gate.check(head(method, uri, fields, version: version, host: host)).get()
    }

    private func error(_ head: HTTPRequestHead) -> RequestError? {
        if case .failure(let error) = Self.gate.check(head) { error } else { nil }
    }

    // G1
    @Test(
        arguments: [
            (["chunked"], nil), (["Chunked"], nil), (["gzip"], RequestError.notImplemented),
            (["identity"], .notImplemented), ([""], .malformed(.transferEncoding)),
            (["gzip, chunked"], .malformed(.transferEncoding)),
            (["chunked, chunked"], .malformed(.transferEncoding)),
            ([" chunked"], .malformed(.transferEncoding)),
            (["chunked\u{FFFD}"], .malformed(.transferEncoding)),
            (["chunked", "chunked"], .malformed(.transferEncoding)),
            (["gzip", "chunked"], .malformed(.transferEncoding)),
        ] as [([String], RequestError?)])
    func transferEncoding(_ values: [String], expected: RequestError?) {
        let fields = values.map { ("Transfer-Encoding", $0) }
        #expect(error(Self.head(.POST, "/a", fields)) == expected)
        #expect(
            error(Self.head(.POST, "/a", fields + [("Content-Length", "1")]))
                == .malformed(.transferEncoding))
        #expect(
            error(Self.head(.POST, "/a", fields, version: .http1_0))
                == .malformed(.transferEncoding))
    }

    // G2
    @Test(
        arguments: [
            ("0", 0), ("5", 5), ("10", 10), ("9223372036854775807", Int64.max),
            ("9223372036854775808", nil), ("99999999999999999999", nil), ("", nil), ("010", nil),
            ("00", nil), ("+5", nil), ("-0", nil), ("5 ", nil), ("5,5", nil), ("0x5", nil),
            ("1_0", nil),
            ("٥", nil), ("5\u{301}", nil),
        ] as [(String, Int64?)])
    func contentLength(_ value: String, expected: Int64?) throws {
        let result = Self.gate.check(Self.head(.POST, "/a", [("Content-Length", value)]))
        guard let expected else {
            #expect(throws: RequestError.malformed(.contentLength)) { try result.get() }
            return
        }
        let gated = try result.get()
        #expect(gated.content == .length(expected) && gated.hasContent == (expected > 0))
    }

    @Test func equalContentLengthsAreTwo() {
        let twice = [("Content-Length", "1"), ("content-length", "1")]
        #expect(error(Self.head(.POST, "/a", twice)) == .malformed(.contentLength))
    }

    // G3
    @Test(
        arguments: [
            ("a.example", "a.example"), ("A.Example", "a.example"), ("a:80", "a"),
            ("a:8080", "a:8080"),
            ("a.", "a"), ("a:", "a"), ("[::1]:81", "[::1]:81"), ("", nil), ("a,b", nil),
            ("a b", nil),
            ("u@a", nil), ("a/b", nil), ("a?", nil), ("a#", nil), ("%61", nil), ("a:99999", nil),
            ("a\u{FFFD}", nil), ("é", nil),
        ] as [(String, String?)])
    func host(_ value: String, expected: String?) throws {
        let result = Self.gate.check(Self.head(host: value))
        if let expected {
            #expect(try result.get().authority == expected)
        } else {
            #expect(throws: RequestError.malformed(.host)) { try result.get() }
        }
    }

    @Test func hostsAreCounted() throws {
        #expect(error(Self.head(host: nil)) == .malformed(.host))
        #expect(error(Self.head(.GET, "/a", [("HOST", "a.example")])) == .malformed(.host))
        #expect(try Self.gated(version: .http1_0, host: nil).authority.isEmpty)
        #expect(
            error(Self.head(.GET, "/a", [("Host", "a.example")], version: .http1_0))
                == .malformed(.host))
    }

    // G4 and G5
    @Test(arguments: [
        ("/a?b=c", "/a?b=c", "a.example"), ("//a/../%2e", "//a/../%2e", "a.example"),
        ("http://a.example/x", "/x", "a.example"), ("HTTP://A.EXAMPLE:80/x", "/x", "a.example"),
        ("http://a.example", "/", "a.example"), ("http://a.example?q", "/?q", "a.example"),
    ])
    func target(_ uri: String, target: String, authority: String) throws {
        let gated = try Self.gated(.GET, uri)
        #expect(gated.target == target && gated.authority == authority)
    }

    @Test(arguments: [
        ("", RequestError.malformed(.target)), ("a", .malformed(.target)),
        ("*", .malformed(.target)),
        ("/a#", .malformed(.target)), ("/%", .malformed(.target)), ("/%g0", .malformed(.target)),
        ("/\"", .malformed(.target)), ("/a|b", .malformed(.target)), ("/`", .malformed(.target)),
        ("/é", .malformed(.target)), ("/\u{7F}", .malformed(.target)),
        ("/a b", .malformed(.target)),
        ("http://", .malformed(.target)), ("http:///x", .malformed(.target)),
        ("http://u@a.example/", .malformed(.target)), ("http://a.example#/", .malformed(.target)),
        ("http://a.example/#", .malformed(.target)), ("ws://a.example/", .malformed(.target)),
        ("http://b.example/", .malformed(.authorityMismatch)),
        ("http://a.example:81/", .malformed(.authorityMismatch)),
        ("https://a.example/", .misdirected), ("http:/\u{301}/a.example/", .malformed(.target)),
    ])
    func badTarget(_ uri: String, expected: RequestError) {
        #expect(error(Self.head(.GET, uri)) == expected)
    }

    @Test func longTarget() throws {
        let longest = "/" + String(repeating: "a", count: 8191)
        #expect(try Self.gated(.GET, longest).target == longest)
        #expect(error(Self.head(.GET, longest + "a")) == .targetTooLong)
    }

    @Test func asteriskIsForOptions() throws {
        #expect(try Self.gated(.OPTIONS, "*").target == "*")
    }

    @Test func servedHosts() throws {
        let gate = HeadGate(
            limits: .init(), hosts: ["a.example"], fieldTable: FieldTable(credentials: []),
            scheme: "http", guarded: [], pseudonym: "larder")
        #expect(try gate.check(Self.head(host: "A.example:80")).get().authority == "a.example")
        for head in [
            Self.head(host: "b.example"), Self.head(host: "a.example:8080"),
            Self.head(version: .http1_0, host: nil),
        ] {
            #expect(throws: RequestError.misdirected) { try gate.check(head).get() }
        }
    }

    // G6
    @Test(arguments: [
        (HTTPMethod.CONNECT, RequestError.methodNotAllowed), (.TRACE, .methodNotAllowed),
        (.PURGE, .methodNotAllowed), (.SOURCE, .notImplemented),
        (.RAW(value: "BREW"), .notImplemented),
        (.RAW(value: "DESCRIBE"), .notImplemented), (.RAW(value: "query"), .notImplemented),
    ])
    func refusedMethod(_ method: HTTPMethod, expected: RequestError) {
        #expect(error(Self.head(method)) == expected)
    }

    @Test(arguments: [
        (HTTPMethod.GET, MethodKind.get), (.HEAD, .head), (.POST, .post), (.PUT, .unsafe),
        (.DELETE, .unsafe), (.PATCH, .unsafe), (.OPTIONS, .otherSafe), (.PROPFIND, .otherSafe),
        (.RAW(value: "QUERY"), .query), (.MKCOL, .unsafe),
    ])
    func servedMethod(_ method: HTTPMethod, kind: MethodKind) throws {
        #expect(try Self.gated(method).kind == kind)
    }

    @Test(arguments: [
        HTTPVersion.http0_9, .http2, HTTPVersion(major: 1, minor: 2),
        HTTPVersion(major: 3, minor: 0),
    ])
    func refusedVersion(_ version: HTTPVersion) {
        #expect(error(Self.head(version: version)) == .versionNotSupported)
    }

    // G9
    @Test func limits() {
        let ninetyNine = (0..<99).map { ("X-\($0)", "y") }
        #expect(error(Self.head(.GET, "/a", ninetyNine)) == nil)
        #expect(error(Self.head(.GET, "/a", ninetyNine + [("X", "y")])) == .headTooLarge)
        let value = String(repeating: "y", count: (32 << 10) - 4 - 1 - 17 - 2)
        #expect(error(Self.head(.GET, "/a", [("X", value)])) == nil)
        #expect(error(Self.head(.GET, "/a", [("X", value + "y")])) == .headTooLarge)
    }

    @Test(
        arguments: [
            ([], true, false), (["close"], false, false), (["CLOSE"], false, false),
            (["keep-alive"], true, true), (["Keep-Alive"], true, true),
            (["keep-alive, close"], false, false), (["close, keep-alive"], false, false),
            (["keep-alive", "close"], false, false), (["x,\tclose"], false, false),
            (["x ,, keep-alive ,"], true, true), (["x,\u{301}close"], false, false),
        ] as [([String], Bool, Bool)])
    func keepAlive(_ lines: [String], in11: Bool, in10: Bool) throws {
        let fields = lines.map { ("Connection", $0) }
        #expect(try Self.gated(.GET, "/a", fields).keepsAlive == in11)
        #expect(try Self.gated(.GET, "/a", fields, version: .http1_0).keepsAlive == in10)
    }

    // G7
    @Test(arguments: [
        "Host", "content-length", "Transfer-Encoding", "Cache-Control", "AUTHORIZATION", "Cookie",
        "x-key", "Range", "If-None-Match", "Accept", "Accept-Encoding", "Content-Type", "Origin",
        "X-Forwarded-For", "Via", "Expect", "close, Cookie", "x,Cookie", "X-Tenant", "Pragma",
        "Max-Forwards", "If-Anything", "Date", "Forwarded", "CDN-Cache-Control", "Set-Cookie",
    ])
    func connectionNamesNothingEndToEnd(_ value: String) {
        #expect(
            error(Self.head(.GET, "/a", [("Connection", value)])) == .malformed(.connection))
    }

    @Test(arguments: ["TE", "Trailer", "Keep-Alive", "HTTP2-Settings", "X-Other"])
    func connectionMayNameWhatEndsHere(_ value: String) throws {
        _ = try Self.gated(.GET, "/a", [("Connection", value), (value, "x")])
    }

    // RFC 9110 §7.6.3
    @Test(arguments: [
        (["1.1 larder-7f"], true), (["1.0 a", "1.1 b, 1.1 LARDER-7F"], true),
        (["1.1 larder"], false), (["1.1 larder-7e"], false),
        ([String](repeating: "1.1 a", count: 11), true),
        ([String](repeating: "1.1 a", count: 10), false),
    ])
    func circles(_ via: [String], isLoop: Bool) {
        let found = error(Self.head(.GET, "/a", via.map { ("Via", $0) }))
        #expect(found == (isLoop ? .loopDetected : nil))
    }

    @Test func connectionNamedFieldsAreGoneForEveryone() throws {
        let gated = try Self.gated(
            .GET, "/a",
            [
                ("X-A", "1"), ("x-b", "2"), ("X-C", "3"), ("Connection", "x-a,\u{301}z"),
                ("Connection", "X-B"),
            ])
        #expect(gated.headers.map(\.name) == ["Host", "X-C", "Connection", "Connection"])
    }

    // G8
    @Test func upgradeEndsTheConnection() throws {
        let gated = try Self.gated(.GET, "/a", [("Upgrade", "x"), ("Connection", "upgrade")])
        #expect(gated.stopsDecoder && !gated.keepsAlive)
        #expect(
            error(Self.head(.POST, "/a", [("Upgrade", "x"), ("Content-Length", "1")]))
                == .malformed(.upgradeWithContent))
    }

    @Test(
        arguments: [
            (["100-continue"], nil), (["100-Continue"], nil),
            (["x"], RequestError.expectationFailed),
            ([""], .expectationFailed), (["100-continue", "100-continue"], .expectationFailed),
            (["100-continue "], .expectationFailed),
        ] as [([String], RequestError?)])
    func expectation(_ values: [String], expected: RequestError?) throws {
        let fields = values.map { ("Expect", $0) }
        #expect(error(Self.head(.POST, "/a", fields)) == expected)
        guard expected == nil else { return }
        #expect(try Self.gated(.POST, "/a", fields).expectsContinue)
        #expect(try !Self.gated(.POST, "/a", fields, version: .http1_0).expectsContinue)
    }

    @Test func whatTheCacheMustKnow() throws {
        let plain = try Self.gated()
        #expect(plain.facts == RequestFacts(method: .get) && plain.conditions == .none)
        let gated = try Self.gated(
            .GET, "/a",
            [
                ("authorization", "x"), ("COOKIE", "a"), ("If-Range", "\"x\""),
                ("range", "bytes=0-1"), ("RANGE", "bytes=2-3"), ("If-Modified-Since", "a"),
                ("If-Unmodified-Since", "b"),
                ("If-None-Match", "\"1\""), ("If-None-Match", "\"2\""), ("If-Match", "*"),
                ("Cache-Control", "no-cache"), ("Pragma", "x"),
            ])
        #expect(gated.hasCredentials && gated.hasCookie && gated.hasRange)
        #expect(gated.conditions.ifNoneMatch == ["\"1\"", "\"2\""])
        #expect(gated.conditions.ifMatch == ["*"] && gated.conditions.ifUnmodifiedSince == ["b"])
        #expect(gated.conditions.ifModifiedSince == ["a"])
        #expect(gated.conditions.range == ["bytes=0-1", "bytes=2-3"])
        #expect(gated.conditions.ifRange == ["\"x\""])
        #expect(gated.conditions.isForOrigin)
        #expect(gated.directives.flags.contains(.noCache))
    }
}

@Suite("Target syntax and the field table")
struct GateTableTests {
    @Test func everyByteOfATarget() {
        let refused = Set("#\"<>\\^{}|`%".utf8)
        for value in UInt8.min...UInt8.max {
            guard value < 0x80 else { continue }
            let target = "/a" + String(decoding: [value], as: UTF8.self) + "b"
            let isAllowed = value > 0x20 && value < 0x7F && !refused.contains(value)
            #expect(TargetSyntax.isValid(target) == isAllowed, "\(value)")
        }
        #expect(!TargetSyntax.isValid("/\u{E9}"))
    }

    @Test(arguments: [
        ("/%41", true), ("/%4a%4F", true), ("/%", false), ("/%4", false), ("/%4g", false),
        ("/%%41", false), ("/%4%31", false), ("", true),
    ])
    func escapes(_ target: String, isValid: Bool) {
        #expect(TargetSyntax.isValid(target) == isValid)
    }

    @Test(arguments: [
        ("http://a/b", "http", "a", "/b"), ("HtTp://a", "http", "a", "/"),
        ("https://a:1?b", "https", "a:1", "/?b"), ("http://", "http", "", "/"),
    ])
    func absoluteForm(_ target: String, scheme: String, authority: String, path: String) throws {
        let form = try #require(TargetSyntax.absoluteForm(target))
        #expect(form.scheme == scheme && form.authority == authority && form.path == path)
    }

    @Test(arguments: ["", "/", "http:/a", "http", "ftp://a", "//a/b"])
    func notAbsoluteForm(_ target: String) {
        #expect(TargetSyntax.absoluteForm(target) == nil)
    }

    @Test(
        arguments: [
            ("host", KnownField.host), ("HOST", .host), ("Transfer-Encoding", .transferEncoding),
            ("X-KEY", .credential), ("cookie", .cookie), ("If-Modified-Since", .ifModifiedSince),
            ("hos", nil), ("hostt", nil), ("", nil), ("transfer_encoding", nil),
            ("transfer\u{0D}encoding", nil), ("x-\u{6B}e\u{19}", nil), ("\u{212A}ost", nil),
            (String(repeating: "x", count: 10_000), nil),
        ] as [(String, KnownField?)])
    func field(_ name: String, expected: KnownField?) {
        let table = FieldTable(credentials: ["x-key", "cookie"])
        #expect(table.field(named: name) == expected)
    }

    @Test func repairedText() {
        #expect("a\u{FFFD}b".isRepaired && "\u{FFFD}".isRepaired)
        #expect(!"".isRepaired && !"\u{FFFC}é".isRepaired)
    }

    @Test(arguments: [
        ("a, b", ["a", "b"]), (" a\t", ["a"]), (",, ,", []), ("a,\u{301}b", ["a", "\u{301}b"]),
        ("", []),
    ])
    func listMembers(_ list: String, expected: [String]) {
        #expect(list.listMembers.map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    }

    @Test func parserErrors() {
        #expect(RequestError(.headerOverflow) == .headTooLarge)
        #expect(RequestError(.invalidMethod) == .notImplemented)
        #expect(RequestError(.invalidVersion) == .versionNotSupported)
        #expect(RequestError(.invalidChunkSize) == .malformed(.syntax))
    }
}
