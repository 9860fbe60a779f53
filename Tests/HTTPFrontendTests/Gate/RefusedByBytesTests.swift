import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Refused requests by bytes: one answer, Connection: close, nothing forwarded")
struct RefusedByBytesTests {
    /// Name, status, bytes; `\r\n` spelled out where it is the point.
    static let cases: [(name: String, status: Int, bytes: String)] = [
        ("CL.TE", 400, content("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("TE.CL", 400, content("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")),
        ("empty TE and CL", 400, content("Transfer-Encoding: \r\nContent-Length: 3\r\n\r\nabc")),
        ("empty TE", 400, content("Transfer-Encoding:\r\n\r\n")),
        ("gzip, chunked", 400, content("Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")),
        (
            "x then chunked", 400,
            content("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        ),
        (",chunked", 400, content("Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n")),
        ("xchunked", 400, content("Transfer-Encoding: xchunked\r\n\r\n")),
        ("chunked, identity", 400, content("Transfer-Encoding: chunked, identity\r\n\r\n")),
        ("VT chunked", 400, content("Transfer-Encoding: \u{0B}chunked\r\n\r\n")),
        ("folded TE", 400, content("Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")),
        (
            "TE in 1.0", 400,
            "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        ("two CL", 400, content("Content-Length: 1\r\nContent-Length: 1\r\n\r\nx")),
        ("CL +5", 400, content("Content-Length: +5\r\n\r\nhello")),
        ("CL 0x5", 400, content("Content-Length: 0x5\r\n\r\nhello")),
        ("CL 5,5", 400, content("Content-Length: 5,5\r\n\r\nhello")),
        ("CL -0", 400, content("Content-Length: -0\r\n\r\n")),
        ("CL 010", 400, content("Content-Length: 010\r\n\r\nhellohello")),
        ("CL 2^63", 400, content("Content-Length: 9223372036854775808\r\n\r\n")),
        ("CL empty", 400, content("Content-Length: \r\n\r\n")),
        ("no Host", 400, "GET / HTTP/1.1\r\n\r\n"),
        ("two Hosts", 400, plain("Host: a\r\n\r\n")),
        ("two Hosts in 1.0", 400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("empty Host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        ("odd Host", 400, "GET / HTTP/1.1\r\nHost: a,b/@c#?\r\n\r\n"),
        ("user in Host", 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        ("port in Host", 400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
        ("asterisk", 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("fragment", 400, "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("escape", 400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("cut escape", 400, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("backslash", 400, "GET /\\a HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("braces", 400, "GET /{a} HTTP/1.1\r\nHost: a\r\n\r\n"),
        (
            "long target", 414,
            "GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1\r\nHost: a\r\n\r\n"
        ),
        ("other authority", 400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("other scheme", 421, "GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("unknown scheme", 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("CONNECT", 405, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("TRACE", 405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("PURGE", 405, "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("RTSP", 501, "DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"),
        ("ICE", 501, "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"),
        ("unknown method", 501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("lower case", 501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("version 2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        ("version 0.9", 505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"),
        ("named Host", 400, plain("Connection: host\r\n\r\n")),
        ("named Authorization", 400, plain("Connection: close, Authorization\r\n\r\n")),
        ("many fields", 431, plain(many("X: y", 100))),
        ("large field", 431, plain(many("X: " + String(repeating: "y", count: 33 << 10), 1))),
        ("large fields", 431, plain(many("X: " + String(repeating: "y", count: 1000), 33))),
        (
            "upgrade with content", 400,
            content("Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 1\r\n\r\nx")
        ),
        // The decoder takes it for a part of the version.
        ("bare LF", 505, "GET / HTTP/1.1\nHost: a\n\n"),
        ("bare CR", 400, plain("X: a\rb: c\r\n\r\n")),
        ("NUL", 400, plain("X: v\0\r\n\r\n")),
        ("obs-fold", 400, plain("X: a\r\n b\r\n\r\n")),
        ("space before colon", 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ("chunk size 0x1", 400, chunked("0x1\r\na\r\n0\r\n\r\n")),
        ("chunk size 0_2e", 400, chunked("0_2e\r\na\r\n0\r\n\r\n")),
        ("chunk size with space", 400, chunked(" 1\r\na\r\n0\r\n\r\n")),
        ("chunk size overflow", 400, chunked("10000000000000001\r\na\r\n0\r\n\r\n")),
        ("extension and LF", 400, chunked("5;\nhello\r\n0\r\n\r\n")),
        ("chunk ended by XX", 400, chunked("1\r\nAXX0\r\n\r\n")),
        ("chunk ended by LF", 400, chunked("5\r\nhello\n0\r\n\r\n")),
    ]

    private static func content(_ rest: String) -> String {
        "POST / HTTP/1.1\r\nHost: a\r\n" + rest
    }

    private static func plain(_ rest: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n" + rest }

    private static func many(_ line: String, _ count: Int) -> String {
        String(repeating: line + "\r\n", count: count) + "\r\n"
    }

    private static func chunked(_ content: String) -> String {
        "POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + content
    }

    @Test(arguments: cases)
    func isRefused(_ test: (name: String, status: Int, bytes: String)) async throws {
        try await Front.run { front in
            for bytes in [test.bytes, test.bytes + get("/smuggled")] {
                let client = try await front.connect()
                try await client.send(bytes)
                let answers = try await client.lastAnswers()
                #expect(answers.map(\.status) == [test.status])
                #expect(answers.allSatisfy { $0.closes && !$0.body.isEmpty })
            }
            let slow = try await front.connect()
            // By bytes where that is not too many of them.
            let step = max(1, test.bytes.utf8.count / 500)
            let bytes = [UInt8](test.bytes.utf8)
            try await slow.send(
                stride(from: 0, to: bytes.count, by: step).map {
                    Array(bytes[$0..<min($0 + step, bytes.count)])
                })
            #expect(try await slow.lastAnswers().map(\.status) == [test.status])
            #expect(front.origin.seen.isEmpty)
            #expect(front.store.entries.isEmpty)
            #expect(front.engine.memory.count == 0)
        }
    }

    /// Odd, but one meaning only.
    static let accepted: [(name: String, bytes: String)] = [
        ("1.0 without Host", "GET /a HTTP/1.0\r\n\r\n"),
        ("absolute-form", "GET http://A.example:80/a HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        ("trailing dot", "GET /a HTTP/1.1\r\nHost: a.example.\r\n\r\n"),
        ("empty port", "GET /a HTTP/1.1\r\nHost: a.example:\r\n\r\n"),
        ("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        ("other field", "GET /a HTTP/1.1\r\nHost: a.example\r\nTransfer_Encoding: chunked\r\n\r\n"),
        ("CHUNKED", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"),
        ("100 fields", "GET /a HTTP/1.1\r\nHost: a\r\n" + many("X: y", 99)),
        ("leading zeros", chunked("\(String(repeating: "0", count: 1000))1\r\nx\r\n0\r\n\r\n")),
        ("QUERY", "QUERY /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"),
    ]

    @Test(arguments: accepted)
    func isServed(_ test: (name: String, bytes: String)) async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send(test.bytes)
            #expect(try await client.answers(1).map(\.status) == [200])
            #expect(front.origin.seen.count == 1)
            #expect(front.origin.seen.first?.target.hasPrefix("http") == false)
        }
    }

    @Test(arguments: [
        ("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        ("GET /a HTTP/1.1\r\nHost: A.EXAMPLE:80\r\n\r\n", 200),
        ("GET http://a.example/a HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        ("GET http://a.example/a HTTP/1.0\r\n\r\n", 200),
        ("GET /a HTTP/1.1\r\nHost: b.example\r\n\r\n", 421),
        ("GET /a HTTP/1.1\r\nHost: a.example:8080\r\n\r\n", 421),
        ("GET http://169.254.169.254/ HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n", 421),
        ("GET /a HTTP/1.0\r\n\r\n", 421),
    ])
    func onlyNamedHostsAreServed(_ bytes: String, status: Int) async throws {
        try await Front.run(configure: { $0.hosts = ["a.example"] }) { front in
            let client = try await front.connect()
            try await client.send(bytes)
            #expect(try await client.answers(1).map(\.status) == [status])
            #expect(front.origin.seen.count == (status == 200 ? 1 : 0))
        }
    }
}
