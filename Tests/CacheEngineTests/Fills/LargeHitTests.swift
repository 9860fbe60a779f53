import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Answers from chunk rows: read one by one, verified, and what happens when one is not there.
@Suite struct LargeHitTests {
    private static let size = 20_000
    private static let text = placed(0..<size)

    /// A store that holds a large answer to `Ask()`.
    private func filledStore() async throws -> FakeStore {
        let store = FakeStore()
        try await Bench.run(store: store, smallChunks) { bench in
            try await bench.fetch(body: Self.text)
            try await eventually("it is stored") { store.rows.count == 1 }
        }
        return store
    }

    @Test func itIsReadFromTheFileOnceForAll() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            let clients = try await bench.crowd(6)
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == Self.text && $0.status?.result == .hit })
            #expect(bench.origin.count == 0)
        }
    }

    @Test func onceReadItIsInMemory() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            try await bench.finish(try await bench.ask())
            bench.store.state.withLock { $0.areChunksMissing = true }
            let hit = try await bench.ask()
            #expect(hit.heard == [.stored(Self.text, CacheStatus(result: .hit, ttl: 60))])
        }
    }

    @Test func aMissingFirstChunkIsAMiss() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            bench.store.state.withLock { $0.areChunksMissing = true }
            let client = try await bench.ask()
            try await bench.origin.exchange(0).answer([.cacheControl: "max-age=60"], body: "new")
            try await bench.finish(client)
            #expect(client.text == "new" && client.status?.result == .forwarded(.miss))
            try await bench.settle()
            #expect(bench.store.rows.map(\.text) == ["new"])
        }
    }

    @Test func aMissingLaterChunkCutsTheAnswer() async throws {
        let store = try await filledStore()
        store.state.withLock { state in
            for body in state.chunks.keys { state.chunks[body]?[4] = nil }
        }
        try await Bench.run(store: store, smallChunks) { bench in
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.failure == .unreadable)
            #expect(client.text == placed(0..<4 * 2_048))
            try await bench.settle()
            #expect(store.rows.isEmpty, "it is not tried again")
            #expect(try await bench.fetch(body: "new").text == "new")
        }
    }

    /// Nobody knows whether a row is good that could not be read.
    @Test func anErrorOfTheFileCostsTheAnswerAndNotTheRow() async throws {
        let store = try await filledStore()
        try await Bench.run(store: store, smallChunks) { bench in
            store.state.withLock { $0.chunkErrors = [4: .busy] }
            let cut = try await bench.ask()
            try await bench.finish(cut)
            #expect(cut.failure == .unreadable && cut.text == placed(0..<4 * 2_048))
            store.state.withLock { $0.chunkErrors = [0: .busy] }
            let other = try await bench.ask()
            try await bench.origin.exchange(0).answer([.cacheControl: "no-store"], body: "once")
            try await bench.finish(other)
            #expect(other.text == "once" && other.status?.result == .forwarded(.miss))
            store.state.withLock { $0.chunkErrors = [:] }
            try await bench.settle()
            #expect(store.rows.count == 1)
        }
    }

    @Test func whatTookThePlaceOfALostBodyStays() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            try await bench.finish(try await bench.ask())
            let old = try #require(
                bench.engine.memory.responses(for: bench.store.rows[0].identity.primaryKey).first)
            let body = try #require(old.entry.body.chunks)
            try await bench.fetch(Ask(cacheControl: ["no-cache"]), body: "new")
            for isWritten in [false, true] {
                if isWritten { try await bench.settle() }
                bench.engine.discard(old, lostBody: body.id)
                try await bench.settle()
                #expect(bench.store.rows.map(\.text) == ["new"])
                #expect(try await bench.ask().text == "new")
            }
        }
    }

    @Test func aChunkOfAnotherLengthCutsTheAnswer() async throws {
        let store = try await filledStore()
        store.state.withLock { state in
            for body in state.chunks.keys { state.chunks[body]?[2] = ByteBuffer(string: "short") }
        }
        try await Bench.run(store: store, smallChunks) { bench in
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.failure == .unreadable && client.text == placed(0..<2 * 2_048))
        }
    }

    @Test func aPausedClientIsNotReadFor() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            try await eventually("the head is there") { client.status != nil }
            #expect(client.text.isEmpty)
            try await bench.control(client) { $0.resume() }
            try await bench.finish(client)
            #expect(client.text == Self.text)
        }
    }

    @Test func whoLeavesInTheMiddleHoldsNothing() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            try await eventually("the head is there") { client.status != nil }
            #expect(bench.engine.budget.used > 0)
            #expect(bench.store.bodies.contains { bench.engine.pins.contains($0) })
            try await bench.leave(client)
            #expect(bench.engine.budget.used == 0)
            #expect(!bench.store.bodies.contains { bench.engine.pins.contains($0) })
        }
    }

    @Test func whatIsReplacedMeanwhileIsReadToItsEnd() async throws {
        try await Bench.run(store: try await filledStore(), smallChunks) { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            try await eventually("the head is there") { client.status != nil }
            bench.invalidate("/a")
            let other = try await bench.fetch(body: "new")
            #expect(other.text == "new")
            try await bench.control(client) { $0.resume() }
            try await bench.finish(client)
            #expect(client.text == Self.text)
            #expect(try await bench.ask().text == "new")
        }
    }
}
