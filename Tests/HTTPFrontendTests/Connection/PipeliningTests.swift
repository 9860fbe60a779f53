import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Pipelining, smuggling and closing by bytes")
struct PipeliningTests {
    @Test func answersComeInOrderOneExchangeAtATime() async throws {
        try await Front.run { front in
            front.origin.reply { .init(parts: [$0.target], isManual: true) }
            let client = try await front.connect()
            try await client.send(get("/1") + get("/2") + get("/3"))
            for count in 1...3 {
                let exchange = try await front.exchange(count)
                await front.run()
                #expect(front.origin.exchanges.count == count)
                try await front.withLoop { _ in exchange.value.play() }
            }
            #expect(try await client.answers(3).map(\.body) == ["/1", "/2", "/3"])
            #expect(front.origin.seen.map(\.target) == ["/1", "/2", "/3"])
        }
    }

    @Test func pipelinedContentBelongsToItsRequest() async throws {
        try await Front.run { front in
            front.origin.reply { .init(parts: [$0.body ?? "?"]) }
            let client = try await front.connect()
            let all =
                post("/search", "one") + post("/search", "two") + get("/x")
                + post("/search", "one")
            try await client.send(all)
            let answers = try await client.answers(4)
            #expect(answers.map(\.body) == ["one", "two", "", "one"])
            #expect(answers.last?.values("x-cache") == ["HIT"])
        }
    }

    @Test func readingGoesOnAfterItWasHeld() async throws {
        try await Front.run { front in
            front.origin.reply { .init(parts: [$0.target], isManual: true) }
            let client = try await front.connect()
            try await client.send(get("/1"), get("/2"), get("/3"), get("/4"))
            let first = try await front.exchange(1)
            #expect(try await client.withSocket { $0.unreadBytes } > 0)
            try await front.withLoop { _ in first.value.play() }
            for count in 2...4 {
                let exchange = try await front.exchange(count)
                try await front.withLoop { _ in exchange.value.play() }
            }
            #expect(try await client.answers(4).map(\.body) == ["/1", "/2", "/3", "/4"])
            #expect(try await client.withSocket { $0.unreadBytes } == 0)
        }
    }

    @Test func manyPipelinedHitsAreAllAnswered() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            _ = try await client.ask(get("/a"))
            let more = try await front.connect()
            try await more.send(String(repeating: get("/a"), count: 200))
            #expect(try await more.answers(200).allSatisfy { $0.body == "hello" })
        }
    }

    /// What was taken in is answered, in order; the rest was never heard.
    @Test func tooManyWaitingRequestsAreTheConnectionsLast() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [("Cache-Control", "max-age=60")], isManual: true)
            }
            let client = try await front.connect()
            try await client.send(String(repeating: get("/a"), count: 400))
            let exchange = try await front.exchange()
            #expect(try await client.bytes().isEmpty)
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await client.lastAnswers()
            #expect(answers.count == 257 && answers.allSatisfy { $0.status == 200 })
        }
    }

    @Test func contentInManyPiecesWaitsAsOne() async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(parts: [seen.body ?? "?"], isManual: seen.body == nil)
            }
            let client = try await front.connect()
            let chunks = String(repeating: "1\r\nx\r\n", count: 1_500)
            try await client.send(
                get("/1")
                    + "POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n"
            )
            let exchange = try await front.exchange(1)
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await client.answers(2)
            #expect(answers.map(\.status) == [200, 200])
            #expect(answers.last?.body == String(repeating: "x", count: 1_500))
        }
    }

    @Test func malformedRequestBehindAGoodOneIsAnsweredLast() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(get("/good") + "GET / HTTP/1.1\r\nHost : a\r\n\r\n")
            let exchange = try await front.exchange()
            // What comes after the error must not cost the good request its answer.
            try await client.send(
                Array(repeating: [UInt8](repeating: 0x47, count: 16 << 10), count: 20))
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [200, 400])
            #expect(answers.map(\.closes) == [false, true])
            #expect(front.origin.seen.map(\.target) == ["/good"])
        }
    }

    @Test func gateRefusesBehindAGoodRequestToo() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send(
                get("/good") + "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/never"))
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [200, 400] && answers.last?.closes == true)
            #expect(front.origin.seen.map(\.target) == ["/good"])
        }
    }

    /// A hit must not leave the content of its request to be read as another request.
    @Test func contentOfAGetIsNeverARequest() async throws {
        try await Front.run { front in
            let inner = get("/smuggled")
            let client = try await front.connect()
            _ = try await client.ask(get("/hot"))
            let fat = get("/hot", "Content-Length: \(inner.utf8.count)") + inner
            try await client.send(fat + fat)
            let answers = try await client.answers(3)
            #expect(answers.dropFirst().map { $0.values("x-cache") } == [["BYPASS"], ["BYPASS"]])
            #expect(
                answers.last?.values("cache-status")
                    == ["larder; fwd=bypass; fwd-status=200; detail=request-content"])
            #expect(front.origin.seen.map(\.target) == ["/hot", "/hot", "/hot"])
        }
    }

    @Test(arguments: [
        "Upgrade: websocket\r\nConnection: upgrade",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
        "Upgrade: x",
    ])
    func upgradeIsAnsweredAndEndsTheConnection(_ lines: String) async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            let junk = [UInt8](repeating: 0x47, count: 16 << 10)
            try await client.send("GET /a HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n")
            let exchange = try await front.exchange()
            try await client.send(
                [[UInt8](get("/smuggled").utf8)] + Array(repeating: junk, count: 20))
            // Nothing piles up here while the origin thinks.
            #expect(try await client.withSocket { $0.unreadBytes } >= 20 * junk.count)
            try await front.withLoop { _ in exchange.value.play() }
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [200] && answers.allSatisfy(\.closes))
            try await front.eventually("the cut") { client.isCut }
            #expect(front.origin.seen.map(\.target) == ["/a"])
        }
    }

    @Test func junkBehindTheLastRequestIsTakenOnlySoFar() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            let junk = [UInt8](repeating: 0x47, count: 16 << 10)
            try await client.send(get("/a", "Connection: close"))
            #expect(try await client.lastAnswers().map(\.status) == [200])
            try await client.send([junk, junk, junk])
            #expect(!client.isCut)
            try await client.send([junk, junk])
            #expect(client.isCut)
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test func closeIsFoundAmongOtherOptions() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send(get("/a", "Connection: x-one ,\tClose , x-two") + get("/b"))
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [200] && answers.allSatisfy(\.closes))
        }
    }

    @Test func refusedHeadGetsNoContent() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send("HEAD /a HTTP/1.1\r\n\r\n")
            _ = try await client.lastAnswers(methods: ["HEAD"])
            let text = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 400 ") && text.hasSuffix("\r\n\r\n"))
        }
    }
}
