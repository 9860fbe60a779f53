import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Clients that do not read, deadlines, drain")
struct PressureTests {
    private static let large = String(repeating: "x", count: 100 << 10)

    @Test func stalledClientPausesTheOrigin() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(
                    fields: [("Cache-Control", "no-store")],
                    parts: Array(repeating: Self.large, count: 3))
            }
            let client = try await front.connect()
            try await client.withSocket { $0.isStalled = true }
            try await client.send(get("/a"))
            let exchange = try await front.exchange()
            try await front.eventually("the pause") {
                try await front.withLoop { _ in exchange.value.isPaused }
            }
            #expect(try await client.bytes().isEmpty)
            try await client.withSocket { socket in
                socket.isStalled = false
                socket.take()
            }
            let answer = try #require(try await client.answers(1).first)
            #expect(answer.body.utf8.count == 3 * Self.large.utf8.count)
        }
    }

    /// The first answer is not yet taken when the second one begins.
    @Test func answerThatBeginsWhileTheClientIsStalledIsPausedToo() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(
                    fields: [("Cache-Control", "no-store")], parts: [Self.large], isManual: true)
            }
            let client = try await front.connect()
            try await client.send(get("/a"))
            let exchange = try await front.exchange()
            // Full to the brim before the head, by what is pending of an answer before it.
            try await client.withSocket { $0.fill() }
            try await front.withLoop { _ in
                exchange.value.playHead()
                exchange.value.playBody([Self.large])
            }
            #expect(try await front.withLoop { _ in exchange.value.isPaused })
            try await front.withLoop { _ in exchange.value.playEnd() }
            try await client.withSocket { $0.takeAll() }
            let answer = try #require(try await client.answers(1).first)
            #expect(answer.body == Self.large)
        }
    }

    @Test func clientThatTakesNoAnswersGetsNoMore() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: [String(repeating: "y", count: 10_000)]) }
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            let greedy = try await front.connect()
            try await greedy.withSocket { $0.isStalled = true }
            let many = [UInt8](String(repeating: get("/a"), count: 20).utf8)
            try await greedy.send(Array(repeating: many, count: 10))
            // One read's worth is answered in part, nothing further is read.
            #expect(try await greedy.withSocket { $0.pendingBytes } < 80_000)
            #expect(try await greedy.withSocket { $0.unreadBytes } == 9 * many.count)
            try await greedy.withSocket { socket in
                socket.isStalled = false
                socket.take()
            }
            #expect(try await greedy.answers(200).allSatisfy { $0.body.utf8.count == 10_000 })
        }
    }

    @Test func stalledClientIsCutAfterTheWriteTime() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: [Self.large]) }
            // A miss is paused in mid-answer, a hit is written whole.
            for target in ["/a", "/b"] {
                if target == "/b" { _ = try await front.connect().ask(get("/b")) }
                let client = try await front.connect()
                try await client.withSocket { $0.isStalled = true }
                try await client.send(get(target))
                _ = try await front.exchange()
                try await front.eventually("the stall") {
                    try await client.withSocket { $0.pendingBytes } > Self.large.utf8.count
                }
                await front.advance(29)
                #expect(!client.isCut)
                await front.advance(3)
                #expect(client.isCut)
            }
        }
    }

    @Test func slowClientIsNotCutWhileItTakesSomething() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: [Self.large]) }
            _ = try await front.connect().ask(get("/a"))
            let client = try await front.connect()
            try await client.withSocket { socket in
                socket.isStalled = true
                socket.reportsWritability = false
            }
            try await client.send(get("/a"))
            await front.advance(20)
            // It takes some, but not so much that more could be written.
            try await client.withSocket { $0.take() }
            await front.advance(12)
            #expect(!client.isCut)
            #expect(try await client.answers(1).map(\.body) == [Self.large])
            await front.advance(31)
            #expect(client.isCut)
        }
    }

    /// Connection: close with an answer that takes longer than the farewell.
    @Test func lastAnswerIsNotCutBeforeItIsTaken() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: [Self.large]) }
            _ = try await front.connect().ask(get("/a"))
            let client = try await front.connect()
            try await client.withSocket { $0.isStalled = true }
            try await client.send(get("/a", "Connection: close"))
            await front.advance(20)
            #expect(!client.isCut)
            try await client.withSocket { socket in
                socket.isStalled = false
                socket.take()
            }
            #expect(try await client.lastAnswers().map(\.body) == [Self.large])
            await front.advance(5)
            #expect(client.isCut)
        }
    }

    @Test func headMustArriveInTime() async throws {
        try await Front.run { front in
            let silent = try await front.connect()
            let slow = try await front.connect()
            for byte in "GET /a HT" {
                try await slow.send(String(byte))
                await front.advance(1)
            }
            #expect(try await !slow.isEnded())
            await front.advance(3)
            for client in [silent, slow] {
                let answers = try await client.lastAnswers()
                #expect(answers.map(\.status) == [408] && answers.allSatisfy(\.closes))
            }
            await front.advance(4)
            #expect(silent.isCut && slow.isCut)
        }
    }

    @Test func laterHeadMustArriveInTimeOnceBegun() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            await front.advance(30)
            try await client.send("GET /b")
            await front.advance(9)
            #expect(try await !client.isEnded())
            await front.advance(3)
            #expect(try await client.lastAnswers().map(\.status) == [200, 408])
        }
    }

    @Test func contentMustArriveInTime() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send("POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
            for _ in 1...3 {
                await front.advance(29)
                try await client.send("x")
            }
            #expect(try await !client.isEnded())
            await front.advance(32)
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [408] && answers.allSatisfy(\.closes))
            #expect(front.origin.seen.isEmpty)
        }
    }

    @Test func contentMustStillArriveAfterTheAnswerWasStalled() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: [Self.large, "end"], isManual: true) }
            let client = try await front.connect()
            try await client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx")
            let exchange = try await front.exchange()
            try await client.withSocket { $0.isStalled = true }
            try await front.withLoop { _ in
                exchange.value.playHead()
                exchange.value.playBody([Self.large])
            }
            #expect(try await front.withLoop { _ in exchange.value.isPaused })
            try await client.withSocket { $0.takeAll() }
            await front.advance(29)
            #expect(!client.isCut)
            await front.advance(3)
            #expect(client.isCut)
            #expect(try await front.withLoop { _ in exchange.value.isCancelled })
        }
    }

    @Test func slowOriginIsNotTheClientsFault() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(post("/search", "x"))
            let exchange = try await front.exchange()
            await front.advance(500)
            #expect(!client.isCut)
            try await front.withLoop { _ in exchange.value.play() }
            #expect(try await client.answers(1).map(\.status) == [200])
        }
    }

    @Test func idleConnectionIsClosedAfterTheKeepAliveTime() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            await front.advance(59)
            _ = try await client.ask(get("/a"))
            await front.advance(59)
            #expect(!client.isCut)
            await front.advance(3)
            #expect(client.isCut)
        }
    }

    @Test func drainClosesIdleConnectionsAndLetsTheOthersFinish() async throws {
        try await Front.run { front in
            front.origin.reply { .init(parts: [$0.target], isManual: $0.target == "/busy") }
            let idle = try await front.connect()
            _ = try await idle.ask(get("/a"))
            let busy = try await front.connect()
            try await busy.send(get("/busy"))
            let exchange = try await front.exchange(2)
            try await front.withLoop { $0.drain() }
            #expect(try await idle.isEnded())
            #expect(try await !busy.isEnded())
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await busy.lastAnswers()
            #expect(answers.map(\.body) == ["/busy"] && answers.allSatisfy(\.closes))
            await #expect(throws: (any Error).self) { _ = try await front.connect() }
        }
    }

    @Test func closeAllCutsWhatIsLeft() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(get("/a"))
            _ = try await front.exchange()
            try await front.withLoop { $0.closeAll() }
            #expect(client.isCut)
            #expect(try await front.withLoop { $0.connectionCount } == 0)
        }
    }
}
