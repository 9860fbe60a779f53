import CacheTestKit
import Testing

/// An origin that is away, slow, cut off or wrong.
@Suite(.drivesProcesses)
struct OriginFailureTests {
    /// An error that was made here: problem details that tell nothing of the inside.
    private func expectProblem(_ answer: RawAnswer, _ status: Int, _ stand: Stand) {
        #expect(answer.status == status)
        #expect((answer.fields["Content-Type"] ?? "").hasPrefix("application/problem+json"))
        #expect((answer.fields["Cache-Control"] ?? "").contains("no-store"))
        #expect(answer.text.contains("\(status)"))
        #expect(answer.fields["Proxy-Status"] != nil)
        let all = answer.text + answer.fields.description
        for word in ["NIO", "errno", "Error(", "Swift", ":\(stand.origin.port)", "ECONN"] {
            #expect(!all.contains(word), "\(word)")
        }
    }

    @Test func anOriginThatIsDown() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.stop()
            expectProblem(try stand.get("/a"), 502, stand)
            expectProblem(try stand.post("/search", "q"), 502, stand)
            expectProblem(try stand.post("/other", "q"), 502, stand)
            // The connection goes on.
            let client = try stand.client()
            for _ in 1...3 {
                #expect(try client.exchange("GET", "/a").status == 502)
            }
        }
    }

    @Test func anOriginThatIsDownLeavesHitsAlone() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            _ = try stand.get("/a")
            stand.origin.stop()
            #expect(try stand.get("/a").isHit)
            let other = try stand.get("/b")
            #expect(other.status == 502, "\(other)")
        }
    }

    @Test func anOriginThatIsTooSlow() async throws {
        try await withStand(["--first-byte-timeout", "300ms"]) { stand in
            let gate = Gate()
            stand.origin.on("/slow", ScriptedAnswer.text("late", fresh()).held(by: gate))
            expectProblem(try stand.get("/slow"), 504, stand)
            expectProblem(try stand.exchange("DELETE", "/slow"), 504, stand)
            gate.open()
            #expect(try stand.get("/slow").text == "late")
        }
    }

    @Test(arguments: [
        ScriptedAnswer.Ending.cut(after: 500), .reset(after: 500), .cut(after: 0),
    ])
    func anAnswerThatIsCutIsNotStored(ending: ScriptedAnswer.Ending) async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            let body = [UInt8](repeating: 65, count: 1_000)
            for framing in [ScriptedAnswer.Framing.length, .chunked(100)] {
                let cut = ScriptedAnswer(200, fresh(), body: body, framing: framing, ending: ending)
                let whole = ScriptedAnswer(200, fresh(), body: body, framing: framing)
                for (method, path) in [("GET", "/a"), ("POST", "/search")] {
                    let target = "\(path)?\(framing)"
                    let seen = stand.origin.count(path)
                    stand.origin.on(path, cut, whole)
                    expectCut {
                        try stand.exchange(method, target, body: method == "GET" ? nil : [1])
                    }
                    let second = try stand.exchange(
                        method, target, body: method == "GET" ? nil : [1])
                    #expect(second.xCache == "MISS")
                    #expect(second.body == body)
                    #expect(stand.origin.count(path) == seen + 2)
                }
            }
        }
    }

    /// The client must be able to tell that the answer is not whole.
    private func expectCut(_ exchange: () throws -> RawAnswer) {
        do {
            let answer = try exchange()
            #expect(answer.status == 502, "a cut answer was passed on as whole")
        } catch RawClient.Failure.cut {
            // As it should be.
        } catch {
            Issue.record(error)
        }
    }

    @Test func aCloseDelimitedAnswerWithoutALifetimeIsNotStored() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            let body = Array("0123456789".utf8)
            stand.origin.on("/search", ScriptedAnswer(body: body, framing: .untilClose))
            for _ in 1...2 {
                let answer = try stand.post("/search", "q")
                #expect(answer.body == body)
                #expect(!answer.isHit)
            }
        }
    }

    @Test func aKeptConnectionThatDiedIsTriedOnceMore() async throws {
        for method in ["GET", "HEAD", "QUERY", "POST"] {
            try await withStand(["--cache-post", "/search", "--threads", "1"]) { stand in
                let body: [UInt8]? = method == "QUERY" || method == "POST" ? [1] : nil
                let client = try stand.client()
                stand.origin.on("/search", .text("one"), .drop, .text("two"))
                _ = try client.exchange(method, "/search?1", body: body)
                let second = try client.exchange(method, "/search?2", body: body)
                #expect(second.status == 200, "\(method)")
                #expect(stand.origin.requests.map(\.connection) == [1, 1, 2])
            }
        }
    }

    @Test func anUnsafeRequestIsNeverSentTwice() async throws {
        try await withStand(["--threads", "1"]) { stand in
            let client = try stand.client()
            stand.origin.on("/order", .text("one"), .drop, .text("two"))
            #expect(try client.exchange("POST", "/order", body: [1]).status == 200)
            #expect(try client.exchange("POST", "/order", body: [1]).status == 502)
            #expect(stand.origin.count("/order") == 2)
        }
    }

    @Test func aFreshConnectionThatDiesIsNotTriedAgain() async throws {
        try await withStand { stand throws in
            stand.origin.on("/a", .drop)
            #expect(try stand.get("/a").status == 502)
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func bytesAfterAnAnswerAreNeverTheNextAnswer() async throws {
        try await withStand(["--threads", "1"]) { stand in
            var answer = ScriptedAnswer.text("good")
            answer.after = Array("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil".utf8)
            stand.origin.on("/a", answer)
            stand.origin.on("/b", .text("fine"))
            let client = try stand.client()
            for _ in 1...5 {
                _ = try? stand.get("/a")
                #expect(try client.exchange("GET", "/b").text == "fine")
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nabc",
        "HTTP/1.1 99 Odd\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 1000 Odd\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nX: a\rb\r\nContent-Length: 3\r\n\r\nabc",
        "this is not HTTP at all\r\n\r\n",
        "",
    ])
    func aWrongAnswerIsNotPassedOn(raw: String) async throws {
        try await withStand { stand throws in
            stand.origin.on("/a", .raw(raw), .text("right", fresh()))
            #expect(try stand.get("/a").status == 502)
            #expect(try stand.get("/a").text == "right")
        }
    }

    @Test func hintsArePassedOnAndNotStored() async throws {
        try await withStand { stand in
            var answer = ScriptedAnswer.text("x", fresh())
            answer.before = Array(
                "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                    .utf8)
            stand.origin.on("/a", answer)
            let miss = try stand.get("/a")
            #expect(miss.text == "x")
            #expect(!miss.interim.contains(100))
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.interim.isEmpty)
        }
    }
}
