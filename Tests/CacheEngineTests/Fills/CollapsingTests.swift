import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Many who ask the same get one request's answer, as it comes.
@Suite struct CollapsingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]

    @Test func manyMissesAreOneRequest() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(60)
            try await bench.expectRequests(1)
            try await bench.origin.exchange(0).answer(Self.lasting)
            try await bench.finish(clients)
            for client in clients {
                #expect(client.text == "body" && client.heard.last == .end)
                #expect(client.status?.result == .forwarded(.uriMiss))
                #expect(client.status?.isStored == true && client.status?.ttl == 60)
            }
            #expect(clients.map(\.isCollapsed) == [false] + Array(repeating: true, count: 59))
            #expect(bench.engine.counters.collapsed.current == 59)
            #expect(bench.store.finds <= 1, "the file was looked at once for all, if at all")
            #expect(try await bench.ask().status?.result == .hit)
        }
    }

    @Test func theFileIsReadOnceForAll() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        let isIn = Flag()
        let mayGoOn = Flag()
        store.state.withLock {
            $0.finds = 0
            $0.afterFind = {
                isIn.raise()
                mayGoOn.wait()
            }
        }
        try await Bench.run(store: store) { bench in
            let clients = try await bench.crowd(20)
            try await eventually("the reader is in the file") { isIn.isRaised }
            mayGoOn.raise()
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == "body" && $0.status?.result == .hit })
            #expect(store.finds == 1 && bench.origin.count == 0)
        }
    }

    @Test func theyStreamAsItComes() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(9)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body("one ")
            try await eventually("all have the first part") {
                clients.allSatisfy { $0.text == "one " }
            }
            let late = try await bench.crowd(3)
            try await eventually("also who came later") { late.allSatisfy { $0.text == "one " } }
            #expect((clients + late).allSatisfy { !$0.isOver })
            try await exchange.body("two")
            try await exchange.end()
            try await bench.finish(clients + late)
            #expect((clients + late).allSatisfy { $0.text == "one two" })
            #expect(late.allSatisfy(\.isCollapsed) && bench.origin.count == 1)
        }
    }

    @Test func aDeclaredPostCollapsesToo() async throws {
        try await Bench.run { bench in
            let ask = Ask(method: .post, policy: StoragePolicy(isDeclared: true))
            let clients = try await bench.crowd(9, ask)
            try await bench.expectRequests(1)
            try await bench.origin.exchange(0).answer([:])
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == "body" })
        }
    }

    @Test func othersAreNotMixedIn() async throws {
        try await Bench.run { bench in
            let first = try await bench.crowd(4, Ask(target: "/a"))
            let second = try await bench.crowd(4, Ask(target: "/b"))
            try await bench.expectRequests(2)
            try await bench.answer(0..<2, Self.lasting)
            try await bench.finish(first + second)
            #expect(first.allSatisfy { $0.text == "answer 0" })
            #expect(second.allSatisfy { $0.text == "answer 1" })
        }
    }

    // MARK: Leaving

    @Test(arguments: [false, true])
    func theLeadersClientLeavesAndTheFillGoesOn(hasHead: Bool) async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(6)
            let exchange = try await bench.origin.exchange(0)
            if hasHead {
                try await exchange.head(Self.lasting)
                try await exchange.body("bo")
            }
            try await bench.leave(clients[0])
            #expect(!exchange.isCancelled)
            if !hasHead {
                try await exchange.head(Self.lasting)
                try await exchange.body("bo")
            }
            try await exchange.body("dy")
            try await exchange.end()
            try await bench.finish(Array(clients.dropFirst()))
            #expect(clients.dropFirst().allSatisfy { $0.text == "body" })
            #expect(try await bench.ask().status?.result == .hit)
            #expect(bench.origin.count == 1)
        }
    }

    @Test func allLeaveAndTheNextIsAHit() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(6)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            for client in clients { try await bench.leave(client) }
            try await exchange.body("body")
            try await exchange.end()
            #expect(!exchange.isCancelled)
            #expect(try await bench.ask().text == "body")
            #expect(bench.origin.count == 1)
        }
    }

    // MARK: Neither join nor lead

    @Test(arguments: [
        Ask(cacheControl: ["no-cache"]), Ask(cacheControl: ["max-age=0"]), Ask(isExclusive: true),
        Ask(hasRange: true), Ask(method: .head), Ask(cacheControl: ["no-store"]),
    ])
    func whoWantsSomethingOfHisOwnGoesAlone(own: Ask) async throws {
        try await Bench.run { bench in
            let first = try await bench.ask()
            try await bench.expectRequests(1)
            let second = try await bench.ask(own, on: Bench.loops[1])
            try await bench.expectRequests(2)
            let third = try await bench.ask(own)
            try await bench.expectRequests(3)
            let fourth = try await bench.ask()
            try await bench.expectRequests(3)
            try await bench.answer(0..<3, Self.lasting)
            let clients = [first, second, third, fourth]
            try await bench.finish(clients)
            #expect(clients.map(\.text) == ["answer 0", "answer 1", "answer 2", "answer 0"])
            #expect(clients.map(\.isCollapsed) == [false, false, false, true])
        }
    }

    @Test func nobodyJoinsWhoGoesAlone() async throws {
        try await Bench.run { bench in
            let own = try await bench.ask(Ask(isExclusive: true))
            try await bench.expectRequests(1)
            let shared = try await bench.crowd(3)
            try await bench.expectRequests(2)
            try await bench.answer(0..<2, Self.lasting)
            try await bench.finish(shared + [own])
            #expect(shared.allSatisfy { $0.text == "answer 1" })
        }
    }

    // MARK: Bounds

    @Test func pastTheLimitOfReadersTheyGoAlone() async throws {
        try await Bench.run { bench in
            let limit = bench.engine.fills.limits.readersPerFill
            let clients = try await bench.crowd(limit + 5)
            try await bench.expectRequests(6)
            try await bench.answer(0..<6, Self.lasting)
            try await bench.finish(clients)
            // Who goes alone may be at the origin before who leads the others.
            let readers = Dictionary(grouping: clients, by: \.text).mapValues(\.count)
            #expect(readers.keys.sorted() == (0...5).map { "answer \($0)" })
            #expect(readers.values.sorted() == [1, 1, 1, 1, 1, limit])
        }
    }

    @Test func whereMemoryIsShortNobodyJoins() async throws {
        try await Bench.run { bench in
            let held = bench.engine.budget.limit / 8 * 7
            bench.engine.budget.charge(held)
            let clients = try await bench.crowd(3)
            try await bench.expectRequests(3)
            try await bench.answer(0..<3, Self.lasting)
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.status?.detail == "overload" && !$0.isCollapsed })
            #expect(bench.engine.memory.count == 0)
            bench.engine.budget.release(held)
            let others = try await bench.crowd(3)
            try await bench.expectRequests(4)
            try await bench.answer(3..<4, Self.lasting)
            try await bench.finish(others)
        }
    }
}
