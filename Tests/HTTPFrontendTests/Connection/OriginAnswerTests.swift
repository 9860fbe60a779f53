import CacheEngine
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Answers from the origin by bytes: framing, failures, leaving")
struct OriginAnswerTests {
    @Test(arguments: [OriginFraming.chunked, .closeDelimited])
    func unknownLengthIsChunked(_ framing: OriginFraming) async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(
                    fields: [("Date", "x"), ("Cache-Control", "no-store")],
                    parts: ["hello", "", " world of chunks"], framing: framing)
            }
            let client = try await front.connect()
            try await client.send(get("/a"))
            let answer = try #require(try await client.answers(1).first)
            #expect(
                answer.body == "hello world of chunks" && answer.values("content-length").isEmpty)
            let text = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(text.hasSuffix("\r\n\r\n5\r\nhello\r\n10\r\n world of chunks\r\n0\r\n\r\n"))
            #expect(try await client.ask(get("/b")).status == 200)
        }
    }

    @Test func largeChunkKeepsItsFrame() async throws {
        try await Front.run { front in
            let large = String(repeating: "x", count: 5000)
            front.origin.reply { _ in .init(parts: [large, "y"], framing: .chunked) }
            let answer = try await front.connect().ask(get("/a"))
            #expect(answer.body == large + "y")
        }
    }

    /// RFC 9110 §6.5: never stored, and only for who says that it does not drop them.
    @Test(arguments: [
        ("/a", "max-age=60"), ("/b", "no-store"),
    ])
    func trailersPassToWhoWantsThem(target: String, directives: String) async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(
                    fields: [("Cache-Control", directives)], framing: .chunked,
                    trailers: [
                        ("X-Sum", seen.target), ("Content-Length", "9"), ("Set-Cookie", "a"),
                        ("x-sum", "2"), ("Connection", "X-Hop"), ("X-Hop", "1"),
                    ])
            }
            let client = try await front.connect()
            let kept = ["X-Sum: \(target)", "x-sum: 2"]
            let answer = try await client.ask(get(target, "TE: gzip;q=0, Trailers"))
            #expect(answer.body == "hello" && answer.trailers == kept)
            let other = try await client.ask(get(target + "?2", "TE: gzip"))
            #expect(other.body == "hello" && other.trailers.isEmpty)
            let passed = try await client.ask(
                "DELETE \(target) HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\n"
                    + "Connection: TE\r\n\r\n")
            #expect(passed.trailers == kept)
            _ = try await client.ask(get("/c", "TE: trailers"))
            let again = try await client.ask(get("/c", "TE: trailers"))
            #expect(again.trailers.isEmpty == (directives != "no-store"))
            #expect(again.fields.allSatisfy { !$0.hasPrefix("X-Sum") })
        }
    }

    /// One that joins gets what a later one gets.
    @Test func trailersAreForWhoAskedFirst() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(framing: .chunked, trailers: [("X-Sum", "1")], isManual: true)
            }
            let first = try await front.connect()
            let second = try await front.connect()
            try await first.send(get("/a", "TE: trailers"))
            let exchange = try await front.exchange()
            try await second.send(get("/a", "TE: trailers"))
            try await front.withLoop { _ in exchange.value.play() }
            #expect(try await first.answers(1).first?.trailers == ["X-Sum: 1"])
            #expect(try await second.answers(1).first?.trailers == [])
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test(arguments: ["", "Connection: keep-alive\r\n"])
    func oldClientGetsUnknownLengthUntilClose(_ connection: String) async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(parts: ["hel", "lo"], framing: .chunked) }
            let client = try await front.connect()
            try await client.send("GET /a HTTP/1.0\r\nHost: a\r\n\(connection)\r\n")
            let answer = try #require(try await client.lastAnswers().first)
            #expect(answer.body == "hello" && answer.closes)
            #expect(answer.values("transfer-encoding").isEmpty)
        }
    }

    @Test func noContentHasNoLength() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(status: 204, parts: [], framing: OriginFraming.none) }
            let client = try await front.connect()
            for expected in ["MISS", "HIT"] {
                let answer = try await client.ask(get("/a"))
                #expect(answer.status == 204 && answer.values("x-cache") == [expected])
                #expect(answer.values("content-length").isEmpty)
                #expect(answer.values("transfer-encoding").isEmpty)
            }
        }
    }

    @Test func notModifiedToTheClientsOwnConditionPasses() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(
                    status: 304, fields: [("ETag", "\"a\"")], parts: [], framing: OriginFraming.none
                )
            }
            let client = try await front.connect()
            let answer = try await client.ask(get("/a", "If-None-Match: \"a\""))
            #expect(answer.status == 304)
            #expect(front.origin.seen.first?.values("if-none-match") == ["\"a\""])
        }
    }

    @Test func informationalHeadsPassToNewClientsOnly() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [("Cache-Control", "no-store")], informational: [103])
            }
            let client = try await front.connect()
            try await client.send(get("/a"))
            _ = try await client.answers(1)
            let all = WireAnswer.read(try await client.bytes(), isEnded: false).answers
            #expect(all.map(\.status) == [103, 200])
            let old = try await front.connect()
            try await old.send(get("/a", version: "1.0"))
            #expect(try await old.lastAnswers().map(\.status) == [200])
        }
    }

    @Test(arguments: [
        (OriginError.connectFailed(.refused, "secret 10.0.0.9"), 502), (.closed, 502),
        (.malformed("x"), 502), (.connectFailed(.other, "10.0.0.9"), 503), (.shuttingDown, 503),
        (.connectTimeout, 504), (.firstByteTimeout, 504),
    ])
    func failureBeforeTheHead(_ error: OriginError, status: Int) async throws {
        try await Front.run { front in
            front.origin.reply { _ in .failing(error) }
            let client = try await front.connect()
            let answer = try await client.ask(get("/a"))
            #expect(answer.status == status && !answer.closes)
            #expect(answer.values("content-type") == ["application/problem+json"])
            #expect(answer.values("cache-control") == ["no-store"])
            #expect(!answer.body.contains("10.0.0.9"))
            #expect(answer.values("cache-status").isEmpty)
            front.origin.reply { _ in .init() }
            #expect(try await client.ask(get("/a")).status == 200)
        }
    }

    @Test func failureWhileTheRequestIsComingEndsTheConnection() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .failing(.closed) }
            let client = try await front.connect()
            try await client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [502] && answers.allSatisfy(\.closes))
        }
    }

    @Test func answerThatOvertakesItsRequestSaysThatItIsTheLast() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(status: 413, isManual: true) }
            let client = try await front.connect()
            try await client.send("PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
            let exchange = try await front.exchange()
            try await front.withLoop { _ in exchange.value.play() }
            try await client.send("defghi" + get("/smuggled"))
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [413] && answers.allSatisfy(\.closes))
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test(arguments: [nil, OriginFraming.chunked])
    func failureInMidBodyCutsTheConnection(_ framing: OriginFraming?) async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(framing: framing ?? .length(10), failure: .closed) }
            let client = try await front.connect()
            try await client.send(get("/a") + get("/b"))
            try await front.eventually("the cut") { client.isCut }
            let read = WireAnswer.read(try await client.bytes(), isEnded: true)
            #expect(read.answers.isEmpty)
            #expect(!String(decoding: read.rest, as: UTF8.self).contains("0\r\n\r\n"))
            #expect(front.origin.seen.count == 1)
            front.origin.reply { _ in .init() }
            let next = try await front.connect().ask(get("/a"))
            #expect(next.values("x-cache") == ["MISS"])
        }
    }

    @Test func clientLeavingInMidAnswerCancelsWhatCannotBeStored() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [("Cache-Control", "no-store")], isManual: true)
            }
            let client = try await front.connect()
            try await client.send(get("/a"))
            let exchange = try await front.exchange()
            try await front.withLoop { _ in exchange.value.playHead() }
            await front.run()
            try await client.hangUp()
            #expect(try await front.withLoop { _ in exchange.value.isCancelled })
        }
    }

    @Test func clientLeavingInMidAnswerLeavesAStorableFillAtWork() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(isManual: true) }
            let client = try await front.connect()
            try await client.send(get("/a"))
            let exchange = try await front.exchange()
            try await front.withLoop { _ in exchange.value.playHead() }
            try await client.hangUp()
            try await front.withLoop { _ in
                exchange.value.playBody(["hello"])
                exchange.value.playEnd()
            }
            let answer = try await front.connect().ask(get("/a"))
            #expect(answer.values("x-cache") == ["HIT"] && answer.body == "hello")
        }
    }

    /// No stored or forwarded text can end a line or a head early.
    @Test func originTextCannotSplitAnAnswer() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [
                    ("Cache-Control", "max-age=60"),
                    ("X-A", "a\r\nSet-Cookie: z\r\n\r\nHTTP/1.1 200 OK"),
                    ("X-B", "nul\0lf\ncr\r"),
                ])
            }
            let client = try await front.connect()
            for _ in 1...2 {
                let answer = try await client.ask(get("/a"))
                #expect(answer.body == "hello" && answer.values("set-cookie").isEmpty)
                #expect(!answer.fields.joined().unicodeScalars.contains { $0.value < 32 })
            }
        }
    }
}
