import CacheKeys
import HTTPCaching
import Synchronization
import Testing

@testable import CacheEngine

@Suite struct KeyFilterTests {
    private static func random(_ count: Int, seed: UInt64) throws -> [Digest] {
        var state = seed
        return try (0..<count).map { _ in
            var bytes: [UInt8] = []
            for _ in 0..<4 {
                // SplitMix64: all bits of a digest are as good as random.
                state &+= 0x9E37_79B9_7F4A_7C15
                var word = state
                word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
                word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
                word ^= word >> 31
                withUnsafeBytes(of: word) { bytes.append(contentsOf: $0) }
            }
            return try #require(Digest(bytes: bytes))
        }
    }

    @Test func whatWasAddedIsNeverDenied() throws {
        let filter = KeyFilter(capacity: 1)
        let added = try Self.random(100_000, seed: 1)
        for digest in added { filter.insert(digest) }
        #expect(added.allSatisfy { filter.mayContain($0) })
    }

    @Test func fewOthersAreBelieved() throws {
        let filter = KeyFilter(capacity: 1)
        for digest in try Self.random(filter.capacity, seed: 2) { filter.insert(digest) }
        #expect(!filter.isFull)
        let wrong = try Self.random(20_000, seed: 3).count { filter.mayContain($0) }
        #expect(wrong < 20_000 / 20, "\(wrong) of 20000")
        for digest in try Self.random(filter.capacity / 2, seed: 4) { filter.insert(digest) }
        #expect(filter.isFull)
    }

    @Test func anEmptyOneDeniesAll() throws {
        let filter = KeyFilter(capacity: 1000)
        #expect(try Self.random(1000, seed: 5).allSatisfy { !filter.mayContain($0) })
    }
}

@Suite struct StoredKeysTests {
    private let known = EntryName(uriKey: digest(1), primaryKey: digest(2), variantKey: nil)
    private let late = EntryName(uriKey: digest(3), primaryKey: digest(4), variantKey: nil)

    @Test func nothingIsKnownBeforeAllIsLoaded() {
        let keys = StoredKeys()
        #expect(keys.expectation(of: digest(9), uri: digest(9)) == .response)
        let filter = keys.begin(capacity: 10)
        #expect(keys.expectation(of: digest(9), uri: digest(9)) == .response)
        filter.insert(known.primaryKey)
        filter.insert(known.uriKey)
        keys.add(late)
        keys.finish(filter)
        #expect(keys.expectation(of: known.primaryKey, uri: known.uriKey) == .response)
        #expect(keys.expectation(of: late.primaryKey, uri: late.uriKey) == .response)
        #expect(keys.expectation(of: digest(9), uri: known.uriKey) == .uri)
        #expect(keys.expectation(of: digest(9), uri: digest(9)) == .nothing)
    }

    @Test func whatIsForgottenWhileLoadingStaysUnknown() {
        let keys = StoredKeys()
        let filter = keys.begin(capacity: 10)
        keys.forget()
        keys.finish(filter)
        #expect(keys.expectation(of: digest(9), uri: digest(9)) == .response)
        #expect(!keys.isLoading(filter))
    }

    @Test func loadingIsNotBegunTooOften() {
        let keys = StoredKeys()
        #expect(keys.beginIfDue(now: 1000))
        #expect(!keys.beginIfDue(now: 1010))
        #expect(keys.beginIfDue(now: 1030))
        keys.finish(keys.begin(capacity: 10))
        #expect(!keys.beginIfDue(now: 2000), "known")
        keys.forget()
        #expect(keys.beginIfDue(now: 2000))
    }
}

/// The filter in front of the durable tier.
@Suite struct KnownKeysTests {
    @Test func missesThatAreSureReadNothing() async throws {
        try await Bench.run { bench in
            try await bench.fetch(Ask(target: "/first"))
            try await eventually("the keys are known") {
                bench.engine.storedKeys.expectation(of: digest(9), uri: digest(9)) == .nothing
            }
            let finds = bench.store.finds
            let client = try await bench.fetch(Ask(target: "/second"))
            #expect(client.status?.result == .forwarded(.uriMiss))
            #expect(bench.store.finds == finds)
        }
    }

    @Test func aRowThatOthersPutIsFound() async throws {
        let filled = FakeStore()
        try await Bench.run(store: filled) { try await $0.fetch() }
        try await Bench.run { bench in
            try await bench.fetch(Ask(target: "/first"))
            try await eventually("the keys are known") {
                bench.engine.storedKeys.expectation(of: digest(9), uri: digest(9)) == .nothing
            }
            for entry in filled.rows { bench.store.add(entry) }
            let before = bench.engine.currentEpoch
            bench.store.state.withLock { $0.news = StoreNews(foreignCommit: true) }
            try await eventually("the foreign commit is noticed") {
                bench.engine.currentEpoch != before
            }
            let client = try await bench.ask()
            try await bench.finish(client)
            #expect(client.status?.result == .hit)
        }
    }
}
