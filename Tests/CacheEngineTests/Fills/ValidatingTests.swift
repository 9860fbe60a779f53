import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine

/// What is stale is validated, replaced, or served because nothing better can be had.
@Suite struct ValidatingTests {
    private static let tagged: HTTPFields = [.cacheControl: "max-age=60", .eTag: "\"1\""]

    /// A stored response with a validator, gone stale.
    private func makeStale(_ bench: Bench, _ fields: HTTPFields = tagged) async throws {
        try await bench.fetch(fields)
        try await bench.settle()
        bench.clock.advance(61)
    }

    @Test func a304FreshensAndKeepsTheBody() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.ifNoneMatch] == "\"1\"")
            try await exchange.answer(
                .notModified,
                [.cacheControl: "max-age=100", .eTag: "\"1\"", field("x-new"): "1"],
                body: "")
            let status = CacheStatus(
                result: .revalidated, forwardStatus: 304, isStored: true, ttl: 100)
            #expect(client.heard == [.stored("body", status)])
            #expect(client.fields[field("x-new")] == "1")
            #expect(client.fields[values: .via] == ["1.1 larder"])
            #expect(client.fields[values: .date].count == 1)
            bench.clock.advance(99)
            let hit = try await bench.ask()
            #expect(hit.heard == [.stored("body", CacheStatus(result: .hit, ttl: 1))])
            try await bench.settle()
            #expect(bench.store.commits.last?.map(\.summary).first?.hasPrefix("freshen") == true)
            #expect(bench.store.rows.first?.terms.freshUntil == start + 161)
        }
    }

    @Test func theViaOfA304HasOursBehindIt() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            try await bench.origin.exchange(1).answer(
                .notModified, [.cacheControl: "max-age=100", .via: "1.1 up"], body: "")
            #expect(client.fields[values: .via] == ["1.1 up", "1.1 larder"])
        }
    }

    @Test func a304OfAnotherRepresentationIsAskedAgain() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            let conditional = try await bench.origin.exchange(1)
            try await conditional.head(.notModified, [.eTag: "\"2\""], framing: .none)
            let whole = try await bench.origin.exchange(2)
            #expect(conditional.isCancelled)
            #expect(whole.request.fields[.ifNoneMatch] == nil)
            try await whole.answer([.cacheControl: "max-age=60", .eTag: "\"2\""], body: "new")
            #expect(client.text == "new")
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
        }
    }

    @Test func a304ThatForbidsStoringIsServedOnce() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            try await bench.origin.exchange(1).answer(
                .notModified, [.cacheControl: "no-store"], body: "")
            #expect(client.text == "body")
            #expect(client.status?.isStored == false)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
            #expect(try bench.inMemory() == nil)
        }
    }

    @Test func a304WithAnotherVaryDoesNotStayForAll() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            try await bench.origin.exchange(1).answer(
                .notModified, [.cacheControl: "max-age=60", .vary: "cookie"], body: "")
            #expect(client.text == "body")
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func a200Replaces() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.fetch(Self.tagged, body: "new")
            #expect(client.status?.result == .forwarded(.stale))
            #expect(try await bench.ask().text == "new")
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
        }
    }

    @Test func a200ThatVariesOtherwiseReplacesWhatDidNot() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            try await bench.fetch(
                Ask(lines: ["accept": ["a"]]), [.cacheControl: "max-age=60", .vary: "accept"],
                body: "new")
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["new"])
            #expect(bench.engine.memory.count == 1)
            let other = try await bench.fetch(Ask(lines: ["accept": ["b"]]), body: "other")
            #expect(other.status?.result == .forwarded(.varyMiss))
        }
    }

    @Test(arguments: [HTTPResponse.Status.ok, .notFound])
    func anAnswerThatIsNotStoredEndsWhatItReplaces(status: HTTPResponse.Status) async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            try await bench.fetch(status: status, [.cacheControl: "no-store"])
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func aBodyThatOutgrowsTheLimitEndsWhatItReplaces() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            try await exchange.head(Self.tagged, framing: .chunked)
            try await exchange.body(String(repeating: "x", count: 65))
            try await exchange.end()
            #expect(client.heard.last == .end)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test(arguments: [Ask(cacheControl: ["no-store"]), Ask(hasCredentials: true)])
    func whatOneRequestForbidsLeavesWhatIsStoredForOthers(ask: Ask) async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.fetch(ask, body: "mine")
            #expect(client.text == "mine")
            #expect(client.status?.isStored == false)
            try await bench.settle()
            #expect(bench.store.rows.map { $0.text } == ["body"])
            #expect(bench.engine.memory.count == 1)
        }
    }

    @Test func theClientsTagsTakeTheStoredOneAlong() async throws {
        try await Bench.run { bench in
            try await makeStale(bench)
            let client = try await bench.ask(
                Ask(forwarded: [.ifNoneMatch: "\"mine\""], isExclusive: true))
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.ifNoneMatch] == "\"mine\", \"1\"")
            try await exchange.answer(.notModified, [:], body: "")
            #expect(client.heard.last == .end)
            #expect(client.status?.forwardStatus == 304)
            try await bench.settle()
            #expect(bench.store.rows.count == 1, "it says nothing about what is stored")
        }
    }

    @Test func aRequestForValidationOfTheFreshIsForwarded() async throws {
        try await Bench.run { bench in
            try await bench.fetch(Self.tagged)
            let client = try await bench.fetch(
                Ask(cacheControl: ["no-cache"]), Self.tagged, body: "new")
            #expect(client.status?.result == .forwarded(.request))
            #expect(try await bench.ask().text == "new")
        }
    }

    // MARK: Errors of the origin

    private static let forgiving: HTTPFields = [
        .cacheControl: "max-age=60, stale-if-error=100", .eTag: "\"1\"",
    ]

    @Test func staleIfErrorServesOnErrorsAndFailures() async throws {
        try await Bench.run { bench in
            try await makeStale(bench, Self.forgiving)
            let first = try await bench.ask()
            let failing = try await bench.origin.exchange(1)
            try await failing.head(.serviceUnavailable, [:])
            let onError = CacheStatus(result: .staleOnError, forwardStatus: 503, ttl: -1)
            #expect(first.heard == [.stored("body", onError)])
            #expect(failing.isCancelled)
            let second = try await bench.ask()
            try await bench.origin.exchange(2).fail(.connectTimeout)
            #expect(second.heard == [.stored("body", CacheStatus(result: .staleOnError, ttl: -1))])
            bench.clock.advance(200)
            let third = try await bench.ask()
            try await bench.origin.exchange(3).answer(.serviceUnavailable, [:], body: "down")
            #expect(third.text == "down")
            #expect(third.status?.forwardStatus == 503)
            try await bench.settle()
            #expect(bench.store.rows.count == 1, "an error replaces nothing")
        }
    }

    @Test func withoutAnythingStoredAFailureIsAFailure() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            try await bench.origin.exchange(0).fail(.connectTimeout)
            #expect(client.heard == [.failed(.origin(.connectTimeout))])
        }
    }

    @Test func afterAnInvalidationNothingStaleIsServed() async throws {
        try await Bench.run { bench in
            try await makeStale(bench, Self.forgiving)
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(1)
            bench.invalidate("/a")
            try await exchange.fail(.closed)
            #expect(client.heard == [.failed(.origin(.closed))])
        }
    }

    // MARK: In the background

    private static let relaxed: HTTPFields = [
        .cacheControl: "max-age=60, stale-while-revalidate=100", .eTag: "\"1\"",
    ]

    @Test func oneRevalidationInTheBackgroundForAll() async throws {
        try await Bench.run { bench in
            try await makeStale(bench, Self.relaxed)
            for _ in 0..<3 {
                let client = try await bench.ask()
                #expect(client.heard == [.stored("body", CacheStatus(result: .stale, ttl: -1))])
            }
            let exchange = try await bench.origin.exchange(1)
            try await exchange.answer(.notModified, Self.relaxed, body: "")
            #expect(bench.origin.count == 2)
            let hit = try await bench.ask()
            #expect(hit.status?.result == .hit)
            bench.clock.advance(61)
            _ = try await bench.ask()
            try await bench.origin.exchange(2).fail(.closed)
            _ = try await bench.ask()
            #expect(bench.origin.count == 3, "not again at once")
            bench.clock.advance(2)
            _ = try await bench.ask()
            let again = try await bench.origin.exchange(3)
            try await again.head(.ok, [.cacheControl: "no-store"])
            #expect(again.isCancelled, "nobody wants it")
            #expect(try bench.inMemory() == nil)
        }
    }

    @Test func aRevalidationInTheBackgroundIsNobodys() async throws {
        try await Bench.run { bench in
            try await makeStale(bench, Self.relaxed)
            _ = try await bench.ask(
                Ask(
                    method: .head,
                    forwarded: [.ifNoneMatch: "\"mine\"", .range: "bytes=0-1", .accept: "a"],
                    isExclusive: true))
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.method == .get)
            #expect(exchange.request.fields[.ifNoneMatch] == "\"1\"")
            #expect(exchange.request.fields[.range] == nil)
            #expect(exchange.request.fields[.accept] == "a")
            try await exchange.answer(Self.relaxed, body: "new")
            #expect(try await bench.ask().text == "new")
        }
    }

    @Test func aStaleRowIsServedAndRevalidatedToo() async throws {
        try await Bench.run { bench in
            try await makeStale(bench, Self.relaxed)
            try bench.forgetMemory()
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.heard == [.stored("body", CacheStatus(result: .stale, ttl: -1))])
            try await bench.origin.exchange(1).answer(Self.relaxed, body: "new")
            #expect(try await bench.ask().text == "new")
        }
    }
}
