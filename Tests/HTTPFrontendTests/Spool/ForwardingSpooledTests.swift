import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Spooled content on its way through, and memory for content")
struct ForwardingSpooledTests {
    private typealias Bytes = SpoolingByBytesTests

    private static func run(
        limit: Int = 64 << 20, budget: Int = 64 << 20, _ body: (Front) async throws -> Void
    ) async throws {
        try await Front.run(
            configure: {
                $0.memoryKeyBodyBytes = 10
                $0.maxKeyBodyBytes = limit
            }, configureEngine: { $0.inFlightBudget = budget }, body)
    }

    private static func isClean(_ front: Front) async throws {
        front.origin.forget()
        try await front.eventually("everything was given back") {
            front.spool.openFiles == 0 && front.engine.budget.used == 0
        }
    }

    /// A connection whose content outgrew its key, and an origin that has taken the first part.
    private static func outgrown(
        _ front: Front, _ body: [UInt8]
    ) async throws -> (Client, NIOLoopBound<ScriptedExchange>) {
        front.origin.reply { _ in .init(isManual: true, isReluctant: true) }
        let client = try await front.connect()
        try await client.send([Bytes.chunkedHead, Bytes.chunk(body[..<300_000])])
        try await front.eventually("the write") { front.spool.usedBytes == 300_000 }
        try await client.send([Bytes.chunk(body[300_000...])])
        let exchange = try await front.exchange()
        try await front.eventually("the first part") {
            try await front.withLoop { _ in exchange.value.received.readableBytes > 0 }
        }
        return (client, exchange)
    }

    @Test func aSlowOriginHoldsTheFileAndTheClient() async throws {
        try await Self.run(limit: 350_000) { front in
            let body = Bytes.content(400_000)
            let (client, exchange) = try await Self.outgrown(front, body)
            try await client.send([Bytes.lastChunk])
            await front.run()
            #expect(
                try await front.withLoop { _ in exchange.value.received.readableBytes } == 65_536)
            #expect(try await client.withSocket { $0.unreadBytes } == 5)
            // Nobody is to blame but the origin.
            await front.advance(100)
            #expect(!client.isCut)
            for _ in 1...20 {
                try await front.withLoop { _ in exchange.value.takeContentAgain(isReluctant: true) }
                try await front.eventually("a part") { true }
                await front.run()
            }
            try await front.eventually("all of it") {
                try await front.withLoop { _ in
                    exchange.value.takeContentAgain(isReluctant: true)
                    return exchange.value.isFinished
                }
            }
            let received = try await front.withLoop { _ in
                Array(exchange.value.received.readableBytesView)
            }
            #expect(received == body)
            try await front.withLoop { _ in exchange.value.play() }
            #expect(try await client.answers(1).map(\.status) == [200])
            try await Self.isClean(front)
        }
    }

    @Test func anEarlyAnswerEndsIt() async throws {
        try await Self.run(limit: 350_000) { front in
            let (client, exchange) = try await Self.outgrown(front, Bytes.content(400_000))
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [200] && answers.allSatisfy(\.closes))
            try await Self.isClean(front)
        }
    }

    @Test func clientLeavingEndsIt() async throws {
        try await Self.run(limit: 350_000) { front in
            let (client, exchange) = try await Self.outgrown(front, Bytes.content(400_000))
            try await client.hangUp()
            #expect(try await front.withLoop { _ in exchange.value.isCancelled })
            try await Self.isClean(front)
        }
    }

    // MARK: Memory

    @Test func contentIsChargedAsLongAsTheExchangeNeedsIt() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let body = Bytes.content(50_000)
            let client = try await front.connect()
            try await client.send([Bytes.head(50_000), Array(body[..<30_000])])
            let half = front.engine.budget.used
            #expect(half >= 30_000 && half < 100_000)
            try await client.send([Array(body[30_000...])])
            let exchange = try await front.exchange()
            #expect(front.engine.budget.used >= 50_000)
            // The fill goes on without its client.
            try await client.hangUp()
            #expect(front.engine.budget.used >= 50_000)
            try await front.withLoop { _ in exchange.value.play() }
            try await Self.isClean(front)
        }
    }

    @Test func smallContentInOneReadIsNotCounted() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(post("/search", "small"))
            _ = try await front.exchange()
            #expect(front.engine.budget.used == 0)
        }
    }

    @Test func withoutMemoryContentIsNotRead() async throws {
        try await Self.run(budget: 1 << 20) { front in
            let budget = front.engine.budget
            for target in ["/search", "/streamed"] {
                let client = try await front.connect()
                budget.charge(1 << 20)
                try await client.send([Bytes.head(10, target), Array("12345".utf8)])
                #expect(try await client.withSocket { $0.unreadBytes } == 5)
                // Others are served.
                #expect(try await front.connect().ask(get("/a")).status == 200)
                // It is not the client's fault.
                await front.advance(100)
                #expect(!client.isCut)
                budget.release(1 << 20)
                await front.advance(1)
                #expect(try await client.withSocket { $0.unreadBytes } == 0)
                try await client.send("67890")
                #expect(try await client.answers(1).map(\.status) == [200])
            }
            try await Self.isClean(front)
        }
    }

    @Test func whatIsInMemoryGoesToTheDiskWhenMemoryIsShort() async throws {
        try await Front.run(configureEngine: { $0.inFlightBudget = 1 << 20 }) { front in
            let budget = front.engine.budget
            let body = Bytes.content(40_000)
            let client = try await front.connect()
            try await client.send([Bytes.head(40_000), Array(body[..<20_000])])
            let counted = budget.used
            #expect(counted >= 20_000 && front.spool.openFiles == 0)
            budget.charge(1 << 20)
            try await client.send([Array(body[20_000..<30_000])])
            try await front.eventually("the file") {
                await front.advance(1)
                return front.spool.usedBytes == 30_000 && budget.used == 1 << 20
            }
            budget.release(1 << 20)
            await front.advance(1)
            try await client.send([Array(body[30_000...])])
            #expect(try await client.answers(1).map(\.status) == [200])
            #expect(front.origin.seen.first?.spooled?.length == 40_000)
            try await Self.isClean(front)
        }
    }

    /// Far more content than memory: each goes to its file, and all are answered.
    @Test func manyUploadsShareLittleMemory() async throws {
        try await Front.run(configureEngine: { $0.inFlightBudget = 1 << 20 }) { front in
            let body = Bytes.content(300_000)
            var clients: [Client] = []
            for _ in 0..<40 {
                let client = try await front.connect()
                try await client.send([Bytes.head(body.count), Array(body[..<1000])])
                clients.append(client)
            }
            var peak = 0
            for place in stride(from: 1000, to: body.count, by: 50_000) {
                let part = Array(body[place..<min(place + 50_000, body.count)])
                for client in clients {
                    try await client.send([part])
                    peak = max(peak, front.engine.budget.used)
                }
                await front.advance(1)
            }
            // One read more of each may be under way.
            #expect(peak < 1 << 20 + 40 * 65_536, "\(peak)")
            try await front.eventually("all answers") {
                await front.advance(1)
                for client in clients where try await client.bytes().isEmpty { return false }
                return true
            }
            for client in clients {
                #expect(try await client.answers(1).map(\.status) == [200])
            }
            try await Self.isClean(front)
        }
    }
}
