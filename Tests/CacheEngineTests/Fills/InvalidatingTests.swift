import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// What an invalidation makes of stored, pending and coming answers, in every order.
@Suite struct InvalidatingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]

    @Test func whatIsStoredIsGone() async throws {
        try await Bench.run { bench in
            try await bench.fetch()
            try await bench.settle()
            bench.invalidate("/a")
            let client = try await bench.fetch(body: "new")
            #expect(client.text == "new")
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
            #expect(bench.store.state.withLock { $0.invalidated.count } == 1)
        }
    }

    @Test func whatIsPendingIsGone() async throws {
        try await Bench.run { bench in
            bench.store.hold()
            try await bench.fetch()
            bench.invalidate("/a")
            let client = try await bench.fetch(body: "new")
            #expect(client.text == "new")
            let hit = try await bench.ask()
            #expect(hit.text == "new")
            bench.store.release()
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
        }
    }

    @Test func otherURIsStay() async throws {
        try await Bench.run { bench in
            try await bench.fetch()
            bench.invalidate("/b")
            #expect(try await bench.ask().status?.result == .hit)
        }
    }

    @Test func whatIsOnItsWayIsDeliveredAndNotStored() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting, framing: .length(4))
            bench.invalidate("/a")
            try await exchange.body("body")
            try await exchange.end()
            #expect(client.text == "body")
            #expect(client.heard.last == .end)
            #expect(bench.engine.memory.count == 0)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func beforeItsHeadItSaysThatItIsNotStored() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            bench.invalidate("/a")
            try await exchange.answer(Self.lasting)
            #expect(client.text == "body")
            #expect(client.status?.isStored == false)
            #expect(client.status?.detail == "invalidated")
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func a304ThatComesLaterFreshensNothing() async throws {
        try await Bench.run { bench in
            try await bench.fetch([.cacheControl: "max-age=60", .eTag: "\"1\""])
            bench.clock.advance(61)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            bench.invalidate("/a")
            try await exchange.answer(.notModified, Self.lasting, body: "")
            #expect(client.text == "body")
            #expect(client.status?.isStored == false)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
            let next = try await bench.fetch(body: "new")
            #expect(next.text == "new")
        }
    }

    @Test func anOldFillDoesNotDeleteWhatCameAfterTheInvalidation() async throws {
        try await Bench.run { bench in
            try await bench.fetch([.cacheControl: "max-age=60", .eTag: "\"1\""])
            try await bench.settle()
            bench.clock.advance(61)
            let old = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            bench.invalidate("/a")
            try await bench.fetch(body: "new")
            try await exchange.answer(Self.lasting, body: "old")
            #expect(old.text == "old")
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
            #expect(try await bench.ask().text == "new")
        }
    }

    @Test func aPendingInvalidationHidesTheRow() async throws {
        try await Bench.run { bench in
            try await bench.fetch()
            try await bench.settle()
            bench.store.hold()
            bench.invalidate("/a")
            let finds = bench.store.finds
            let client = try await bench.fetch(body: "new")
            #expect(client.text == "new")
            #expect(bench.store.finds == finds, "the file has nothing to say")
            #expect(bench.store.rows.map { $0.text } == ["body"])
        }
    }

    /// The row is read, then its URI is invalidated, then the reader comes back.
    @Test(arguments: [false, true])
    func aRowThatWasReadBeforeIsNotAnswered(isCommitted: Bool) async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        try await Bench.run(store: store) { bench in
            store.state.withLock {
                $0.afterFind = {
                    bench.invalidate("/a")
                    while isCommitted && !bench.engine.writes.isEmpty {}
                }
            }
            let client = try await bench.ask()
            try await bench.origin.exchange(0).answer(Self.lasting, body: "new")
            try await bench.finish(client)
            #expect(client.text == "new")
        }
    }

    /// The row is read, a newer answer takes its place, then the reader comes back.
    @Test(arguments: [false, true])
    func aRowThatWasReadBeforeDoesNotReplaceTheNewer(isCommitted: Bool) async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        try await Bench.run(store: store) { bench in
            let identity = try Ask().fillRequest().identity
            var entry = try #require(store.rows.first)
            #expect(entry.identity == identity)
            entry.body = .whole(ByteBuffer(string: "newer"))
            let newer = bench.engine.makeResponse(
                entry, generation: 0, groupStamp: .max, epoch: bench.engine.currentEpoch)
            store.state.withLock {
                $0.afterFind = {
                    _ = bench.engine.store(newer, isFreshen: false, replacesRow: true)
                    while isCommitted && !bench.engine.writes.isEmpty {}
                }
            }
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.text == "newer")
            #expect(try bench.inMemory() === newer)
        }
    }

    @Test func aRowThatIsAboutToBeReplacedIsNotAnswered() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        try await Bench.run(store: store, { $0.memoryBudget = 0 }) { bench in
            var entry = try #require(store.rows.first)
            entry.body = .whole(ByteBuffer(string: "newer"))
            let newer = bench.engine.makeResponse(entry, generation: 0, groupStamp: .max, epoch: 0)
            store.hold()
            store.state.withLock {
                $0.afterFind = {
                    _ = bench.engine.store(newer, isFreshen: false, replacesRow: true)
                }
            }
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.text == "newer")
        }
    }

    @Test(arguments: [false, true])
    func aRowThatIsDeletedMeanwhileIsNotAnswered(isCommitted: Bool) async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        try await Bench.run(store: store) { bench in
            let entry = try #require(store.rows.first)
            let old = bench.engine.makeResponse(entry, generation: 0, groupStamp: .max, epoch: 0)
            if !isCommitted { store.hold() }
            store.state.withLock {
                $0.afterFind = {
                    bench.engine.discard(old)
                    while isCommitted && !bench.engine.writes.isEmpty {}
                }
            }
            let client = try await bench.ask()
            try await bench.origin.exchange(0).answer(Self.lasting, body: "new")
            try await bench.finish(client)
            #expect(client.text == "new")
        }
    }
}
