import HTTPCaching
import HTTPTypes
import Synchronization
import Testing

@testable import CacheEngine

/// A client that leaves, in every phase of its answer.
///
/// That it hears nothing afterwards, and that nothing of its fill stays behind, `Bench.run` checks.
@Suite struct LeavingTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]

    @Test func beforeTheHeadTheFillGoesOnAndStores() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await bench.leave(client)
            #expect(!exchange.isCancelled)
            try await exchange.answer(Self.lasting)
            #expect(client.heard == [])
            #expect(try await bench.ask().text == "body")
        }
    }

    @Test func inTheBodyTheFillGoesOnAndStores() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting, framing: .length(4))
            try await exchange.body("bo")
            try await bench.leave(client)
            try await exchange.body("dy")
            try await exchange.end()
            #expect(client.heard.count == 2)
            #expect(try await bench.ask().text == "body")
        }
    }

    @Test func whatIsNotStorableIsCancelledAtItsHead() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await bench.leave(client)
            try await exchange.head([.cacheControl: "no-store"])
            #expect(exchange.isCancelled)
        }
    }

    @Test func whatIsNotStorableIsCancelledInItsBody() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "no-store"])
            try await bench.leave(client)
            #expect(exchange.isCancelled)
        }
    }

    @Test func whatOutgrowsTheLimitIsCancelled() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(Self.lasting)
            try await bench.leave(client)
            try await exchange.body(String(repeating: "x", count: 65))
            #expect(exchange.isCancelled)
        }
    }

    @Test func whatIsForThisClientOnlyIsCancelledAtOnce() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask(Ask(isExclusive: true))
            let exchange = try await bench.origin.exchange(0)
            try await bench.leave(client)
            #expect(exchange.isCancelled)
        }
    }

    @Test func duringTheReadOfTheFileTheOriginIsNotAsked() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { bench in
            let isIn = Flag()
            let mayGoOn = Flag()
            store.state.withLock {
                $0.afterFind = {
                    isIn.raise()
                    mayGoOn.wait()
                }
            }
            let client = try await bench.ask()
            try await eventually("the reader is in the file") { isIn.isRaised }
            try await bench.leave(client)
            mayGoOn.raise()
            try await bench.fetch(Ask(target: "/b"))
            #expect(bench.origin.count == 1, "only for the other one")
        }
    }

    @Test(arguments: [HTTPFields(), lasting])
    func fromWithinTheCallThatBringsTheHead(fields: HTTPFields) async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            client.state.withLock { $0.leavesNext = true }
            try await exchange.answer(fields)
            #expect(client.heard.count == 1)
            #expect(exchange.isCancelled == fields.isEmpty)
            #expect(bench.engine.memory.count == (fields.isEmpty ? 0 : 1))
        }
    }

    @Test func afterItLeftAFailureIsForNobody() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await bench.leave(client)
            try await exchange.fail()
            #expect(client.heard == [])
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func aValidationGoesOnWithoutIts304() async throws {
        try await Bench.run { bench in
            let tagged: HTTPFields = [.cacheControl: "max-age=60", .eTag: "\"1\""]
            try await bench.fetch(tagged)
            bench.clock.advance(61)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            try await bench.leave(client)
            try await exchange.answer(.notModified, tagged, body: "")
            #expect(try await bench.ask().status?.result == .hit)
        }
    }
}
