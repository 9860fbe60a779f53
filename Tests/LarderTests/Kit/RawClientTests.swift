import CacheTestKit
import Testing

/// The client and the origin of these tests against each other.
@Suite(.drivesProcesses)
struct RawClientTests {
    private func withOrigin(_ body: (ScriptedOrigin, RawClient) async throws -> Void) async throws {
        let origin = try ScriptedOrigin()
        defer { origin.stop() }
        try await body(origin, RawClient(port: origin.port))
    }

    @Test func answersAndRequestsKeepTheirBytes() async throws {
        try await withOrigin { origin, client in
            let all = (0...255).map { UInt8($0) }
            origin.on("/a") { ScriptedAnswer(200, ["X-A": "1", "X-A": "2"], body: $0.body) }
            let plain = try client.exchange("POST", "/a?q", ["X-B": " b "], body: all)
            #expect(plain.status == 200)
            #expect(plain.fields.values("x-a") == ["1", "2"])
            #expect(plain.body == all)
            let pieces = try client.exchange("POST", "/a", body: all, chunkSize: 7)
            #expect(pieces.body == all)
            #expect(origin.requests.map(\.connection) == [1, 1])
            #expect(origin.requests("/a").map(\.target) == ["/a?q", "/a"])
            #expect(origin.requests.first?.fields["x-b"] == "b")
            #expect(origin.requests.last?.message.framing == .chunked)
            #expect(origin.violations.isEmpty)
        }
    }

    @Test func framings() async throws {
        try await withOrigin { origin, client in
            let body = Array("0123456789".utf8)
            origin.on("/chunked", ScriptedAnswer(body: body, framing: .chunked(3)))
            origin.on("/close", ScriptedAnswer(body: body, framing: .untilClose))
            origin.on("/none", ScriptedAnswer(204))
            #expect(try client.exchange("GET", "/none").framing == .none)
            let head = try client.exchange("HEAD", "/chunked")
            #expect(head.body.isEmpty)
            let chunked = try client.exchange("GET", "/chunked")
            #expect(chunked.framing == .chunked)
            #expect(chunked.body == body)
            let last = try client.exchange("GET", "/close")
            #expect(last.framing == .untilClose)
            #expect(last.body == body)
        }
    }

    @Test func interimAnswersAreNoted() async throws {
        try await withOrigin { origin, client in
            var answer = ScriptedAnswer.text("done")
            answer.before = Array("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".utf8)
            origin.on("/", answer)
            let got = try client.exchange("GET", "/")
            #expect(got.interim == [103])
            #expect(got.text == "done")
        }
    }

    @Test(arguments: [false, true])
    func cutsAreSeen(isReset: Bool) async throws {
        try await withOrigin { origin, client in
            let ending: ScriptedAnswer.Ending = isReset ? .reset(after: 4) : .cut(after: 4)
            origin.on("/", ScriptedAnswer(body: Array("0123456789".utf8), ending: ending))
            do {
                let answer = try client.exchange("GET", "/")
                Issue.record("a whole answer: \(answer)")
            } catch RawClient.Failure.cut(let partial, let wasReset) {
                #expect(partial?.body == Array("0123".utf8))
                #expect(wasReset == isReset)
            }
        }
    }

    @Test func gatesHoldAnswersAndOthersPass() async throws {
        try await withOrigin { origin, held in
            let gate = Gate()
            origin.on("/held", ScriptedAnswer.text("late").held(by: gate))
            origin.on("/free", .text("now"))
            try held.send("GET", "/held")
            try await eventually("the answer is held") { gate.waitingCount == 1 }
            #expect(try RawClient(port: origin.port).exchange("GET", "/free").text == "now")
            gate.open()
            #expect(try held.readAnswer().text == "late")
        }
    }

    @Test func moreClientsThanCoresWaitAtOnce() async throws {
        try await withOrigin { origin, _ in
            let gate = Gate()
            origin.on("/held", ScriptedAnswer.text("late").held(by: gate))
            let port = origin.port
            async let answers = concurrently(24) { _ in
                try RawClient(port: port).exchange("GET", "/held").text
            }
            try await eventually("all are held") { gate.waitingCount == 24 }
            gate.open()
            #expect(try await answers.allSatisfy { $0 == "late" })
        }
    }

    @Test func deadlinesEndWaiting() async throws {
        try await withOrigin { origin, client in
            origin.on("/", ScriptedAnswer.text("never").held(by: Gate()))
            client.limit = .milliseconds(200)
            #expect(throws: DeadlineError.self) { try client.exchange("GET", "/") }
        }
    }

    @Test func answersFollowOneAnother() async throws {
        try await withOrigin { origin, client in
            origin.on("/", .text("1"), .text("2"), .drop)
            let texts = try (1...2).map { _ in try client.exchange("GET", "/").text }
            #expect(texts == ["1", "2"])
            #expect(throws: RawClient.Failure.self) { try client.exchange("GET", "/") }
            #expect(origin.count("/") == 3)
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    ])
    func wrongHTTPIsRefused(raw: String) async throws {
        try await withOrigin { origin, client in
            origin.on("/", .raw(raw))
            #expect(throws: WireError.self) { try client.exchange("GET", "/") }
        }
    }

    @Test func aRequestThatIsCutIsNotedAndNotAnswered() async throws {
        try await withOrigin { origin, client in
            try client.send("POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123")
            client.finishSending()
            _ = try client.readToEnd()
            try await eventually("the cut is noted") { !origin.incomplete.isEmpty }
            #expect(origin.incomplete.first?.body == Array("123".utf8))
            #expect(origin.requests.isEmpty)
        }
    }
}
