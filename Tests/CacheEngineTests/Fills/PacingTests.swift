import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine

/// Clients that hold the origin back, and how long they may.
@Suite struct PacingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]
    private static let part = 40 << 10

    /// An answer that outgrows what is stored, so that it is shared but kept nowhere.
    private func outgrow(_ bench: Bench, _ exchange: FakeExchange) async throws {
        try await exchange.head(Self.lasting)
        try await exchange.body(placed(0..<200))
    }

    private func quickly(_ configuration: inout EngineConfiguration) {
        configuration.maxObjectBytes = 100
        configuration.fillTimeouts.slowReader = .milliseconds(100)
    }

    @Test(arguments: [true, false])
    func theSlowestOfSeveralIsCutAndTheOthersGoOn(slowIsLeader: Bool) async throws {
        try await Bench.run(quickly) { bench in
            let first = try await bench.ask(pausesAtOnce: slowIsLeader)
            let second = try await bench.ask(pausesAtOnce: !slowIsLeader, on: Bench.loops[1])
            let (slow, fast) = slowIsLeader ? (first, second) : (second, first)
            let exchange = try await bench.origin.exchange(0)
            try await outgrow(bench, exchange)
            try await eventually("both have the head") { slow.status != nil && fast.status != nil }
            let size = 10 * Self.part
            // It goes on by itself: nobody waits for the slow one longer than he may.
            try await exchange.body(placed: 200..<size, part: Self.part)
            try await exchange.end()
            try await bench.finish([slow, fast])
            #expect(fast.text == placed(0..<size))
            #expect(slow.failure == .tooSlow && slow.text.isEmpty)
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func oneAloneIsWaitedFor() async throws {
        try await Bench.run(quickly) { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            let exchange = try await bench.origin.exchange(0)
            try await outgrow(bench, exchange)
            try await exchange.body(placed(200..<2 * Self.part))
            #expect(exchange.isPaused)
            let isLater = Flag()
            bench.loop.scheduleTask(in: .milliseconds(250)) { isLater.raise() }
            try await eventually("it could have been cut twice") { isLater.isRaised }
            #expect(!client.isOver)
            try await bench.control(client) { $0.resume() }
            #expect(!exchange.isPaused)
            try await exchange.end()
            #expect(client.text == placed(0..<2 * Self.part))
        }
    }

    @Test func whenTheSlowOneLeavesTheOriginGoesOn() async throws {
        try await Bench.run({ $0.maxObjectBytes = 100 }) { bench in
            let fast = try await bench.ask()
            let slow = try await bench.ask(pausesAtOnce: true, on: Bench.loops[1])
            let exchange = try await bench.origin.exchange(0)
            try await outgrow(bench, exchange)
            try await eventually("both have the head") { slow.status != nil }
            try await exchange.body(placed(200..<2 * Self.part))
            #expect(exchange.isPaused)
            try await bench.leave(slow)
            try await eventually("it is read again") { !exchange.isPaused }
            try await exchange.end()
            try await bench.finish(fast)
            #expect(fast.text == placed(0..<2 * Self.part))
        }
    }

    @Test func whatOutgrowsTheLimitIsNotWaitedForAgain() async throws {
        try await Bench.run({ $0.maxObjectBytes = 100 }) { bench in
            let first = try await bench.crowd(3)
            let exchange = try await bench.origin.exchange(0)
            try await outgrow(bench, exchange)
            let second = try await bench.crowd(2)
            try await bench.expectRequests(3)
            try await exchange.end()
            try await bench.answer(1..<3, Self.lasting)
            try await bench.finish(first + second)
            #expect(first.allSatisfy { $0.text == placed(0..<200) })
        }
    }

    @Test func whereMemoryIsShortTheOriginIsNotRead() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "no-store"])
            let held = bench.engine.budget.limit
            bench.engine.budget.charge(held)
            try await exchange.body("one ")
            #expect(exchange.isPaused)
            bench.engine.budget.release(held)
            try await eventually("it is read again") { !exchange.isPaused }
            try await bench.control(client) { $0.resume() }
            try await exchange.body("two")
            try await exchange.end()
            #expect(client.text == "one two")
        }
    }
}
