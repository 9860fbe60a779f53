import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Fills that do not come on, that fail, or that are overtaken by an invalidation.
@Suite struct StallingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]

    // MARK: Failing

    @Test func aFailureBeforeTheHeadCostsOneMoreRequest() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(9)
            try await bench.origin.exchange(0).fail()
            try await bench.expectRequests(2)
            let late = try await bench.ask()
            try await bench.expectRequests(2)
            try await bench.origin.exchange(1).answer(Self.lasting)
            try await bench.finish(clients + [late])
            #expect((clients + [late]).allSatisfy { $0.text == "body" })
            #expect(bench.origin.started(1)?.request.isRetryable == false, "two at most, in all")
        }
    }

    @Test func afterTheSecondFailureAllFail() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(9)
            try await bench.origin.exchange(0).fail()
            try await bench.origin.exchange(1).fail(.malformed("junk"))
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.failure == .origin(.malformed("junk")) })
            try await bench.expectRequests(2)
            let next = try await bench.fetch()
            #expect(next.text == "body", "the next one begins anew")
        }
    }

    @Test func whatWasSentTwiceAlreadyIsNotSentAgain() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(4)
            let exchange = try await bench.origin.exchange(0)
            exchange.isSecond.store(true, ordering: .relaxed)
            try await exchange.fail()
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.failure == .origin(.closed) })
            try await bench.expectRequests(1)
        }
    }

    @Test(arguments: [
        OriginError.connectTimeout, .firstByteTimeout, .betweenBytesTimeout, .shuttingDown,
    ])
    func whoHasWaitedForATimeoutWaitsNoMore(error: OriginError) async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(4)
            try await bench.origin.exchange(0).fail(error)
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.failure == .origin(error) })
            try await bench.expectRequests(1)
        }
    }

    @Test func oneAloneFailsAtOnce() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            try await bench.origin.exchange(0).fail()
            try await bench.finish(client)
            #expect(client.heard == [.failed(.origin(.closed))])
            try await bench.expectRequests(1)
        }
    }

    @Test func whoWaitsIsServedAlthoughTheLeaderHasLeft() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(2)
            try await bench.leave(clients[0])
            try await bench.origin.exchange(0).fail()
            try await bench.expectRequests(2)
            try await bench.origin.exchange(1).answer(Self.lasting)
            try await bench.finish(clients[1])
            #expect(clients[1].text == "body")
        }
    }

    @Test func aFailureInMidBodyIsEverybodys() async throws {
        try await Bench.run { bench in
            let clients = try await bench.crowd(6)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting, framing: .length(4))
            try await exchange.body("bo")
            try await exchange.fail(.betweenBytesTimeout)
            try await bench.finish(clients)
            for client in clients {
                #expect(client.text == "bo")
                #expect(client.failure == .origin(.betweenBytesTimeout))
            }
            try await bench.expectRequests(1)
            #expect(bench.engine.memory.count == 0 && bench.engine.writes.isEmpty)
            #expect(try await bench.fetch().text == "body")
        }
    }

    @Test func allGetWhatIsStaleWhenTheOriginFails() async throws {
        try await Bench.run { bench in
            try await bench.fetch([.cacheControl: "max-age=60, stale-if-error=600"])
            bench.clock.advance(100)
            let clients = try await bench.crowd(6)
            try await bench.expectRequests(2)
            try await bench.origin.exchange(1).fail()
            try await bench.finish(clients)
            #expect(clients.allSatisfy { $0.text == "body" && $0.status?.result == .staleOnError })
            try await bench.expectRequests(2)
        }
    }

    // MARK: Stalling

    @Test func nobodyJoinsWhatIsQuiet() async throws {
        try await Bench.run { bench in
            let first = try await bench.crowd(2)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await exchange.body("bo")
            bench.clock.advance(5)
            let second = try await bench.ask(on: Bench.loops[1])
            try await bench.expectRequests(1)
            bench.clock.advance(1)
            let third = try await bench.ask(on: Bench.loops[1])
            try await bench.expectRequests(2)
            try await exchange.body("dy")
            let fourth = try await bench.ask(on: Bench.loops[1])
            try await bench.expectRequests(2)
            try await exchange.end()
            try await bench.origin.exchange(1).answer(Self.lasting, body: "own")
            let clients = first + [second, third, fourth]
            try await bench.finish(clients)
            #expect(clients.map(\.text) == ["body", "body", "body", "own", "body"])
        }
    }

    @Test func whoComesBetweenHeadAndBodyJoins() async throws {
        try await Bench.run { bench in
            let first = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            bench.clock.advance(5)
            let second = try await bench.crowd(3)
            try await bench.expectRequests(1)
            bench.clock.advance(1)
            let third = try await bench.ask()
            try await bench.expectRequests(2)
            try await bench.answer(1..<2, Self.lasting)
            try await exchange.body("body")
            try await exchange.end()
            try await bench.finish(second + [first, third])
            #expect((second + [first]).allSatisfy { $0.text == "body" })
            #expect(third.text == "answer 1")
        }
    }

    @Test func whoHasNoHeadGoesAloneAfterAWhile() async throws {
        try await Bench.run({ $0.collapseTimeout = .milliseconds(150) }) { bench in
            let clients = try await bench.crowd(4)
            try await bench.expectRequests(4)
            try await bench.answer(1..<4, Self.lasting)
            try await bench.finish(Array(clients.dropFirst()))
            #expect(clients.dropFirst().allSatisfy { !$0.isCollapsed })
            #expect(Set(clients.dropFirst().map(\.text)).count == 3)
            try await bench.answer(0..<1, Self.lasting)
            try await bench.finish(clients[0])
            #expect(clients[0].text == "answer 0", "the leader waits for its own")
        }
    }

    @Test func whoHasTheHeadStays() async throws {
        let wait = 150
        try await Bench.run({ $0.collapseTimeout = .milliseconds(Int64(wait)) }) { bench in
            // On a busy machine the head may come too late: then once more.
            for attempt in 0..<20 {
                let before = bench.origin.count
                let clients = try await bench.crowd(4, Ask(target: "/\(attempt)"))
                let exchange = try await bench.origin.exchange(before)
                try await exchange.head(Self.lasting)
                try await eventually("all have the head or have lost patience") {
                    clients.allSatisfy { $0.status != nil } || bench.origin.count > before + 1
                }
                if bench.origin.count == before + 1 {
                    let isLater = Flag()
                    bench.loop.scheduleTask(in: .milliseconds(Int64(2 * wait))) { isLater.raise() }
                    try await eventually("the time is over") { isLater.isRaised }
                    #expect(bench.origin.count == before + 1)
                }
                try await exchange.body("body")
                try await exchange.end()
                try await bench.answer(before + 1..<bench.origin.count, Self.lasting)
                try await bench.finish(clients)
                if bench.origin.count == before + 1 { return }
            }
        }
    }

    // MARK: Invalidating

    @Test(arguments: [false, true])
    func afterAnInvalidationNobodyJoins(hasHead: Bool) async throws {
        try await Bench.run { bench in
            let before = try await bench.crowd(3)
            let old = try await bench.origin.exchange(0)
            if hasHead {
                try await old.head(Self.lasting)
                try await eventually("all have it") { before.allSatisfy { $0.status != nil } }
            }
            bench.invalidate("/a")
            let after = try await bench.crowd(3)
            try await bench.expectRequests(2)
            if !hasHead { try await old.head(Self.lasting) }
            try await old.body("old")
            try await old.end()
            try await bench.origin.exchange(1).answer(Self.lasting, body: "new")
            try await bench.finish(before + after)
            #expect(before[0].text == "old")
            // Who had no head yet waits for the newer one, with the others.
            #expect(before.dropFirst().allSatisfy { $0.text == (hasHead ? "old" : "new") })
            #expect(after.allSatisfy { $0.text == "new" })
            try await bench.expectRequests(2)
            #expect(try await bench.ask().text == "new")
            try await bench.settle()
            #expect(bench.store.rows.map(\.text) == ["new"])
        }
    }
}
