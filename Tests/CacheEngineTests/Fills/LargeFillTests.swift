import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Large bodies on their way: written in chunks while they arrive, read by clients of any speed.
@Suite struct LargeFillTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]
    private static let size = 40_000
    private static let text = placed(0..<size)

    @Test(arguments: [OriginFraming.length(Int64(size)), .chunked])
    func itIsStoredInChunksAndHit(framing: OriginFraming) async throws {
        try await Bench.run(smallChunks) { bench in
            let clients = try await bench.crowd(3)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting, framing: framing)
            try await exchange.body(placed: 0..<Self.size)
            try await exchange.end()
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == Self.text && $0.heard.last == .end })
            try await bench.settle()
            #expect(bench.storedChunks == 20)
            for _ in 0..<2 {
                let hit = try await bench.ask()
                try await bench.finish(hit)
                #expect(hit.text == Self.text && hit.status?.result == .hit)
            }
            try bench.forgetMemory()
            let durable = try await bench.ask()
            try await bench.finish(durable)
            #expect(durable.text == Self.text && durable.status?.result == .hit)
            #expect(bench.origin.count == 1)
        }
    }

    /// Around the multiples of a chunk and the limit of what is stored in one piece.
    @Test(arguments: [4_095, 4_096, 4_097, 6_143, 6_144, 6_145, 8_192])
    func everyLengthIsExact(size: Int) async throws {
        try await Bench.run(smallChunks) { bench in
            let text = placed(0..<size)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<size, part: 777)
            try await exchange.end()
            try await bench.finish(client)
            #expect(client.text == text)
            try await bench.settle()
            #expect(bench.storedChunks == (size > 4_096 ? (size + 2_047) / 2_048 : 0))
            if size > 4_096 { try bench.forgetMemory() }
            let hit = try await bench.ask()
            try await bench.finish(hit)
            #expect(hit.text == text && hit.status?.result == .hit)
        }
    }

    @Test func aSlowClientReadsRowsAndHoldsNobody() async throws {
        try await Bench.run(smallChunks) { bench in
            let slow = try await bench.ask(pausesAtOnce: true, on: Bench.loops[1])
            let fast = try await bench.ask(on: Bench.loops[2])
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<Self.size)
            try await eventually("the fast one has it all") {
                fast.text.utf8.count == Self.size
            }
            try await bench.settle()
            #expect(slow.text.isEmpty)
            let held = bench.engine.budget.used
            #expect(held < 12 << 10, "\(held) bytes of it are in memory")
            // Late, and behind the window too.
            let late = try await bench.ask(on: Bench.loops[1])
            try await eventually("the late one has it all") { late.text.utf8.count == Self.size }
            try await bench.control(slow) { $0.resume() }
            try await eventually("the slow one has it all") { slow.text.utf8.count == Self.size }
            try await exchange.end()
            try await bench.finish([slow, fast, late])
            #expect([slow, fast, late].allSatisfy { $0.text == Self.text })
        }
    }

    @Test func theEndComesAtOnceAlthoughTheWriterIsBehind() async throws {
        try await Bench.run(smallChunks) { bench in
            bench.store.hold()
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<14 << 10)
            try await exchange.body(placed(14 << 10..<Self.size))
            #expect(exchange.isPaused, "more than its share of the queue")
            try await exchange.end()
            try await bench.finish(client)
            #expect(client.text == Self.text)
            bench.store.release()
            try await eventually("it is stored") { bench.store.rows.count == 1 }
            #expect(bench.storedChunks == 20)
        }
    }

    @Test func whatIsQueuedIsReadableBeforeItsCommit() async throws {
        try await Bench.run(smallChunks) { bench in
            bench.store.hold()
            let text = placed(0..<12_000)
            try await bench.fetch(body: text)
            let hit = try await bench.ask()
            try await bench.finish(hit)
            #expect(hit.text == text && hit.status?.result == .hit)
            #expect(bench.storedChunks == 0)
        }
    }

    @Test func theOriginWaitsForTheWriter() async throws {
        try await Bench.run(smallChunks) { bench in
            bench.store.hold()
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            var sent = 0
            while !exchange.isPaused {
                try await exchange.body(placed(sent..<sent + 1_000))
                sent += 1_000
            }
            #expect(sent <= 18_000, "eight chunks and a bit")
            #expect(client.text.utf8.count == sent, "the client has what came")
            bench.store.release()
            try await exchange.body(placed: sent..<Self.size)
            try await exchange.end()
            try await bench.finish(client)
            #expect(client.text == Self.text && client.status?.isStored == true)
        }
    }

    @Test func aWriterThatDoesNotComeOnIsGivenUp() async throws {
        try await Bench.run({
            smallChunks(&$0)
            $0.fillTimeouts.storing = .milliseconds(100)
        }) { bench in
            bench.store.hold()
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<Self.size)
            try await exchange.end()
            try await bench.finish(client)
            #expect(client.text == Self.text)
            bench.store.release()
            try await bench.settle()
            #expect(bench.store.rows.isEmpty && bench.engine.memory.count == 0)
            try await eventually("what was written is swept") { bench.storedChunks == 0 }
        }
    }

    @Test(arguments: [0, 1, 3])
    func aFailedCommitEndsStoringOnly(number: Int) async throws {
        try await Bench.run(smallChunks) { bench in
            let slow = try await bench.ask(pausesAtOnce: true)
            let fast = try await bench.ask(on: Bench.loops[1])
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<number * 5_000)
            try await bench.settle()
            bench.store.state.withLock { $0.commitErrors = [.full] }
            try await exchange.body(placed: number * 5_000..<number * 5_000 + 6_000)
            try await eventually("storing is given up") {
                bench.store.state.withLock { !$0.orphans.isEmpty }
            }
            // The slow one reads rows of what was written and then the window.
            try await bench.control(slow) { $0.resume() }
            try await exchange.body(placed: number * 5_000 + 6_000..<Self.size)
            try await exchange.end()
            try await bench.finish([slow, fast])
            #expect(slow.text == Self.text && fast.text == Self.text)
            #expect(bench.engine.memory.count == 0)
            try await eventually("what was written is swept") { bench.storedChunks == 0 }
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func aCutLeavesNothing() async throws {
        try await Bench.run(smallChunks) { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting, framing: .length(Int64(Self.size)))
            try await exchange.body(placed: 0..<30_000)
            try await exchange.fail(.closed)
            try await bench.finish(client)
            #expect(client.text == placed(0..<30_000) && client.failure == .origin(.closed))
            #expect(bench.engine.memory.count == 0)
            try await eventually("what was written is swept") {
                bench.storedChunks == 0 && bench.engine.writes.isEmpty
            }
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func anInvalidationMeanwhileKeepsItOut() async throws {
        try await Bench.run(smallChunks) { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<20_000)
            bench.invalidate("/a")
            try await exchange.body(placed: 20_000..<Self.size)
            try await exchange.end()
            try await bench.finish(client)
            #expect(client.text == Self.text)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty && bench.engine.memory.count == 0)
            try await eventually("what was written is swept") { bench.storedChunks == 0 }
        }
    }

    @Test func whoLeavesInMidBodyLeavesAHit() async throws {
        try await Bench.run(smallChunks) { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body(placed: 0..<20_000)
            try await bench.leave(client)
            try await exchange.body(placed: 20_000..<Self.size)
            try await exchange.end()
            let hit = try await bench.ask()
            try await bench.finish(hit)
            #expect(hit.text == Self.text && hit.status?.result == .hit)
        }
    }
}
