import CacheEngine
import HTTPTypes
import Testing

@testable import OriginClient

@Suite("Answers that break HTTP")
struct MalformedAnswerTests {
    static let rows: [String] = [
        // Status line
        "HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 99 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 1000 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2x0 x\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1\r\n\r\n",
        "HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/11 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",
        "RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
        "ICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        " HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "220 mail.example ESMTP\r\n",
        "<html>hello</html>\n",
        // Informational
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nRTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100\r\n\r\nICE/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        String(repeating: "HTTP/1.1 103 Early Hints\r\n\r\n", count: 11)
            + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 11),
        // Length
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 2 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 00000000000000000002\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: x\r\n\r\n",
        // Transfer-Encoding
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // Fields
        "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX(: y\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u{0}b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\u{7}b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 300)
            + "Content-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 70_000) + "\r\n\r\n",
        "HTTP/1.1 200 " + String(repeating: "y", count: 400_000),
    ]

    @Test("fail as malformed and end the connection", arguments: rows)
    func malformed(wire: String) async throws {
        // The end of the connection is what a lenient reader would take for a good end.
        let origin = try await ScriptedOrigin { _ in [.send(wire), .close] }
        let seen = try await Harness(origin).answer()
        guard case .malformed? = seen.errors.first else {
            Issue.record("\(seen.errors), head \(String(describing: seen.head))")
            return
        }
        #expect(seen.errors.count == 1)
        #expect(seen.head == nil)
        #expect(seen.ends == 0)
        await eventually { origin.closedCount == 1 }
        #expect(origin.connectionCount == 1)
        await origin.stop()
    }

    @Test(
        "bad chunks fail behind the head",
        arguments: [
            "x\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
            "5\r\nhelloXX0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nhello", "-5\r\nhello\r\n0\r\n\r\n",
            "\r\nhello\r\n0\r\n\r\n", "5;\nhello\r\n0\r\n\r\n",
            "5;" + String(repeating: "x", count: 8_000_000),
        ])
    func badChunks(chunks: String) async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks), .close]
        }
        let seen = try await Harness(origin).answer()
        guard case .malformed? = seen.errors.first else {
            Issue.record("\(seen.errors)")
            return
        }
        #expect(seen.head?.status == .ok)
        #expect(seen.ends == 0)
        await origin.stop()
    }
}
