import CacheTestKit
import Testing

/// Requests that the head gate or the decoder refuses: answered, closed, never forwarded.
@Suite(.drivesProcesses)
struct MalformedRequestTests {
    /// One request as bytes and the statuses that are right for it; none given means any 4xx, 501
    /// or 505.
    struct Row: Sendable {
        let raw: String
        let statuses: Set<Int>

        init(_ raw: String, _ statuses: Int...) {
            self.raw = raw
            self.statuses = Set(statuses)
        }
    }

    struct Group: Sendable, CustomTestStringConvertible {
        let name: String
        let rows: [Row]

        var testDescription: String { name }
    }

    @Test(arguments: framingGroups + headGroups)
    func isRefusedAndClosed(group: Group) async throws {
        // A chunk of nearly 2^64 bytes is not malformed, only never complete: 408.
        let flags = ["--cache-post", "/search", "--body-timeout", "2s"]
        try await withStand(flags) { stand in
            stand.origin.onOther { _ in .text("reached", fresh()) }
            for row in group.rows {
                let client = try stand.client()
                // The proxy may have answered and closed before the last byte is out.
                try? client.send(row.raw)
                expectRefusal(of: row, client)
            }
            // Whatever was sent, the next client is served, and only its request went through.
            #expect(try stand.get("/after").text == "reached")
            #expect(stand.origin.requests.map(\.target) == ["/after"])
            #expect(stand.origin.violations.isEmpty)
        }
    }

    private func expectRefusal(of row: Row, _ client: RawClient) {
        let shown = row.raw.prefix(200).debugDescription
        do {
            let answer = try client.readAnswer()
            if row.statuses.isEmpty {
                let isRefused =
                    (400..<500).contains(answer.status) || [501, 505].contains(answer.status)
                #expect(isRefused, "\(answer.status) to \(shown)")
            } else {
                #expect(row.statuses.contains(answer.status), "\(answer.status) to \(shown)")
            }
            #expect(!answer.text.contains("reached"), "\(shown)")
            #expect(answer.fields["Connection"]?.lowercased() == "close", "\(shown)")
            let rest = try client.readToEnd()
            #expect(rest.isEmpty, "more than one answer to \(shown)")
        } catch RawClient.Failure.cut(partial: nil, isReset: true) {
            // It closed while we were still sending: its answer went down with the reset.
        } catch {
            Issue.record("\(error) to \(shown)")
        }
    }

    @Test func wellFormedNeighboursPass() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.onOther { .text("\($0.body.count)") }
            let rows = [
                "GET /a HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /a HTTP/1.1\r\nhOsT: a:80\r\n\r\n",
                "GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
                "POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                "POST /search HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
                "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /a HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n",
                "GET /\(String(repeating: "a", count: 8_000)) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /a HTTP/1.1\r\nHost: a\r\n\(fields(90))\r\n",
            ]
            for row in rows {
                let client = try stand.client()
                try client.send(row)
                let answer = try client.readAnswer()
                #expect(answer.status == 200, "\(row.prefix(100).debugDescription)")
            }
            #expect(stand.origin.requests.count == rows.count)
        }
    }
}

/// So many short field lines.
private func fields(_ count: Int) -> String {
    (0..<count).map { "X-\($0): v\r\n" }.joined()
}

/// A POST to a declared route with these lines and what follows the head.
private func post(_ lines: String, _ rest: String = "") -> String {
    "POST /search HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\(rest)"
}

extension MalformedRequestTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    static let framingGroups = [
        Group(
            name: "Transfer-Encoding (G1)",
            rows: [
                Row(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400),
                Row(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), 400),
                Row(post("Transfer-Encoding: \r\nContent-Length: 3\r\n", "abc"), 400),
                Row(post("Transfer-Encoding:\r\n", smuggled), 400),
                Row(post("Transfer-Encoding: xchunked\r\n", smuggled), 400, 501),
                Row(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 400, 501),
                Row(post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"), 400, 501),
                Row(post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), 400, 501),
                Row(post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400, 501),
                Row(post("Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: \u{0B}chunked\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: \u{0C}chunked\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding: \u{A0}chunked\r\n", "0\r\n\r\n")),
                Row(post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
                Row(post("Transfer-\r\nEncoding: chunked\r\n", "0\r\n\r\n")),
                Row("POST /search HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ]),
        Group(
            name: "Content-Length (G2)",
            rows: [
                "+5", "0x5", "5 5", "5,5", "1_0", "-0", "-1", "010", "", "5;", "1.0", "\u{661}",
                "9223372036854775808", "18446744073709551621", "99999999999999999999999",
            ].map { Row(post("Content-Length: \($0)\r\n", "0123456789")) }
                + [
                    Row(post("Content-Length: 5\r\nContent-Length: 5\r\n", "01234")),
                    Row(post("Content-Length: 5\r\nContent-Length: 6\r\n", "012345")),
                    Row(post("Content-Length:\r\nContent-Length: 43\r\n", smuggled)),
                    Row(post("Content-Length : 5\r\n", "01234")),
                ]),
        Group(
            name: "chunks",
            rows: [
                "0_2e\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n", "+1\r\na\r\n",
                "-1\r\na\r\n", "10000000000000001\r\na\r\n", "FFFFFFFFFFFFFFED\r\na\r\n", "\r\n",
                "5;\nhello\r\n0\r\n\r\n", "2\r\r;a\r\n02\r\n41\r\n0\r\n\r\n",
                "1\r\nAXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
                "3\r\nabcd\r\n0\r\n\r\n", "1;a=\u{0}\r\nb\r\n0\r\n\r\n", "g\r\n",
                "0\r\nContent-Length: 5\n\r\n",
            ].map { Row(post("Transfer-Encoding: chunked\r\n", $0)) }),
        Group(
            name: "lines and bytes",
            rows: [
                Row("GET / HTTP/1.1\nHost: a\n\n"),
                Row("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb: c\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX: v\u{0}\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX: v\u{7}\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\n X: a\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n"),
                Row("GET / HTTP/1.1\r\nHost: a\r\nX\u{E9}: a\r\n\r\n"),
                Row("GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n"),
            ]),
    ]
}

extension MalformedRequestTests {
    private static func get(_ target: String) -> String {
        "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    static let headGroups = [
        Group(
            name: "Host (G3)",
            rows: [
                Row("GET / HTTP/1.1\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                Row("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
                Row("GET / HTTP/1.1\r\nHost: \u{E9}\r\n\r\n", 400),
            ]),
        Group(
            name: "target (G4)",
            rows: [
                Row(get("a")), Row(get("*")), Row(get("/a#b")), Row(get("/a\"b")),
                Row(get("/a<b")), Row(get("/a>b")), Row(get("/a\\b")), Row(get("/a^b")),
                Row(get("/a`b")), Row(get("/a{b")), Row(get("/a|b")), Row(get("/a}b")),
                Row(get("/%")), Row(get("/%4")), Row(get("/%zz")), Row(get("/a?%g0")),
                Row(get("ftp://a/b")), Row(get("?a")),
                Row(get("/" + String(repeating: "a", count: 8_300)), 414),
            ]),
        Group(
            name: "absolute-form, CONNECT, TRACE (G5)",
            rows: [
                Row(get("http://b/"), 400, 421), Row(get("http:///"), 400, 421),
                Row(get("http://user@a/"), 400, 421), Row(get("http://a:81/"), 400, 421),
                Row(
                    "GET http://169.254.169.254/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 400, 421),
                Row("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400, 405),
                Row("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ]),
        Group(
            name: "method and version (G6)",
            rows: [
                Row("FROB / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 405, 501),
                Row("get / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 405, 501),
                Row("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, 405, 501),
                Row("DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"),
                Row("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"),
                Row("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400, 505),
                Row("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400, 505),
                Row("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 400, 505),
                Row("GET / HTTP/11\r\nHost: a\r\n\r\n", 400, 505),
                Row("GET /\r\n\r\n"), Row("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                Row("\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n"),
            ]),
        Group(
            name: "size (G9)",
            rows: [
                Row("GET / HTTP/1.1\r\nHost: a\r\n\(fields(101))\r\n", 431),
                Row("GET / HTTP/1.1\r\nHost: a\r\n\(fields(400))\r\n", 400, 431),
                Row(
                    "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: 33_000))\r\n\r\n",
                    431),
                Row(
                    "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "n", count: 33_000)): v\r\n\r\n",
                    400, 431),
            ]),
    ]
}
