import CacheTestKit
import Glibc
import Testing

/// Answers of 20 MiB through the built binary: byte for byte, whatever happens on their way.
@Suite(.drivesProcesses)
struct LargeAnswerTests {
    private static let size = 20 << 20
    private static let body = largeBody("/a", size)

    private func origin(
        _ stand: Stand, _ framing: ScriptedAnswer.Framing = .length,
        _ change: (ScriptedAnswer) -> ScriptedAnswer = { $0 }
    ) {
        let answer = ScriptedAnswer(200, fresh(), body: Self.body, framing: framing)
        stand.origin.on("/a", change(answer), answer)
    }

    /// Waits until no chunk is in the file but those of visible bodies.
    private func waitForSweep(_ stand: Stand) async throws {
        try await eventually("what nobody names is swept") {
            try stand.sqlite("SELECT count(*) FROM bodies WHERE state <> 1") == "0"
        }
        let strays = "SELECT count(*) FROM chunks WHERE body_id NOT IN (SELECT id FROM bodies)"
        #expect(try stand.sqlite(strays) == "0")
    }

    @Test(arguments: [nil, 65_536])
    func aMissAHitAndAHitAfterARestart(chunkSize: Int?) async throws {
        try await withStand { stand in
            origin(stand, chunkSize.map { .chunked($0) } ?? .length)
            let miss = try stand.get("/a")
            #expect(miss.cacheStatus.contains("stored"))
            expectBody(miss, Self.body)
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            expectBody(hit, Self.body)
            #expect(hit.fields["Content-Length"] == "\(Self.size)")
            #expect(try stand.stop() == .code(0))
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
            try stand.start()
            for _ in 1...2 {
                let again = try stand.get("/a")
                #expect(again.isHit)
                expectBody(again, Self.body)
            }
            let head = try stand.exchange("HEAD", "/a")
            #expect(head.isHit && head.fields["Content-Length"] == "\(Self.size)")
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func aKillInTheMiddleLeavesNothing() async throws {
        try await withStand { stand in
            let gate = Gate()
            origin(stand) { $0.held(after: 15 << 20, by: gate) }
            let client = try stand.client()
            try client.send("GET", "/a")
            _ = try client.readPart(atLeast: 14 << 20)
            try await eventually("chunks are in the file") {
                try stand.sqlite("SELECT count(*) > 20 FROM chunks") == "1"
            }
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
            try stand.larder.process.kill()
            gate.open()
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
            try stand.start()
            try await waitForSweep(stand)
            #expect(try stand.sqlite("SELECT count(*) FROM chunks") == "0")
            let answer = try stand.get("/a")
            #expect(!answer.isHit)
            expectBody(answer, Self.body)
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            expectBody(hit, Self.body)
        }
    }

    @Test(arguments: [nil, 65_536])
    func whatTheOriginCutsIsNotStored(chunkSize: Int?) async throws {
        try await withStand { stand in
            origin(stand, chunkSize.map { .chunked($0) } ?? .length) { answer in
                var answer = answer
                answer.ending = .cut(after: 12 << 20)
                return answer
            }
            let client = try stand.client()
            try client.send("GET", "/a")
            do {
                _ = try client.readAnswer()
                Issue.record("it looks whole")
            } catch RawClient.Failure.cut(let partial, _) {
                let got = partial?.body ?? []
                expectPrefix(got, Self.body)
            }
            try await waitForSweep(stand)
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
            let answer = try stand.get("/a")
            #expect(answer.xCache == "MISS")
            expectBody(answer, Self.body)
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test(arguments: [nil, 65_536])
    func whatIsOverTheLimitPassesThrough(chunkSize: Int?) async throws {
        try await withStand(["--max-object", "10MB"]) { stand in
            origin(stand, chunkSize.map { .chunked($0) } ?? .length)
            for number in 1...2 {
                let answer = try stand.get("/a")
                #expect(!answer.isHit)
                expectBody(answer, Self.body)
                #expect(stand.origin.count("/a") == number)
            }
            try await waitForSweep(stand)
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
        }
    }

    @Test func whoLeavesInTheMiddleLeavesAHit() async throws {
        try await withStand { stand in
            let gate = Gate()
            origin(stand) { $0.held(after: 5 << 20, by: gate) }
            let client = try stand.client()
            try client.send("GET", "/a")
            _ = try client.readPart(atLeast: 4 << 20)
            client.close()
            gate.open()
            try await stand.waitForEntries(1)
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            expectBody(hit, Self.body)
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func anInvalidationMeanwhileKeepsItOut() async throws {
        try await withStand { stand in
            let gate = Gate()
            let answer = ScriptedAnswer(200, fresh(), body: Self.body)
            stand.origin.on("/a") { request in
                request.method == "POST" ? .text("done") : answer.held(after: 5 << 20, by: gate)
            }
            let client = try stand.client()
            try client.send("GET", "/a")
            _ = try client.readPart(atLeast: 4 << 20)
            #expect(try stand.post("/a", "change").status == 200)
            gate.open()
            expectBody(try client.readAnswer(), Self.body)
            try await waitForSweep(stand)
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
            #expect(try stand.get("/a").xCache == "MISS")
        }
    }
}
