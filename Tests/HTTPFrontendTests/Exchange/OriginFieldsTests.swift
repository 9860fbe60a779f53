import HTTPTypes
import NIOHTTP1
import Testing

@testable import HTTPFrontend

@Suite("Fields that reach the origin")
struct OriginFieldsTests {
    private static let own = [
        "X-Forwarded-Host: a.example", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http",
        "Via: 1.1 larder",
    ]

    private func lines(
        _ fields: [(String, String)], conditions: Bool = false, directives: Bool = false,
        version: HTTPVersion = .http1_1, host: String? = "a.example", address: String? = "192.0.2.7"
    ) throws -> [String] {
        let head = try HeadGateTests.gated(.GET, "/a", fields, version: version, host: host)
        return OriginFields.fields(
            of: head,
            options: .init(
                keepsPreconditions: conditions, keepsDirectives: directives,
                clientAddress: address, viaName: "larder",
                guarded: KeyFieldTable(own: ["x-tenant"], credentials: ["x-api-key"]).guarded)
        ).map { "\($0.name.rawName): \($0.value)" }
    }

    @Test func orderRepetitionAndCredentialsAreKept() throws {
        let fields = [
            ("X-B", "1"), ("Authorization", "Bearer x"), ("x-a", "2"), ("X-B", "3"),
            ("Cookie", "a=b"), ("Cookie", "c=d"), ("Accept", "*/*"), ("Accept-Encoding", "br"),
            ("Via", "1.0 other"), ("Content-Type", "text/plain"),
        ]
        #expect(try lines(fields) == fields.map { "\($0): \($1)" } + Self.own)
    }

    @Test(arguments: [
        "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE", "Trailer", "Upgrade",
        "Expect", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "x-forwarded-proto",
        "X-Forwarded-Prefix", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
        "X-HTTP-Method", "X-Method-Override", "X-Host", "X-Original-Host", "X-Real-IP",
        "X-Forwarded", "X_Forwarded_Host", "X-Forwarded_Host", "X_HTTP_Method_Override",
    ])
    func isDropped(_ name: String) throws {
        let value = name == "Expect" ? "100-continue" : "evil"
        #expect(try lines([(name, value)]) == Self.own)
    }

    @Test(arguments: [
        "X_Api_Key", "X-Api_Key", "Content_Type", "Accept_Encoding", "X_Tenant", "If_None_Match",
        "Cache_Control", "Transfer_Encoding", "Content_Length", "X_Real_IP",
    ])
    func disguisesAreDropped(_ name: String) throws {
        #expect(try lines([(name, "evil")], conditions: true, directives: true) == Self.own)
    }

    @Test func otherUnderscoresPass() throws {
        #expect(try lines([("X_Kind", "1")]) == ["X_Kind: 1"] + Self.own)
    }

    @Test func framingIsDropped() throws {
        #expect(try lines([("Content-Length", "5")]) == Self.own)
        #expect(try lines([("Transfer-Encoding", "chunked")]) == Self.own)
    }

    @Test func connectionNamedFieldsAreDropped() throws {
        let fields = [("X-A", "1"), ("Connection", "close, x-a , X-B"), ("x-b", "2"), ("X-C", "3")]
        #expect(try lines(fields) == ["X-C: 3"] + Self.own)
    }

    @Test(arguments: [
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Range",
    ])
    func conditions(_ name: String) throws {
        #expect(try lines([(name, "x")]) == Self.own)
        #expect(try lines([(name, "x")], conditions: true) == ["\(name): x"] + Self.own)
    }

    @Test(arguments: ["Cache-Control", "Pragma"])
    func directives(_ name: String) throws {
        #expect(try lines([(name, "x")], conditions: true) == Self.own)
        #expect(try lines([(name, "x")], directives: true) == ["\(name): x"] + Self.own)
    }

    @Test func ordinaryUnderscoreStays() throws {
        #expect(try lines([("My_Field", "x")]) == ["My_Field: x"] + Self.own)
    }

    @Test func unknownAddressAndHostAreNotMadeUp() throws {
        #expect(
            try lines([], version: .http1_0, host: nil, address: nil)
                == ["X-Forwarded-Proto: http", "Via: 1.0 larder"])
    }
}
