import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Request content by bytes: splits, expectations, limits, backpressure")
struct RequestContentTests {
    static let requests: [(name: String, bytes: String)] = [
        ("GET", get("/split", "X-Name: value")),
        ("POST with a length", post("/search", "some content")),
        (
            "POST in chunks",
            "POST /search HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nsome \r\n7;ext=1\r\ncontent\r\n0\r\n\r\n"
        ),
        ("POST streamed", post("/other", "some content")),
        (
            "POST streamed in chunks",
            "POST /other HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "c\r\nsome content\r\n0\r\n\r\n"
        ),
    ]

    @Test(arguments: requests)
    func isTheSameSplitAnywhere(_ request: (name: String, bytes: String)) async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(fields: [("Cache-Control", "no-store")], parts: [seen.body ?? "streamed"])
            }
            let bytes = [UInt8](request.bytes.utf8)
            let whole = try await front.connect().ask(request.bytes)
            #expect(whole.status == 200)
            for position in 1..<bytes.count {
                let client = try await front.connect()
                try await client.send([Array(bytes[..<position]), Array(bytes[position...])])
                let answers = try await client.answers(1)
                #expect(answers == [whole], "split at \(position)")
                try await client.hangUp()
            }
            #expect(front.origin.seen.count == bytes.count)
            let streamed = front.origin.exchanges
            let contents = try await front.withLoop { _ in
                Set(streamed.map { String(buffer: $0.value.received) })
            }
            #expect(contents == [request.bytes.contains("/other") ? "some content" : ""])
        }
    }

    @Test(arguments: ["/search", "/other"])
    func expectationIsAnsweredAtOnceByUs(_ target: String) async throws {
        try await Front.run { front in
            let client = try await front.connect()
            let request = post(target, "hello", "Expect: 100-continue")
            try await client.send(String(request.dropLast(5)))
            #expect(
                String(decoding: try await client.bytes(), as: UTF8.self)
                    == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            #expect(try await client.answers(1).map(\.status) == [200])
            let seen = try #require(front.origin.seen.first)
            #expect(seen.values("expect").isEmpty)
        }
    }

    @Test func noContinueForHTTP10OrWithoutContent() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send(get("/a", "Expect: 100-continue"))
            _ = try await client.answers(1)
            let old = try await front.connect()
            try await old.send(
                "POST /search HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx")
            let answers = try await old.lastAnswers()
            #expect(answers.map(\.status) == [200])
            let text = String(decoding: try await client.bytes() + old.bytes(), as: UTF8.self)
            #expect(text.contains("200 OK") && !text.contains("100 Continue"))
        }
    }

    @Test(arguments: ["y 100-continue", "100-continue, x", ""])
    func unknownExpectationIs417(_ value: String) async throws {
        try await Front.run { front in
            let client = try await front.connect()
            try await client.send(post("/search", "hello", "Expect: \(value)"))
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [417] && answers.allSatisfy(\.closes))
            #expect(front.origin.seen.isEmpty)
        }
    }

    @Test func announcedContentOverTheKeyLimitStreams() async throws {
        try await Front.run(configure: { $0.maxKeyBodyBytes = 10 }) { front in
            let client = try await front.connect()
            let content = "eleven byte"
            for _ in 1...2 {
                let answer = try await client.ask(post("/search", content))
                #expect(answer.values("x-cache") == ["BYPASS"])
                #expect(
                    answer.values("cache-status")
                        == ["larder; fwd=bypass; fwd-status=200; detail=body-limit"])
            }
            let exchanges = front.origin.exchanges
            let contents = try await front.withLoop { _ in
                exchanges.map { String(buffer: $0.value.received) }
            }
            #expect(contents == [content, content])
            #expect(try await client.ask(post("/search", "ten bytes!")).status == 200)
            #expect(
                try await client.ask(post("/search", "ten bytes!")).values("x-cache") == ["HIT"])
        }
    }

    @Test func chunkedContentOverTheKeyLimitStreamsOnWithWhatCameBefore() async throws {
        try await Front.run(configure: { $0.maxKeyBodyBytes = 10 }) { front in
            let client = try await front.connect()
            try await client.send(
                "POST /search HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
                "4\r\nabcd\r\n", "6\r\nefghij\r\n")
            #expect(front.origin.seen.isEmpty)
            try await client.send("1\r\nk\r\n", "2\r\nlm\r\n", "0\r\n\r\n")
            let answer = try #require(try await client.answers(1).first)
            #expect(
                answer.values("cache-status")
                    == ["larder; fwd=bypass; fwd-status=200; detail=body-limit"])
            let exchange = try await front.exchange()
            #expect(
                try await front.withLoop { _ in String(buffer: exchange.value.received) }
                    == "abcdefghijklm")
        }
    }

    /// An empty part would be the last chunk to the origin.
    @Test func firstPartOverTheKeyLimitGoesOutAlone() async throws {
        try await Front.run(configure: { $0.maxKeyBodyBytes = 2 }) { front in
            let client = try await front.connect()
            try await client.send(
                "POST /search HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "3\r\nabc\r\n0\r\n\r\n")
            _ = try await client.answers(1)
            let exchange = try await front.exchange()
            let (content, emptyParts) = try await front.withLoop { _ in
                (String(buffer: exchange.value.received), exchange.value.emptyParts)
            }
            #expect(content == "abc" && emptyParts == 0)
        }
    }

    @Test func slowOriginHoldsTheUploadAndLetsItGoOn() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            let part = [UInt8](repeating: 120, count: 1000)
            try await client.send(
                "PUT /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5000\r\n\r\n")
            let exchange = try await front.exchange()
            try await front.withLoop { _ in exchange.value.acceptsContent = false }
            try await client.send([part, part, part, part, part])
            #expect(try await client.withSocket { $0.unreadBytes } == 4000)
            // Neither the client nor the connection is to blame for the wait.
            await front.advance(100)
            #expect(!client.isCut)
            try await front.withLoop { _ in exchange.value.takeContentAgain() }
            #expect(try await client.withSocket { $0.unreadBytes } == 0)
            let isWhole = try await front.withLoop { _ in
                exchange.value.isFinished && exchange.value.received.readableBytes == 5000
            }
            #expect(isWhole)
            try await front.withLoop { _ in exchange.value.play() }
            #expect(try await client.answers(1).map(\.status) == [200])
        }
    }

    @Test func bodyDeadlineHoldsAgainAfterTheOriginWasSlow() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(
                "PUT /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 50\r\n\r\n")
            let exchange = try await front.exchange()
            try await front.withLoop { _ in exchange.value.acceptsContent = false }
            try await client.send("x")
            await front.advance(40)
            try await front.withLoop { _ in exchange.value.takeContentAgain() }
            await front.advance(40)
            #expect(try await client.lastAnswers().map(\.status) == [408])
            #expect(try await front.withLoop { _ in exchange.value.isCancelled })
        }
    }

    @Test func clientLeavingInMidRequestEndsTheExchange() async throws {
        try await Front.run { front in
            let keyed = try await front.connect()
            try await keyed.send("POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            try await keyed.hangUp()
            let streamed = try await front.connect()
            try await streamed.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            let exchange = try await front.exchange()
            try await streamed.hangUp()
            #expect(try await front.withLoop { _ in exchange.value.isCancelled })
            #expect(front.origin.seen.map(\.method) == ["PUT"])
            #expect(try await front.withLoop { $0.connectionCount } == 0)
        }
    }
}
