import CacheTestKit
import Testing

/// Many clients of the built binary that ask the same at the same time.
@Suite(.drivesProcesses)
struct CollapsingTests {
    private static let crowd = 200

    /// Sends one request on each of so many connections; what was sent before later requests on
    /// connections of their own has been read by the proxy when those are answered.
    private func ask(
        _ stand: Stand, _ method: String, _ target: String, body: [UInt8]? = nil
    ) throws -> [RawClient] {
        stand.origin.on("/probe", .text("probe", ["Cache-Control": "no-store"]))
        var clients: [RawClient] = []
        for _ in 0..<Self.crowd {
            let client = try stand.client()
            try client.send(method, target, body: body)
            clients.append(client)
        }
        for _ in 0..<8 { _ = try stand.get("/probe") }
        return clients
    }

    private func read(_ clients: [RawClient]) throws -> [RawAnswer] {
        try clients.map { try $0.readAnswer() }
    }

    @Test func aCrowdOnOneGetIsOneRequest() async throws {
        try await withStand { stand in
            let gate = Gate()
            let body = largeBody("/a", 50_000)
            stand.origin.on("/a", ScriptedAnswer(200, fresh(), body: body).held(by: gate))
            let clients = try ask(stand, "GET", "/a")
            gate.open()
            let answers = try read(clients)
            #expect(answers.allSatisfy { $0.status == 200 && $0.body == body })
            #expect(answers.contains { $0.cacheStatus.contains("collapsed") })
            #expect(stand.origin.count("/a") == 1)
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test func aCrowdOnOneDeclaredPostIsOneRequest() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            let gate = Gate()
            stand.origin.on("/search") { request in
                ScriptedAnswer(200, body: request.body + largeBody("/search", 5_000))
                    .held(by: gate)
            }
            let question = largeBody("question", 3_000)
            let clients = try ask(stand, "POST", "/search", body: question)
            gate.open()
            let answers = try read(clients)
            let body = question + largeBody("/search", 5_000)
            #expect(answers.allSatisfy { $0.status == 200 && $0.body == body })
            #expect(answers.contains { $0.cacheStatus.contains("collapsed") })
            #expect(stand.origin.count("/search") == 1)
        }
    }

    @Test func whatIsPrivateIsAskedForByEach() async throws {
        try await withStand { stand in
            let gate = Gate()
            stand.origin.on("/a") { request in
                .text("for \(request.fields["Cookie"] ?? "nobody")", ["Cache-Control": "private"])
                    .held(by: gate)
            }
            let clients = try (0..<20).map { number in
                let client = try stand.client()
                try client.send("GET", "/a", ["Cookie": "id=\(number)"])
                return client
            }
            gate.open()
            let answers = try read(clients)
            #expect(answers.map(\.text) == (0..<20).map { "for id=\($0)" })
            #expect(stand.origin.count("/a") == 20)
        }
    }

    @Test func anOriginThatDropsTheFirstIsAskedOnceMore() async throws {
        try await withStand { stand in
            let gate = Gate()
            var first = ScriptedAnswer.drop
            first.gate = gate
            stand.origin.on("/a", first, .text("second", fresh()))
            let clients = try ask(stand, "GET", "/a")
            gate.open()
            let answers = try read(clients)
            #expect(answers.allSatisfy { $0.status == 200 && $0.text == "second" })
            #expect(stand.origin.count("/a") == 2)
        }
    }

    @Test func theFirstBytesArriveBeforeTheOriginHasSentTheLast() async throws {
        try await withStand { stand in
            let gate = Gate()
            let body = largeBody("/a", 400_000)
            let answer = ScriptedAnswer(200, fresh(), body: body, framing: .chunked(10_000))
            stand.origin.on("/a", answer.held(after: 200_000, by: gate))
            let leader = try stand.client()
            try leader.send("GET", "/a")
            let early = try leader.readPart(atLeast: 150_000)
            expectPrefix(early.body, body)
            let follower = try stand.client()
            try follower.send("GET", "/a")
            let late = try follower.readPart(atLeast: 150_000)
            #expect(late.fields["Cache-Status"]?.contains("collapsed") == true)
            expectPrefix(late.body, body)
            gate.open()
            for client in [leader, follower] {
                let answer = try client.readAnswer()
                expectBody(answer, body)
            }
            #expect(stand.origin.count("/a") == 1)
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test func aClientThatDoesNotReadHoldsNobody() async throws {
        try await withStand { stand in
            let body = largeBody("/a", 20 << 20)
            stand.origin.on("/a", ScriptedAnswer(200, fresh(), body: body))
            let slow = try stand.client()
            try slow.send("GET", "/a")
            try await eventually("the slow one leads") { stand.origin.count("/a") == 1 }
            for _ in 1...2 {
                let answer = try stand.get("/a")
                expectBody(answer, body)
            }
            let answer = try slow.readAnswer()
            expectBody(answer, body)
            #expect(stand.origin.count("/a") == 1)
        }
    }
}
