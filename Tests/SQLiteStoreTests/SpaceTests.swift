import CacheKeys
import GRDB
import NIOCore
import Testing

@testable import CacheEngine
@testable import SQLiteStore

@Suite("The file keeps its size")
struct SpaceTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private func large(_ key: Int, _ count: Int = 10_000) throws -> Mutation {
        var sample = Sample(key)
        sample.body = [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: count)
        return try sample.put
    }

    private func use(_ store: SQLiteStore) throws -> FileBudget.Use {
        let writer = try store.currentFile().writer
        let use = writer.access { try? $0.use() } ?? nil
        return try #require(use)
    }

    /// Looks after the file until nothing is left to do; returns how many responses went.
    @discardableResult
    private func settle(_ store: SQLiteStore, isIdle: Bool = true) throws -> Int {
        var evicted = 0
        while true {
            let news = try store.tend(isIdle: isIdle, pins: BodyPins())
            evicted += news.evicted
            if !news.hasMoreWork { return evicted }
        }
    }

    private static let budget: Int64 = 8_000_000

    @Test(
        "Three times the budget stays within it, however often it is looked after",
        arguments: [0, 1, 7])
    func threeTimes(batchesBetween: Int) throws {
        let store = try place.open { $0.maxBytes = Self.budget }
        _ = try store.tend(isIdle: true, pins: BodyPins())
        var evicted = 0
        for batch in 0..<60 {
            try store.commit(try (0..<40).map { try large(batch * 40 + $0) })
            #expect(try use(store).usedBytes <= Self.budget)
            #expect(try use(store).pages * 4_096 <= Self.budget)
            if batchesBetween > 0, batch % batchesBetween == 0 {
                evicted += try settle(store, isIdle: false)
            }
        }
        evicted += try settle(store)
        #expect(try use(store).usedBytes <= Self.budget / 20 * 19)
        #expect(try place.count() == 2_400 - evicted)
        #expect(try place.count() > 400)
        // What was stored last is there, what was stored first is not.
        let first = 2_400 - (try place.count())
        for key in [first, first + 1, 2_399] {
            #expect(try store.find(try Sample(key).query()).name == "entry")
        }
        for key in [0, 1, first - 1] {
            #expect(try store.find(try Sample(key).query()).name == "uriMiss")
        }
        try store.close()
        #expect(place.size("larder.db") <= Self.budget)
        #expect(place.size("larder.db") > Self.budget / 2)
    }

    @Test(
        "So it is with large bodies, whose chunks go behind their responses",
        arguments: [true, false])
    func threeTimesLarge(isTended: Bool) throws {
        let store = try place.open { $0.maxBytes = Self.budget }
        _ = try store.tend(isIdle: true, pins: BodyPins())
        for key in 0..<24 {
            var sample = Sample(key)
            let large = LargeBody(store.makeBodyID(), length: 1_000_000, chunkBytes: 65_536)
            sample.large = large
            for chunk in large.chunks {
                try store.commit([chunk])
                #expect(try use(store).usedBytes <= Self.budget)
            }
            try store.commit([try sample.put])
            if isTended { try settle(store, isIdle: false) }
        }
        try settle(store)
        #expect(try use(store).usedBytes <= Self.budget / 10 * 9)
        #expect(try place.count("bodies") == place.count())
        #expect((5...7).contains(try place.count()))
        #expect(try store.find(try Sample(23).query()).name == "entry")
        try store.close()
        #expect(place.size("larder.db") <= Self.budget)
    }

    @Test("Of two that mix, small ones do not go for a large one that would be enough")
    func mixed() throws {
        let store = try place.open { $0.maxBytes = Self.budget }
        _ = try store.tend(isIdle: true, pins: BodyPins())
        var sample = Sample(1)
        sample.large = LargeBody(store.makeBodyID(), length: 4_000_000, chunkBytes: 65_536)
        for chunk in sample.large?.chunks ?? [] { try store.commit([chunk]) }
        try store.commit([try sample.put])
        for batch in 0..<10 {
            try store.commit(try (0..<40).map { try large(100 + batch * 40 + $0, 9_000) })
        }
        #expect(try settle(store) == 1)
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        #expect(try place.count() == 400)
        #expect(try place.count("chunks") == 0)
    }

    @Test("A pinned body is not evicted, and not what was stored long before others")
    func pinned() throws {
        let store = try place.open { $0.maxBytes = Self.budget }
        let pins = BodyPins()
        var sample = Sample(1)
        let body = LargeBody(store.makeBodyID(), length: 500_000, chunkBytes: 65_536)
        sample.large = body
        try store.commit(body.chunks + [try sample.put])
        pins.pin(body.body.id)
        _ = try store.tend(isIdle: true, pins: pins)
        for batch in 0..<40 {
            try store.commit(try (0..<40).map { try large(100 + batch * 40 + $0) })
            _ = try store.tend(isIdle: true, pins: pins)
        }
        #expect(try store.find(try sample.query()).name == "entry")
        #expect(try store.chunk(7, of: body.body.id) == .bytes(body.bytes(7)))
        pins.unpin(body.body.id)
        place.clock.advance(1)
        for batch in 0..<40 {
            var batchOf = try (0..<40).map { try large(10_000 + batch * 40 + $0) }
            // Later than the pinned one's use.
            for index in batchOf.indices {
                guard case .put(let response) = batchOf[index] else { continue }
                var entry = response.entry
                entry.responseTime += 10
                batchOf[index] = .put(
                    StoredResponse(entry: entry, rendering: ByteBuffer(), generation: 0, epoch: 0))
            }
            try store.commit(batchOf)
            _ = try store.tend(isIdle: true, pins: pins)
        }
        #expect(try store.find(try sample.query()).name == "uriMiss")
    }

    @Test("Rows past every window go first, whatever was used last")
    func expiredFirst() throws {
        let store = try place.open()
        for key in 0..<200 {
            var sample = Sample(key)
            sample.date -= key < 50 ? 4 * 86_400 : 0
            try store.commit([try sample.put])
        }
        try store.commit([.touch(try (0..<50).map { try Sample($0).name }, at: place.clock.now)])
        let writer = try store.currentFile().writer
        let now = place.clock.now
        #expect(writer.access { try? $0.evictStep(need: 10_000, now: now) } == true)
        let afterOne = try place.count()
        #expect(afterOne > 150 && afterOne < 200)
        while try place.count() > 150 {
            #expect(writer.access { try? $0.evictStep(need: 1_000, now: now) } == true)
        }
        #expect(try store.find(try Sample(49).query()).name == "uriMiss")
        #expect(try store.find(try Sample(50).query()).name == "entry")
        #expect(writer.access { try? $0.evictStep(need: 1, now: now) } == true)
        #expect(try store.find(try Sample(50).query()).name == "uriMiss")
    }

    @Test("What nothing can be done with goes in idle time, two days and more after its end")
    func expiry() throws {
        let store = try place.open()
        var long = Sample(200)
        long.date += 10 * 86_400
        try store.commit(try (0..<150).map { try Sample($0).put } + [try long.put])
        place.clock.advance(2 * 86_400)
        #expect(try settle(store) == 0)
        place.clock.advance(21_600 + 100)
        #expect(try settle(store, isIdle: false) == 0)
        #expect(try settle(store) == 150)
        #expect(try place.count() == 1)
        #expect(try store.tend(isIdle: true, pins: BodyPins()) == StoreNews())
    }

    @Test("After much was deleted the file gets shorter, on the disk too")
    func shrinks() throws {
        let store = try place.open()
        try store.commit(try (0..<2_000).map { try large($0) })
        place.clock.advance(5)
        try settle(store)
        try settle(store)
        #expect(place.size("larder.db") > 20_000_000)
        // Every third stays, so that free pages are everywhere.
        try place.execute("DELETE FROM responses WHERE id % 3 > 0")
        #expect(try settle(store, isIdle: false) == 0)
        place.clock.advance(5)
        try settle(store)
        #expect(place.size("larder.db") < 11_000_000)
        #expect(place.size("larder.db-wal") == 0)
        #expect(try use(store).freePages <= 1_024)
        for key in [2, 5, 1_997] {
            #expect(try store.find(try Sample(key).query()).name == "entry")
        }
        try store.close()
        try place.execute("PRAGMA wal_autocheckpoint = 0")
        #expect(try place.text("PRAGMA integrity_check") == "ok")
    }

    @Test("A file that is over a lowered budget opens, works and comes down to it")
    func lowered() throws {
        let before = try place.open()
        try before.commit(try (0..<2_000).map { try large($0) })
        try before.close()
        #expect(place.size("larder.db") > 20_000_000)
        let store = try place.open { $0.maxBytes = Self.budget }
        for batch in 0..<5 {
            try store.commit(try (0..<40).map { try large(5_000 + batch * 40 + $0) })
        }
        #expect(try use(store).usedBytes < 20_000_000)
        try settle(store)
        place.clock.advance(5)
        try settle(store)
        #expect(place.size("larder.db") < Self.budget + 4_200_000)
        #expect(try store.find(try Sample(5_199).query()).name == "entry")
        // SQLite's own limit came down with it.
        let limit = try store.currentFile().writer.access { $0.isOverLimit }
        #expect(limit == false)
    }

    @Test("A body that leaves room for nothing is refused and dropped, then puts go on")
    func bodyTooLarge() throws {
        let store = try place.open { $0.maxBytes = Self.budget }
        _ = try store.tend(isIdle: true, pins: BodyPins())
        try store.commit(try (0..<40).map { try large($0) })
        let body = LargeBody(store.makeBodyID(), length: 20_000_000, chunkBytes: 262_144)
        #expect(throws: StoreError.full) {
            for chunk in body.chunks { try store.commit([chunk]) }
        }
        #expect(try use(store).usedBytes <= Self.budget)
        #expect(throws: StoreError.full) { try store.commit(try (0..<40).map { try large($0) }) }
        try store.commit([.dropBody(body.body.id)])
        try store.commit(try (0..<40).map { try large($0) })
        #expect(try place.count() == 40)
    }

    @Test("A batch of more than the budget is refused, and costs nothing that is stored")
    func batchTooLarge() throws {
        let store = try place.open { $0.maxBytes = 1_000_000 }
        try store.commit([try Sample(1).put])
        #expect(throws: StoreError.full) { try store.commit(try (2..<100).map { try large($0) }) }
        #expect(try store.find(try Sample(1).query()).name == "entry")
    }

    @Test("SQLite's own refusal is answered by evicting, once")
    func refused() throws {
        let store = try place.open { $0.maxPageCount = 300 }
        for key in 0..<400 { try store.commit([try large(key, 3_000)]) }
        #expect(try store.find(try Sample(399).query()).name == "entry")
        #expect(try store.find(try Sample(0).query()).name == "uriMiss")
        #expect(try use(store).pages <= 300)
    }

    @Test("Quiet work gives way to another writer")
    func busy() throws {
        let store = try place.open()
        try store.commit(try (0..<500).map { try large($0) })
        try place.execute("DELETE FROM responses")
        _ = try store.tend(isIdle: false, pins: BodyPins())
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(try store.tend(isIdle: true, pins: BodyPins()) == StoreNews())
        try visitor.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try visitor.close()
        try settle(store)
        #expect(try use(store).pages < 1_200)
    }
}
