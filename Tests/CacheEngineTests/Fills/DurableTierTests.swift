import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// The file that fails, is damaged, or is changed by others.
@Suite struct DurableTierTests {
    /// A store that holds the answer to `Ask()`.
    private func filledStore() async throws -> FakeStore {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        #expect(store.rows.count == 1)
        return store
    }

    private func makeForeignCommit(_ bench: Bench) async throws {
        let before = bench.engine.currentEpoch
        bench.store.state.withLock { $0.news = StoreNews(foreignCommit: true) }
        try await eventually("the foreign commit is noticed") {
            bench.engine.currentEpoch != before
        }
    }

    @Test func afterAForeignCommitMemoryIsConfirmedOnce() async throws {
        try await Bench.run(store: try await filledStore()) { bench in
            try await bench.finish(try await bench.ask())
            try await makeForeignCommit(bench)
            let finds = bench.store.finds
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.heard == [.stored("body", CacheStatus(result: .hit, ttl: 60))])
            #expect(bench.store.finds == finds + 1)
            _ = try await bench.ask()
            #expect(bench.store.finds == finds + 1, "confirmed")
        }
    }

    @Test func whatWasDeletedByHandIsGone() async throws {
        try await Bench.run(store: try await filledStore()) { bench in
            try await bench.finish(try await bench.ask())
            bench.store.state.withLock { $0.rows = [:] }
            try await makeForeignCommit(bench)
            let client = try await bench.fetch(body: "new")
            #expect(client.text == "new")
            #expect(client.status?.result == .forwarded(.uriMiss))
            #expect(try await bench.ask().text == "new")
        }
    }

    @Test func aDamagedRowIsAMissAndDeleted() async throws {
        let store = try await filledStore()
        store.state.withLock { $0.isDamaged = true }
        try await Bench.run(store: store) { bench in
            let client = try await bench.fetch([.cacheControl: "no-store"], body: "new")
            #expect(client.text == "new")
            #expect(client.status?.result == .forwarded(.miss))
            #expect(bench.engine.counters.damagedRows.current == 1)
            try await bench.settle()
            #expect(store.rows.isEmpty)
        }
    }

    @Test func aFailedReadIsAMiss() async throws {
        let store = try await filledStore()
        store.state.withLock { $0.findError = .busy }
        try await Bench.run(store: store) { bench in
            let client = try await bench.fetch(body: "new")
            #expect(client.text == "new")
            #expect(client.status?.result == .forwarded(.uriMiss))
            #expect(bench.engine.counters.failedReads.current == 1)
        }
    }

    @Test func afterAFailedReadAShedPutDeletesTheRowItWouldHaveReplaced() async throws {
        let store = try await filledStore()
        store.state.withLock { $0.findError = .busy }
        try await Bench.run(store: store, { $0.queue = WriteQueue.Limits(entries: 0) }) { bench in
            try await bench.fetch(body: "new")
            #expect(bench.engine.counters.shedPuts.current == 1)
            #expect(try await bench.ask().text == "new", "memory has it")
            try await bench.settle()
            #expect(store.rows.isEmpty)
        }
    }

    @Test func aShedPutOfANewAnswerDeletesNothing() async throws {
        try await Bench.run({ $0.queue = WriteQueue.Limits(entries: 0) }) { bench in
            try await bench.fetch()
            #expect(bench.engine.counters.shedPuts.current == 1)
            #expect(bench.engine.writes.isEmpty)
            #expect(bench.store.state.withLock { $0.tried.isEmpty })
        }
    }

    @Test func aShedPutThatReplacesAStaleRowDeletesIt() async throws {
        let store = try await filledStore()
        try await Bench.run(store: store, { $0.queue = WriteQueue.Limits(entries: 0) }) { bench in
            bench.clock.advance(61)
            try await bench.fetch(body: "new")
            try await bench.settle()
            #expect(store.rows.isEmpty)
        }
    }

    @Test func aFailedCommitLosesThePutAndServesOn() async throws {
        let store = FakeStore()
        store.state.withLock { $0.commitErrors = [.full] }
        try await Bench.run(store: store) { bench in
            try await bench.fetch()
            try await bench.settle()
            #expect(bench.engine.counters.failedPuts.current == 1)
            #expect(store.rows.isEmpty)
            #expect(try await bench.ask().status?.result == .hit)
        }
    }

    @Test func aClosedQueueStoresNothingAndServesOn() async throws {
        try await Bench.run { bench in
            bench.engine.writes.close()
            let client = try await bench.fetch()
            #expect(client.text == "body")
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func shutdownWritesWhatIsQueued() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { bench in
            for number in 0..<10 { try await bench.fetch(Ask(target: "/\(number)")) }
        }
        #expect(store.rows.count == 10)
        #expect(store.state.withLock { $0.isClosed })
    }

    // MARK: Without an origin

    @Test func onlyIfCachedTakesWhatTheFileHas() async throws {
        try await Bench.run(store: try await filledStore()) { bench in
            let cached = Ask(cacheControl: ["only-if-cached"])
            let found = try await bench.ask(cached)
            try await bench.finish(found)
            #expect(found.status?.result == .hit)
            let missing = try await bench.ask(
                Ask(target: "/b", cacheControl: ["only-if-cached"]))
            try await bench.finish(missing)
            #expect(missing.heard == [.failed(.onlyIfCached)])
            bench.clock.advance(61)
            try bench.forgetMemory()
            let stale = try await bench.ask(cached)
            try await bench.finish(stale)
            #expect(stale.heard == [.failed(.onlyIfCached)])
            #expect(bench.origin.count == 0)
        }
    }

    @Test func withoutAnOriginWhatIsStoredIsServed() async throws {
        try await Bench.run(store: try await filledStore(), hasOrigin: false) { bench in
            let found = try await bench.ask()
            try await bench.finish(found)
            #expect(found.status?.result == .hit)
            let missing = try await bench.ask(Ask(target: "/b"))
            try await bench.finish(missing)
            #expect(missing.heard == [.failed(.noOrigin)])
            let passed = try await bench.pass(Ask(method: .delete))
            try await bench.finish(passed)
            #expect(passed.heard == [.failed(.noOrigin)])
        }
    }
}
