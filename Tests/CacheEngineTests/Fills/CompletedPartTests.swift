import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine

/// What a stored part lacks is fetched, and the part is not fetched again (RFC 9111 §3.3).
extension StoredPartTests {
    @Test(arguments: [0, 61])
    func onlyTheRestIsAskedForAndTheClientGetsTheWhole(age: Int64) async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            bench.clock.advance(age)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == "bytes=4-")
            #expect(exchange.request.fields[.ifRange] == "\"1\"")
            #expect(exchange.request.fields[.ifNoneMatch] == nil)
            let follower = try await bench.ask(Self.ask())
            try await exchange.answer(.partialContent, Self.fields("4-9/10"), body: "456789")
            try await bench.finish([client, follower])
            let status = CacheStatus(
                result: .forwarded(age == 0 ? .partial : .stale), forwardStatus: 206,
                isStored: true, ttl: 60)
            #expect(client.heard == [.stored(Self.whole, status)])
            #expect(follower.text == Self.whole)
            #expect(bench.origin.count == 2)
            try await expectWhole(bench)
        }
    }

    @Test func aRangeIsCompletedFromEitherSide() async throws {
        try await Bench.run { bench in
            try await store(bench, 3...5)
            var client = try await bench.ask(Self.ask("4-7"))
            var exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == "bytes=6-7")
            try await exchange.answer(.partialContent, Self.fields("6-7/10"), body: "67")
            try await bench.finish(client)
            #expect(client.text == "34567")
            try await expectPart(bench, "34567", 3)
            client = try await bench.ask(Self.ask("1-4"))
            exchange = try await bench.origin.exchange(2)
            #expect(exchange.request.fields[.range] == "bytes=1-2")
            try await exchange.answer(.partialContent, Self.fields("1-2/10"), body: "12")
            try await bench.finish(client)
            try await expectPart(bench, "1234567", 1)
        }
    }

    @Test func theRestOfAPartInTheFileIsAskedForToo() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3, of: "*")
            try bench.forgetMemory()
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == "bytes=4-")
            try await exchange.answer(.partialContent, Self.fields("4-9/10"), body: "456789")
            try await bench.finish(client)
            #expect(client.status?.result == .forwarded(.partial))
            try await expectWhole(bench)
        }
    }

    @Test func a200InPlaceOfTheRestReplacesThePart() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            try await exchange.answer(
                [.cacheControl: "max-age=60", .eTag: "\"2\""], body: "another")
            try await bench.finish(client)
            #expect(client.text == "another")
            try await expectWhole(bench, "another")
        }
    }

    /// Everything that is neither the rest nor the whole.
    @Test(arguments: [
        (206, "4-9/10", "\"2\"", "456789"), (206, "5-9/10", "\"1\"", "56789"),
        (206, "4-9/11", "\"1\"", "456789"), (206, "4-8/10", "\"1\"", "45678"),
        (206, "4-9/10", "\"1\"", "4567"), (206, "4-9/10", "\"1\"", "4567890"),
        (304, "", "\"1\"", ""), (416, "*/10", "\"1\"", ""), (404, "", "\"1\"", "none"),
        (503, "", "\"1\"", "down"),
    ])
    func otherwiseTheWholeIsAskedFor(
        status: Int, range: String, tag: String, body: String
    ) async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            try await exchange.head(.init(code: status), Self.fields(range, tag))
            try await exchange.body(body)
            try await exchange.end()
            let second = try await bench.origin.exchange(2)
            #expect(second.request.fields[.range] == nil)
            #expect(second.request.fields[.ifRange] == nil)
            #expect(second.request.fields[.ifNoneMatch] == nil)
            try await second.answer(Self.full, body: Self.whole)
            try await bench.finish(client)
            #expect(client.text == Self.whole)
            #expect(bench.origin.count == 3)
            try await expectWhole(bench)
        }
    }

    @Test func aRestThatBreaksOffIsNotTheAnswer() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            try await exchange.head(.partialContent, Self.fields("4-9/10"))
            try await exchange.body("45")
            try await exchange.fail()
            try await bench.origin.exchange(2).answer(Self.full, body: Self.whole)
            try await bench.finish(client)
            #expect(client.text == Self.whole)
            try await expectWhole(bench)
        }
    }

    @Test func aRestThatComesAfterAnInvalidationIsNotAddedToWhatWasBefore() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            try await exchange.head(.partialContent, Self.fields("4-9/10"))
            bench.invalidate("/a")
            try await exchange.body("456789")
            try await exchange.end()
            let second = try await bench.origin.exchange(2)
            #expect(second.request.fields[.range] == nil)
            try await second.answer(Self.full, body: "new")
            try await bench.finish(client)
            #expect(client.text == "new")
        }
    }

    @Test func aClientThatLeavesStopsNobodysRest() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            try await exchange.head(.partialContent, Self.fields("4-9/10"))
            try await bench.leave(client)
            try await exchange.body("456789")
            try await exchange.end()
            try await expectWhole(bench)
        }
    }

    @Test func aRestThatMayNotBeStoredIsAnsweredWithOnce() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            var fields = Self.fields("4-9/10")
            fields[.cacheControl] = "no-store"
            try await exchange.answer(.partialContent, fields, body: "456789")
            try await bench.finish(client)
            #expect(client.text == Self.whole)
            #expect(client.status?.isStored == false)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func withoutAStrongValidatorTheRestIsNotAskedFor() async throws {
        for tag in [nil, "W/\"1\""] as [String?] {
            try await Bench.run { bench in
                try await store(bench, 0...3, tag)
                let client = try await bench.ask(Self.ask())
                let exchange = try await bench.origin.exchange(1)
                #expect(exchange.request.fields[.range] == nil)
                #expect(exchange.request.fields[.ifNoneMatch] == nil, "a 304 would say nothing")
                try await exchange.answer(Self.full, body: Self.whole)
                try await bench.finish(client)
                #expect(client.text == Self.whole)
                try await expectWhole(bench)
            }
        }
    }

    @Test func onlyIfCachedIsNeverAnsweredWithAPart() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            for _ in 0..<2 {
                let client = try await bench.ask(Self.ask(cacheControl: ["only-if-cached"]))
                try await bench.finish(client)
                #expect(client.heard == [.failed(.onlyIfCached)])
                try bench.forgetMemory()
            }
        }
    }

    @Test func aFailingOriginDoesNotMakeAPartTheWhole() async throws {
        try await Bench.run({ $0.staleIfError = 600 }) { bench in
            try await store(bench, 0...3)
            bench.clock.advance(61)
            let client = try await bench.ask(Self.ask())
            try await bench.origin.exchange(1).fail()
            try await bench.finish(client)
            #expect(client.failure == .origin(.closed))
            // What it has may be served.
            let ranging = try await bench.ask(Self.ask("1-2"))
            try await bench.origin.exchange(2).fail()
            try await bench.finish(ranging)
            #expect(ranging.status?.result == .staleOnError)
        }
    }

    // MARK: Validating

    @Test func aStalePartIsFreshenedByA304() async throws {
        try await Bench.run { bench in
            try await store(bench, 2...6)
            bench.clock.advance(61)
            let client = try await bench.ask(Self.ask("3-4"))
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == "bytes=3-4")
            #expect(exchange.request.fields[.ifNoneMatch] == "\"1\"")
            try await exchange.answer(.notModified, Self.full, body: "")
            try await bench.finish(client)
            #expect(client.status?.result == .revalidated)
            #expect(client.status?.isStored == true)
            try await expectPart(bench, "23456", 2)
            #expect(try await bench.ask(Self.ask("2-6")).status?.result == .hit)
            #expect(bench.origin.count == 2)
        }
    }

    @Test func aPartIsRevalidatedInTheBackgroundAsAPart() async throws {
        try await Bench.run { bench in
            var fields = Self.fields("2-6/10")
            fields[.cacheControl] = "max-age=60, stale-while-revalidate=60"
            try await bench.fetch(
                Self.ask("2-6"), status: .partialContent, fields, body: "23456")
            try await bench.settle()
            bench.clock.advance(61)
            #expect(try await bench.ask(Self.ask("3-4")).status?.result == .stale)
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == "bytes=2-6")
            #expect(exchange.request.fields[.ifNoneMatch] == "\"1\"")
            // Who asks for the whole meanwhile does not get the part.
            let other = try await bench.ask(Self.ask())
            fields[.eTag] = "\"2\""
            try await exchange.answer(.partialContent, fields, body: "abcde")
            let whole = try await bench.origin.exchange(2)
            try await whole.answer(
                [.cacheControl: "max-age=60", .eTag: "\"2\""], body: "..abcde...")
            try await bench.finish(other)
            #expect(other.text == "..abcde...")
        }
    }

    @Test func aHeadIsNotAnsweredFromAPartButComparedWithIt() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3)
            var ask = Self.ask()
            ask.method = .head
            var client = try await bench.ask(ask)
            try await bench.origin.exchange(1).head(
                .ok, [.cacheControl: "max-age=90", .eTag: "\"1\"", .contentLength: "10"])
            try await bench.origin.exchange(1).end()
            try await bench.finish(client)
            try await expectPart(bench, "0123")
            #expect(bench.store.rows.first?.terms.freshUntil == start + 90)
            client = try await bench.ask(ask)
            try await bench.origin.exchange(2).head(
                .ok, [.cacheControl: "max-age=90", .contentLength: "11"])
            try await bench.origin.exchange(2).end()
            try await bench.finish(client)
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }
}
