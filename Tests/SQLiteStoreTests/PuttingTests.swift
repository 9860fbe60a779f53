import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Putting and finding")
struct PuttingTests {
    let place: Workplace
    let store: SQLiteStore

    init() throws {
        place = try Workplace()
        store = try place.open()
    }

    @Test("A stored response comes back as it was, also after a restart")
    func roundTrip() throws {
        var sample = Sample(1)
        sample.status = .init(code: 203, reasonPhrase: "Well")
        sample.fields = [.contentType: "text/plain", .cacheControl: "max-age=60"]
        sample.fields.append(HTTPField(name: .setCookie, value: "a=1"))
        sample.fields.append(HTTPField(name: .setCookie, value: ""))
        try store.commit([try sample.put])
        let entry = try sample.entry()
        #expect(try store.find(try sample.query()).entry == entry)
        try store.close()
        let reopened = try place.open()
        #expect(try reopened.find(try sample.query()).entry == entry)
    }

    @Test("Bodies of every size survive", arguments: [0, 1, 1_024, 16_384, 16_385, 300_000])
    func bodySizes(count: Int) throws {
        var sample = Sample(count)
        sample.body = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query()).entry == sample.entry())
    }

    @Test("Bytes of a value that are not UTF-8 survive")
    func invalidText() throws {
        var sample = Sample(1)
        let bytes: [UInt8] = [0x61, 0xFF, 0xFE, 0x20, 0xC3, 0x28, 0x09, 0x62]
        sample.fields.append(HTTPField(name: .server, lenientValue: bytes))
        try store.commit([try sample.put])
        let field = try #require(try store.find(try sample.query()).entry?.fields.last)
        #expect(field.withUnsafeBytesOfValue { Array($0) } == bytes)
        #expect(field.name == .server)
    }

    @Test("A put replaces the row of its key and variant")
    func replaces() throws {
        var sample = Sample(1)
        try store.commit([try sample.put])
        sample.body = Array("other".utf8)
        try store.commit([try sample.put, try Sample(2).put])
        #expect(try store.find(try sample.query()).entry?.body.bytes == ByteBuffer(string: "other"))
        #expect(try place.count() == 2)
    }

    @Test("Misses say whether the key or the URI is stored")
    func misses() throws {
        var sample = Sample(1)
        sample.vary = ["accept-language"]
        sample.variant = 5
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query(variant: 6)).name == "varyMiss")
        #expect(try store.find(try sample.query()).name == "varyMiss")
        #expect(try store.find(try sample.query(variant: 5)).name == "entry")
        var sibling = Sample(2)
        sibling.uri = 1
        #expect(try store.find(try sibling.query()).name == "miss")
        #expect(try store.find(try Sample(3).query()).name == "uriMiss")
    }

    @Test("Of several suitable variants the newest is found", arguments: [false, true])
    func newest(isReversed: Bool) throws {
        var old = Sample(1)
        old.vary = ["accept"]
        old.variant = 5
        var new = Sample(1)
        new.vary = ["accept", "accept-language"]
        new.variant = 6
        new.date += 10
        var plain = Sample(1)
        plain.date += 5
        let batch = [try old.put, try new.put, try plain.put]
        try store.commit(isReversed ? batch.reversed() : batch)
        let first = try digest(5, 2)
        let second = try digest(6, 2)
        var query = try new.query()
        query.variantKey = { $0.count == 1 ? first : second }
        #expect(try store.find(query).entry == new.entry())
        query.variantKey = { $0.count == 1 ? first : nil }
        #expect(try store.find(query).entry == plain.entry())
    }

    @Test("Of too many variants the first stored go, other keys stay")
    func variantsAreBounded() throws {
        var sample = Sample(1)
        sample.vary = ["accept"]
        let puts = try (0..<100).map { number in
            sample.variant = number
            return try sample.put
        }
        try store.commit([try Sample(2).put])
        try store.commit(puts)
        #expect(try place.count() == MemoryTier.variantLimit + 1)
        #expect(try store.find(try sample.query(variant: 35)).name == "varyMiss")
        #expect(try store.find(try sample.query(variant: 36)).name == "entry")
        #expect(try store.find(try sample.query(variant: 99)).name == "entry")
        #expect(try store.find(try Sample(2).query()).name == "entry")
    }

    @Test("Of too many variants those used last stay, and the one just stored")
    func usedVariantsStay() throws {
        var sample = Sample(1)
        sample.vary = ["accept"]
        var names: [EntryName] = []
        for number in 0..<64 {
            sample.variant = number
            try store.commit([try sample.put])
            names.append(try sample.name)
        }
        // The first ten were used, all of them long after what comes now was received.
        try store.commit([.touch(Array(names[..<10]), at: sample.date + 500)])
        for number in 100..<154 {
            sample.variant = number
            sample.date += 1
            try store.commit([try sample.put])
        }
        #expect(try place.count() == MemoryTier.variantLimit)
        for number in [0, 9, 100, 153] {
            #expect(try store.find(try sample.query(variant: number)).name == "entry")
        }
        #expect(try store.find(try sample.query(variant: 10)).name == "varyMiss")
        // Now everything else was used later: the new one stays all the same.
        for number in 100..<154 {
            sample.variant = number
            names.append(try sample.name)
        }
        try store.commit([.touch(names, at: sample.date + 600)])
        sample.variant = 200
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query(variant: 200)).name == "entry")
        #expect(try place.count() == MemoryTier.variantLimit)
    }

    @Test("A use is noted for the row that has the name, the latest time stays")
    func touches() throws {
        var varying = Sample(1)
        varying.vary = ["accept"]
        varying.variant = 5
        try store.commit([try varying.put, try Sample(1).put, try Sample(2).put])
        try store.commit([
            .touch([try varying.name, try Sample(1).name, try Sample(9).name], at: 1_790_000_100),
            .touch([try Sample(1).name], at: 1_790_000_050),
        ])
        #expect(try place.count("touches") == 2)
        #expect(try place.count("touches WHERE last_used = 1790000100 AND uses = 1") == 1)
        #expect(try place.count("touches WHERE last_used = 1790000100 AND uses = 2") == 1)
        #expect(try place.count("entries WHERE last_used_at = '2026-09-21T14:15:00Z'") == 2)
    }

    @Test("A delete takes one variant, or the row without one")
    func deletes() throws {
        var varying = Sample(1)
        varying.vary = ["accept"]
        varying.variant = 5
        try store.commit([try varying.put, try Sample(1).put])
        try store.commit([
            .delete(
                EntryName(
                    uriKey: try digest(1, 1), primaryKey: try digest(1), variantKey: nil))
        ])
        #expect(try store.find(try Sample(1).query(variant: 6)).name == "varyMiss")
        #expect(try store.find(try varying.query(variant: 5)).name == "entry")
        try store.commit([
            .delete(
                EntryName(
                    uriKey: try digest(1, 1), primaryKey: try digest(1),
                    variantKey: try digest(5, 2)))
        ])
        #expect(try store.find(try varying.query(variant: 5)).name == "uriMiss")
    }

    @Test("Invalidation takes every method and variant of a URI and leaves a note")
    func invalidates() throws {
        var post = Sample(2)
        post.uri = 1
        post.method = "POST"
        try store.commit([try Sample(1).put, try post.put, try Sample(3).put])
        try store.commit([.invalidate(try digest(1, 1), at: 1_790_000_123)])
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        #expect(try store.find(try post.query()).name == "uriMiss")
        #expect(try store.find(try Sample(3).query()).name == "entry")
        #expect(try place.count("invalidations WHERE at = 1790000123") == 1)
    }

    @Test("The log of invalidations stays bounded")
    func invalidationsPruned() throws {
        try store.close()
        let bounded = try place.open { $0.invalidationsKept = 300 }
        let key = try digest(1, 1)
        for _ in 0..<8 {
            try bounded.commit((0..<128).map { .invalidate(key, at: $0) })
        }
        let count = try place.count("invalidations")
        #expect((300..<(300 + 256)).contains(count))
    }

    @Test("Freshening changes fields and times and leaves the body")
    func freshens() throws {
        let sample = Sample(1)
        try store.commit([try sample.put])
        var fresh = sample
        fresh.fields = [.eTag: "\"1\"", .age: "0"]
        fresh.date += 100
        try store.commit([.freshen(try fresh.response())])
        #expect(try store.find(try sample.query()).entry == fresh.entry())
        #expect(try place.count() == 1)
    }

    @Test("Freshening puts the whole response when the row is gone or has another body")
    func freshensWhole() throws {
        var sample = Sample(1)
        try store.commit([.freshen(try sample.response())])
        #expect(try store.find(try sample.query()).entry == sample.entry())
        sample.body = Array("changed".utf8)
        try store.commit([.freshen(try sample.response())])
        #expect(try store.find(try sample.query()).entry == sample.entry())
    }

    @Test("Order in a batch is order in the file")
    func order() throws {
        let sample = Sample(1)
        let delete = Mutation.delete(
            EntryName(
                uriKey: try digest(1, 1), primaryKey: try digest(1), variantKey: nil))
        try store.commit([try sample.put, delete])
        #expect(try store.find(try sample.query()).name == "uriMiss")
        try store.commit([delete, try sample.put])
        #expect(try store.find(try sample.query()).name == "entry")
    }

    @Test("A closed store says so")
    func closed() throws {
        try store.close()
        #expect(throws: StoreError.closed) { try store.find(try Sample(1).query()) }
        #expect(throws: StoreError.closed) { try store.commit([try Sample(1).put]) }
        #expect(throws: StoreError.closed) { try store.tend(isIdle: true, pins: BodyPins()) }
        try store.close()
    }

    @Test("Several threads read while one writes")
    func concurrentReads() async throws {
        try store.commit(try (0..<64).map { try Sample($0).put })
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask { [store] in
                    (0..<200).count { index in
                        let query = try? Sample(index % 64).query()
                        let finding = query.flatMap { try? store.find($0) }
                        return finding?.entry?.body.bytes == ByteBuffer(string: "hello")
                    }
                }
            }
            for index in 0..<40 {
                #expect(throws: Never.self) { try store.commit([try Sample(index).put]) }
            }
            for await found in group { #expect(found == 200) }
        }
    }
}
