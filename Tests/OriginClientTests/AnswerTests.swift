import CacheEngine
import HTTPTypes
import NIOCore
import Testing

@testable import OriginClient

@Suite("Answers of a real socket")
struct AnswerTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var method = HTTPRequest.Method.get
        let wire: String
        var status = 200
        let framing: OriginFraming
        var body = ""
        var informational: [Int] = []
        var trailers: [String] = []
        /// Whether a second request goes over the same connection.
        var isReused = true
        var testDescription: String { name }
    }

    static let rows = [
        Row(
            name: "length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            framing: .length(5), body: "hello"),
        Row(
            name: "no content", wire: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            framing: .length(0)),
        Row(
            name: "body of line breaks",
            wire: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
            framing: .length(4), body: "\r\n\r\n"),
        Row(
            name: "chunked",
            wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                + "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            framing: .chunked, body: "hello"),
        Row(
            name: "chunked with trailers",
            wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\nhi\r\n0\r\nX: y\r\nz:  1\r\n\r\n",
            framing: .chunked, body: "hi", trailers: ["X: y", "z: 1"]),
        Row(
            name: "HEAD", method: .head, wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            framing: .none),
        Row(
            name: "HEAD, chunked", method: .head,
            wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", framing: .none),
        Row(name: "204", wire: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, framing: .none),
        Row(
            name: "304", wire: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            status: 304, framing: .none),
        Row(
            name: "informational first",
            wire: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n"
                + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            framing: .length(2), body: "hi", informational: [102, 103, 199]),
        Row(
            name: "Connection: close",
            wire: "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi",
            framing: .length(2), body: "hi", isReused: false),
        Row(
            name: "HTTP/1.0", wire: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            framing: .length(2), body: "hi", isReused: false),
        Row(
            name: "HTTP/1.0 keep-alive",
            wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
            framing: .length(2), body: "hi"),
        Row(
            name: "line break behind the body",
            wire: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi\r\n", framing: .length(2),
            body: "hi", isReused: false),
        Row(
            name: "line break behind the last chunk",
            wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n",
            framing: .chunked, isReused: false),
        Row(
            name: "half a status line behind the body",
            wire: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 2", framing: .length(2),
            body: "hi", isReused: false),
        Row(
            name: "a second answer",
            wire: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
                + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
            framing: .length(2), body: "hi", isReused: false),
        Row(
            name: "204 with a body", wire: "HTTP/1.1 204 No Content\r\n\r\nevil", status: 204,
            framing: .none, isReused: false),
        Row(
            name: "HEAD with a body", method: .head,
            wire: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", framing: .none,
            isReused: false),
    ]

    @Test("come whole, in one write and byte by byte", arguments: rows, [false, true])
    func comesWhole(row: Row, isSliced: Bool) async throws {
        let origin = try await ScriptedOrigin { _ in
            isSliced ? row.wire.utf8.map { .bytes(ByteBuffer(bytes: [$0])) } : [.send(row.wire)]
        }
        let harness = try Harness(origin)
        for count in 1...2 {
            let seen = try await harness.answer(to: .make(row.method))
            #expect(seen.errors == [])
            #expect(seen.ends == 1)
            #expect(seen.early == 0)
            #expect(seen.head?.status.code == row.status)
            #expect(seen.framing == row.framing)
            #expect(String(decoding: seen.body, as: UTF8.self) == row.body)
            #expect(seen.informational == row.informational)
            #expect(seen.trailers == row.trailers)
            if !row.isReused { await eventually { origin.closedCount == count } }
        }
        #expect(origin.connectionCount == (row.isReused ? 1 : 2))
        await origin.stop()
    }

    @Test("close-delimited: complete at the end of the connection")
    func closeDelimited() async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send("HTTP/1.1 200 OK\r\nX: y\r\n\r\nhel"), .send("lo"), .close]
        }
        let seen = try await Harness(origin).answer()
        #expect(seen.framing == .closeDelimited)
        #expect(String(decoding: seen.body, as: UTF8.self) == "hello")
        #expect(seen.ends == 1)
        await origin.stop()
    }

    @Test("fields keep order, repetition and case; cookies are not joined; space is trimmed")
    func fields() async throws {
        let lines = ["X-b: 2", "Set-Cookie: a=1", "x-A:  \t1 ", "Set-Cookie: b=2", "X-b: ", "é: x"]
        let origin = try await ScriptedOrigin { _ in
            let head = lines.dropLast().map { "\($0)\r\n" }.joined()
            return [.send("HTTP/1.1 418 x\r\n\(head)Content-Length: 0\r\n\r\n")]
        }
        let fields = try #require(try await Harness(origin).answer().head?.headerFields)
        let shown = fields.map { "\($0.name.rawName): \($0.value)" }
        #expect(
            shown == [
                "X-b: 2", "Set-Cookie: a=1", "x-A: 1", "Set-Cookie: b=2", "X-b: ",
                "Content-Length: 0",
            ])
        await origin.stop()
    }

    @Test(
        "cut short: closed, never an end",
        arguments: [
            "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
            "HTTP/1.1 103 Early Hints\r\n\r\n",
        ], [false, true])
    func cutShort(wire: String, isReset: Bool) async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send(wire), isReset ? .reset : .close]
        }
        let seen = try await Harness(origin).answer()
        #expect(seen.errors == [.closed])
        #expect(seen.ends == 0)
        #expect(origin.connectionCount == 1)
        await origin.stop()
    }

    @Test("a reset is no end of a close-delimited answer")
    func resetCloseDelimited() async throws {
        let origin = try await ScriptedOrigin { _ in [.send("HTTP/1.1 200 OK\r\n\r\nhello")] }
        let running = try await Harness(origin).start(.get("/"))
        await eventually { running.recorder.seen.bodyBytes == 5 }
        try await origin.perform([.reset], on: 0)
        #expect(await running.recorder.over().errors == [.closed])
        #expect(running.recorder.seen.ends == 0)
        await origin.stop()
    }
}
