import CacheTestKit
import Glibc
import Testing

/// kill -9 at random moments loses at most the newest puts, and nothing else.
@Suite(.drivesProcesses)
struct KillTests {
    private static let rounds = 5

    @Test func nothingIsTornAndWhatWasDurableStays() async throws {
        let given = getenv("LARDER_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0 ... .max)
        print("kill -9 under load: LARDER_TEST_SEED=\(seed)")
        var numbers = SeededGenerator(seed: seed)
        try await withStand(["--cache-post", "/load/*"]) { stand in
            Load.script(stand)
            var answered: [Int] = []
            var durable: Set<Int> = []
            for round in 1...Self.rounds {
                let load = Load(stand, firstNumber: round * 1_000_000)
                let count = Int.random(in: 20...300, using: &numbers)
                let pause = UInt32.random(in: 0...40_000, using: &numbers)
                let process = try stand.larder.process
                try await load.run(clients: 6, until: count) {
                    usleep(pause)
                    process.kill()
                }
                // Cut in the middle is what a kill does; wrong bytes it must not do.
                #expect(load.faults.allSatisfy { $0.hasPrefix("cut") }, "seed \(seed)")
                answered += load.notes.map(\.number)
                try stand.start()
                #expect(try stand.sqlite("PRAGMA integrity_check") == "ok", "seed \(seed)")
                let hits = try check(stand, answered, seed: seed)
                let lost = durable.subtracting(hits)
                #expect(lost.isEmpty, "durable answers are gone, seed \(seed)")
                durable = Set(hits)
            }
            #expect(!durable.isEmpty, "nothing was kept over \(Self.rounds) kills, seed \(seed)")
        }
    }

    /// Asks for each of them again, and gives those that were hits.
    private func check(_ stand: Stand, _ numbers: [Int], seed: UInt64) throws -> [Int] {
        let client = try stand.client()
        var hits: [Int] = []
        for number in numbers {
            let body = Load.body(number)
            let answer = try client.exchange("POST", Load.target(number), body: body)
            #expect(answer.status == 200)
            #expect(answer.body == Load.answer(body), "request \(number), seed \(seed)")
            if answer.isHit { hits.append(number) }
        }
        return hits
    }

    @Test func theFileIsReadableBetweenTheKillAndTheStart() async throws {
        try await withStand(["--cache-post", "/load/*"]) { stand in
            Load.script(stand)
            let load = Load(stand)
            let process = try stand.larder.process
            try await load.run(clients: 4, until: 50) { process.kill() }
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
            #expect(try stand.sqlite("SELECT count(*) > 0 FROM entries") == "1")
            try stand.start()
            _ = try check(stand, load.notes.map(\.number), seed: 0)
        }
    }
}
