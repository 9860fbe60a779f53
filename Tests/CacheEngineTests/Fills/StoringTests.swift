import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// From a miss to a stored answer, and the ways it is found again.
@Suite struct StoringTests {
    @Test func aMissIsFetchedStoredAndHit() async throws {
        try await Bench.run { bench in
            let first = try await bench.fetch()
            let forwarded = CacheStatus(
                result: .forwarded(.uriMiss), forwardStatus: 200, isStored: true, ttl: 60)
            #expect(first.heard == [.head(200, forwarded), .body("body"), .end])
            #expect(first.fields[values: .via] == ["1.1 larder"])
            #expect(first.fields[values: .date].count == 1)
            bench.clock.advance(10)
            let second = try await bench.ask()
            #expect(second.heard == [.stored("body", CacheStatus(result: .hit, ttl: 50))])
            #expect(bench.origin.count == 1)
            try await bench.settle()
            #expect(bench.store.rows.count == 1)
            #expect(bench.store.rows.first?.fields[values: .via] == ["1.1 larder"])
        }
    }

    @Test func hopByHopFieldsAreNeitherPassedOnNorStored() async throws {
        try await Bench.run { bench in
            let client = try await bench.fetch([
                .cacheControl: "max-age=60", .connection: "close, x-hop",
                field("x-hop"): "1", field("x-kept"): "2",
            ])
            for fields in [client.fields, bench.store.rows.first?.fields ?? client.fields] {
                #expect(fields[values: .connection] == [])
                #expect(fields[field("x-hop")] == nil)
                #expect(fields[field("x-kept")] == "2")
            }
        }
    }

    @Test func itIsStoredBeforeTheClientHasItsEnd() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "max-age=60"], framing: .length(4))
            try await exchange.body("body")
            #expect(try bench.inMemory() == nil, "not before it is whole")
            try await exchange.end()
            #expect(client.heard.last == .end)
            #expect(try bench.inMemory() != nil)
        }
    }

    @Test func whatIsPendingIsReadableBeforeItsCommit() async throws {
        try await Bench.run { bench in
            bench.store.hold()
            try await bench.fetch()
            try bench.forgetMemory()
            let finds = bench.store.finds
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.heard == [.stored("body", CacheStatus(result: .hit, ttl: 60))])
            #expect(bench.store.finds == finds, "no need to ask the file")
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func aNeighbourInTheTableOfGenerationsHidesNothingPending() async throws {
        try await Bench.run { bench in
            bench.store.hold()
            try await bench.fetch()
            let uri = try Ask().fillRequest().identity.uriKey
            let neighbour = try #require(
                (0...).lazy.map { digest($0) }.first {
                    $0.firstWord & 16_383 == uri.firstWord & 16_383
                })
            bench.engine.writes.invalidate(
                neighbour, at: start, generations: bench.engine.generations)
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.status?.result == .hit)
        }
    }

    @Test func aDurableHitIsPromoted() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { try await $0.fetch() }
        #expect(store.rows.count == 1)
        try await Bench.run(store: store) { bench in
            bench.clock.advance(20)
            let first = try await bench.ask()
            try await bench.finish(first)
            #expect(first.heard == [.stored("body", CacheStatus(result: .hit, ttl: 40))])
            #expect(bench.store.finds == 2)
            let second = try await bench.ask()
            #expect(second.heard == first.heard)
            #expect(bench.store.finds == 2, "from memory")
            #expect(bench.origin.count == 0)
        }
    }

    @Test func missesNameTheirReason() async throws {
        let store = FakeStore()
        try await Bench.run(store: store) { bench in
            let vary: HTTPFields = [.cacheControl: "max-age=60", .vary: "accept-language"]
            let first = try await bench.fetch(Ask(lines: ["accept-language": ["en"]]), vary)
            #expect(first.status?.result == .forwarded(.uriMiss))
            try await bench.settle()
            let other = try await bench.fetch(
                Ask(lines: ["accept-language": ["de"]]), vary, body: "German")
            #expect(other.status?.result == .forwarded(.varyMiss))
            try await bench.settle()
            for (language, body) in [("en", "body"), ("de", "German")] {
                let client = try await bench.ask(Ask(lines: ["accept-language": [language]]))
                try await bench.finish(client)
                #expect(client.heard.first.map { "\($0)" }?.contains(body) == true)
            }
            #expect(bench.origin.count == 2)
            #expect(store.rows.count == 2)
        }
    }

    @Test(
        arguments: [
            ("no-store", StoragePolicy(), Ask(), "no-store"),
            ("private", StoragePolicy(), Ask(), "private"),
            ("max-age=60", StoragePolicy(), Ask(cacheControl: ["no-store"]), "request-no-store"),
            ("max-age=60", StoragePolicy(), Ask(hasCredentials: true), "credentials"),
        ])
    func whatIsNotStoredSaysWhy(
        cacheControl: String, policy: StoragePolicy, ask: Ask, detail: String
    ) async throws {
        try await Bench.run { bench in
            let client = try await bench.fetch(ask, [.cacheControl: cacheControl])
            #expect(client.text == "body")
            #expect(client.heard.last == .end)
            #expect(client.status?.isStored == false)
            #expect(client.status?.detail == detail)
            #expect(try bench.inMemory() == nil)
            #expect(bench.engine.writes.isEmpty)
        }
    }

    @Test func anUncomputableVariantIsNotStoredAndSaysSo() async throws {
        try await Bench.run { bench in
            let client = try await bench.fetch(
                Ask(lines: ["x": ["\u{FFFD}"]]), [.cacheControl: "max-age=60", .vary: "x"])
            #expect(client.status?.isStored == false)
            #expect(client.status?.detail == "unkeyed")
            #expect(bench.engine.memory.count == 0)
            #expect(bench.engine.writes.isEmpty)
        }
    }

    @Test func informationalHeadsArePassedOn() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.send {
                $0.originInformational(HTTPResponse(status: HTTPResponse.Status(code: 103)))
            }
            try await exchange.answer([.cacheControl: "max-age=60"])
            #expect(client.heard.first == .informational(103))
            #expect(client.heard.count == 4)
        }
    }

    @Test(arguments: [OriginFraming.length(65), .chunked])
    func aBodyOverTheLimitIsDeliveredAndNotStored(framing: OriginFraming) async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "max-age=60"], framing: framing)
            for _ in 0..<6 { try await exchange.body("0123456789") }
            try await exchange.body("01234")
            try await exchange.end()
            #expect(client.text.utf8.count == 65)
            #expect(client.heard.last == .end)
            if framing != .chunked {
                #expect(client.status?.detail == "body-limit")
                #expect(client.status?.isStored == false)
            }
            #expect(bench.engine.memory.count == 0)
            #expect(bench.engine.writes.isEmpty)
        }
    }

    @Test func aBodyOfTheLimitIsStored() async throws {
        try await Bench.run { bench in
            try await bench.fetch(body: String(repeating: "x", count: 64))
            #expect(bench.engine.memory.count == 1)
        }
    }

    @Test func aSmallQueueTakesLargeBodiesInSmallChunks() async throws {
        try await Bench.run({
            $0.maxObjectBytes = 1 << 20
            $0.queue = WriteQueue.Limits(bytes: 64 << 10)
        }) { bench in
            for size in [8 << 10, 8193, 60 << 10] {
                let text = String(repeating: "x", count: size)
                let client = try await bench.fetch(Ask(target: "/\(size)"), body: text)
                #expect(client.status?.isStored == true)
                try await bench.settle()
                let hit = try await bench.ask(Ask(target: "/\(size)"))
                try await bench.finish(hit)
                #expect(hit.text == text && hit.status?.result == .hit)
            }
            #expect(bench.engine.counters.shedPuts.current == 0)
            // A hit has its last chunks from the queue.
            try await bench.settle()
            let counts = bench.store.state.withLock { $0.chunks.values.map(\.count) }
            #expect(counts.sorted() == [3, 15])
        }
    }

    @Test func whatIsCutIsNotStoredAndTheClientIsTold() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask()
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "max-age=60"], framing: .length(8))
            try await exchange.body("half")
            try await exchange.fail(.closed)
            #expect(client.heard.suffix(2) == [.body("half"), .failed(.origin(.closed))])
            #expect(bench.engine.memory.count == 0)
            #expect(bench.engine.writes.isEmpty)
        }
    }

    @Test func theEndOfTheConnectionIsAnEndOnlyWithALifetime() async throws {
        try await Bench.run { bench in
            for (target, fields, isStored) in [
                ("/a", [.cacheControl: "max-age=60"] as HTTPFields, true),
                ("/b", [.lastModified: "Thu, 01 Jan 2015 00:00:00 GMT"], false),
            ] {
                let number = bench.origin.count
                let client = try await bench.ask(Ask(target: target))
                let exchange = try await bench.origin.exchange(number)
                try await exchange.head(fields, framing: .closeDelimited)
                try await exchange.end()
                #expect(client.status?.isStored == isStored)
                #expect(try (bench.inMemory(Ask(target: target)) != nil) == isStored)
            }
        }
    }

    @Test func aPausedClientPausesTheOriginOfWhatIsNotStored() async throws {
        let large = String(repeating: "x", count: 40 << 10)
        try await Bench.run { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([.cacheControl: "no-store"])
            try await exchange.body(large)
            #expect(!exchange.isPaused)
            try await exchange.body(large)
            #expect(exchange.isPaused)
            try await bench.control(client) { $0.resume() }
            #expect(!exchange.isPaused)
            #expect(client.text == large + large)
            try await exchange.end()
        }
    }

    @Test func aPausedClientDoesNotPauseTheOriginOfWhatIsStored() async throws {
        try await Bench.run { bench in
            let client = try await bench.ask(pausesAtOnce: true)
            let exchange = try await bench.origin.exchange(0)
            try await exchange.answer([.cacheControl: "max-age=60"])
            #expect(!exchange.isPaused && bench.engine.memory.count == 1)
            #expect(client.text == "")
            try await bench.control(client) { $0.resume() }
            #expect(client.text == "body" && client.isOver)
        }
    }

    @Test func cutContentOfARequestIsKeptWithoutTheRest() async throws {
        try await Bench.run { bench in
            let whole = ByteBuffer(repeating: 0x61, count: 100_000)
            let slice = try #require(whole.getSlice(at: 0, length: 100))
            let content = RequestContent(bytes: slice, isTruncated: true, mediaType: nil)
            try await bench.fetch(Ask(content: content))
            let kept = try #require(try bench.inMemory()?.entry.requestContent?.bytes)
            #expect(kept == slice)
            #expect(kept.storageCapacity < 1000)
        }
    }
}
