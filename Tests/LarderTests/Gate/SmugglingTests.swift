import CacheTestKit
import Testing

/// A request inside a request is never a request of its own.
@Suite(.drivesProcesses)
struct SmugglingTests {
    private static let inner = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Sends bytes, ends the sending side and counts the answers.
    private func answers(_ stand: Stand, _ raw: String) throws -> [RawAnswer] {
        let client = try stand.client()
        try client.send(raw)
        client.finishSending()
        var answers: [RawAnswer] = []
        do {
            while answers.count < 10 { answers.append(try client.readAnswer()) }
        } catch RawClient.Failure.cut(partial: nil, _) {
            // The end of the connection between two answers.
        }
        return answers
    }

    @Test func aGetWithContentOnAHit() async throws {
        try await withStand { stand in
            stand.origin.on("/hot", .text("hot", fresh()))
            stand.origin.on("/smuggled", .text("smuggled", fresh()))
            let hot = "GET /hot HTTP/1.1\r\nHost: a\r\n"
            _ = try stand.get("/hot", ["Host": "a"])
            let fat = "\(hot)Content-Length: \(Self.inner.utf8.count)\r\n\r\n\(Self.inner)"
            let got = try answers(stand, fat + fat + hot + "\r\n")
            // It may close after the first; it must not answer what is inside.
            #expect((1...3).contains(got.count))
            #expect(got.allSatisfy { $0.status == 200 && $0.text == "hot" || $0.status == 400 })
            #expect(stand.origin.count("/smuggled") == 0)
        }
    }

    @Test func aGetWithChunkedContentOnAHit() async throws {
        try await withStand { stand in
            stand.origin.on("/hot", .text("hot", fresh()))
            _ = try stand.get("/hot", ["Host": "a"])
            let size = String(Self.inner.utf8.count, radix: 16)
            let fat =
                "GET /hot HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "\(size)\r\n\(Self.inner)\r\n0\r\n\r\n"
            let got = try answers(stand, fat + fat)
            #expect((1...2).contains(got.count))
            #expect(stand.origin.count("/smuggled") == 0)
        }
    }

    @Test func aRefusedRequestTakesItsContentWithIt() async throws {
        try await withStand(["--host", "a"]) { stand in
            stand.origin.onOther { _ in .text("x") }
            let refused = [
                "POST / HTTP/1.1\r\nHost: b\r\n", "TRACE / HTTP/1.1\r\nHost: a\r\n",
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n",
            ]
            for head in refused {
                let raw = "\(head)Content-Length: \(Self.inner.utf8.count)\r\n\r\n\(Self.inner)"
                let got = try answers(stand, raw)
                #expect(got.count == 1, "\(head.debugDescription)")
                #expect((got.first?.status ?? 0) >= 400)
            }
            #expect(stand.origin.requests.isEmpty)
        }
    }

    @Test func bytesAfterAnUpgradeRequestAreNothing() async throws {
        try await withStand { stand in
            stand.origin.onOther { _ in .text("x") }
            let raw = "GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
            let client = try stand.client()
            try client.send(raw + Self.inner)
            let answer = try client.readAnswer()
            #expect(answer.status == 200)
            #expect(try client.readToEnd().isEmpty)
            let seen = stand.origin.requests
            #expect(seen.map(\.target) == ["/a"])
            #expect(seen.allSatisfy { !$0.fields.contains("Upgrade") })
        }
    }

    @Test func aRequestWithoutLengthHasNoContent() async throws {
        try await withStand { stand in
            stand.origin.onOther { .text("\($0.body.count)") }
            let raw = "POST /a HTTP/1.1\r\nHost: a\r\n\r\n" + Self.inner
            let got = try answers(stand, raw)
            // The second is an honest pipelined request of the same client.
            #expect(got.map(\.text) == ["0", "0"])
            #expect(stand.origin.requests.map(\.method) == ["POST", "GET"])
        }
    }

    @Test func aCutRequestBodyIsNeverAWholeOne() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.onOther { _ in .text("x") }
            for path in ["/search", "/other"] {
                let bodies = [
                    "Content-Length: 10\r\n\r\n12345",
                    "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
                ]
                for body in bodies {
                    let client = try stand.client()
                    try client.send("POST \(path) HTTP/1.1\r\nHost: a\r\n\(body)")
                    client.finishSending()
                    _ = try? client.readToEnd()
                }
            }
            #expect(stand.origin.requests.isEmpty)
            #expect(try stand.post("/search", "12345").xCache == "MISS")
        }
    }
}
