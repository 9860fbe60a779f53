import CacheEngine
import CacheKeys
import GRDB
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Named caches")
struct NamedCacheTests {
    let place: Workplace
    let store: SQLiteStore

    init() throws {
        place = try Workplace()
        store = try place.open()
    }

    private func put(_ keys: [String], in cacheName: String = "") throws {
        try store.commit(try keys.map { try CachedSample($0, in: cacheName).put })
    }

    private func names() throws -> [String] { try store.caches().map(\.name) }

    private func delete(_ name: String) throws {
        try store.commit([.invalidateGroups([EntryGroup.cache(name)], at: 5)])
    }

    @Test("Caches are in the order of their creation, by opening or by the first put")
    func creation() throws {
        #expect(try store.caches() == [])
        try store.commit([.openCache("z", at: 1), .openCache("a", at: 2)])
        try put(["http://a/"], in: "m")
        try store.commit([.openCache("b", at: 3), .openCache("z", at: 4), .openCache("m", at: 5)])
        #expect(try names() == ["z", "a", "m", "b"])
        #expect(try place.text("SELECT created_at FROM caches WHERE name = 'z'") == "1")
        #expect(
            try place.text("SELECT created_at FROM caches WHERE name = 'm'") == "1790000000")
        try store.close()
        #expect(try place.open().caches().map(\.name) == ["z", "a", "m", "b"])
    }

    @Test("Names differ by bytes", arguments: [["a", "A"], ["\u{E9}", "e\u{301}"], ["a", "a "]])
    func bytes(pair: [String]) throws {
        for name in pair { try store.commit([.openCache(name, at: 1)]) }
        #expect(try names().map { Array($0.utf8) } == pair.map { Array($0.utf8) })
    }

    @Test("The default cache has no name and no row; it stands first while something is in it")
    func defaultCache() throws {
        try store.commit([.openCache("a", at: 1), .openCache("", at: 2)])
        #expect(try names() == ["a"])
        try put(["http://a/"])
        #expect(try names() == ["", "a"])
        #expect(try place.count("caches") == 1)
        try store.commit([.delete(try CachedSample("http://a/").name)])
        #expect(try names() == ["a"])
    }

    @Test("A cache counts its responses and their bytes; one that is emptied stays")
    func sizes() throws {
        try put(["http://a/1", "http://a/2"], in: "c")
        try put(["http://a/1"])
        try put(["http://a/1"], in: "c")
        #expect(
            try store.caches() == [
                CacheSummary(name: "", entries: 1, bytes: 5),
                CacheSummary(name: "c", entries: 2, bytes: 10),
            ])
        for key in ["http://a/1", "http://a/2"] {
            try store.commit([.delete(try CachedSample(key, in: "c").name)])
        }
        #expect(try store.caches().last == CacheSummary(name: "c", entries: 0, bytes: 0))
    }

    @Test("Deleting a cache takes its rows and its name, and those of no other")
    func deletion() throws {
        for name in ["", "a", "b", "A", "ab"] {
            try put(["http://a/1", "own"], in: name)
        }
        try delete("a")
        #expect(try names() == ["", "b", "A", "ab"])
        #expect(try store.urls("a") == [])
        #expect(try store.find(try CachedSample("own", in: "a").query()).name == "uriMiss")
        for name in ["", "b", "A", "ab"] {
            #expect(try store.urls(name) == ["http://a/1", "own"])
        }
        try delete("")
        #expect(try names() == ["b", "A", "ab"])
        #expect(try store.urls() == [])
        try delete("nobody")
        #expect(try names() == ["b", "A", "ab"])
        #expect(try place.count() == 6)
        // One of that name may be made again; it is the youngest then.
        try put(["http://a/1"], in: "a")
        #expect(try names() == ["b", "A", "ab", "a"])
    }

    @Test("Deleting is in the durable log, and in the order of the batch")
    func deletionOrder() throws {
        let sample = try CachedSample("http://a/1", in: "c")
        try store.commit([
            try sample.put, .invalidateGroups([EntryGroup.cache("c")], at: 5),
            .openCache("c", at: 6),
        ])
        #expect(try names() == ["c"])
        #expect(try place.count() == 0)
        #expect(try place.text("SELECT at || reason FROM invalidations") == "5group cache c")
        try store.commit([.invalidateGroups([EntryGroup.cache("c")], at: 7), try sample.put])
        #expect(try store.urls("c") == ["http://a/1"])
    }

    @Test("What has a tag goes with it from every cache; a cache is no tag")
    func tags() throws {
        let name = try #require(HTTPField.Name("Cache-Tag"))
        for (key, cache, value) in [
            ("http://a/1", "", "One, two"), ("http://a/2", "c", "ONE"), ("http://a/3", "c", "two"),
            ("http://a/4", "c", "cache c"), ("http://a/5", "", ""),
        ] {
            var sample = try CachedSample(key, in: cache)
            sample.fields.append(HTTPField(name: name, value: value))
            try store.commit([try sample.put])
        }
        #expect(
            try place.text(
                """
                SELECT group_concat(line)
                FROM (SELECT response_id || tag AS line FROM tags ORDER BY response_id, tag)
                """)
                == "1tag one,1tag two,2tag one,3tag two")
        try store.commit([.invalidateGroups([EntryGroup.tag("one")], at: 5)])
        #expect(try store.urls() == ["http://a/5"])
        #expect(try store.urls("c") == ["http://a/3", "http://a/4"])
        // What is put again has the tags that it has now.
        try put(["http://a/3"], in: "c")
        try store.commit([.invalidateGroups([EntryGroup.tag("two")], at: 6)])
        #expect(try store.urls("c") == ["http://a/4", "http://a/3"])
        #expect(try place.count("tags") == 0)
        #expect(try names() == ["", "c"])
    }

    @Test("The large body of a row that is replaced or deleted is left to be swept")
    func largeBodies() throws {
        func large() throws -> CachedSample {
            var sample = try CachedSample("http://a/1", in: "c")
            sample.large = LargeBody(store.makeBodyID())
            return sample
        }
        let ends: [() throws -> [Mutation]] = [
            { [try CachedSample("http://a/1", in: "c").put] },
            {
                let sample = try large()
                return try #require(sample.large).chunks + [try sample.put]
            },
            { [.invalidateGroups([EntryGroup.cache("c")], at: 5)] },
            { [.invalidate(try CachedSample("http://a/1", in: "c").keys.uriKey, at: 5)] },
        ]
        for end in ends {
            let sample = try large()
            let body = try #require(sample.large)
            try store.commit(body.chunks + [try sample.put])
            #expect(try store.walk("c").map(\.size) == [2_500])
            #expect(try store.caches().map(\.bytes) == [2_500])
            #expect(try store.find(try sample.query()).entry == sample.entry())
            try store.commit(try end())
            #expect(try place.count("bodies WHERE state = 2") == 1)
            #expect(try store.chunk(2, of: body.body.id) == .bytes(body.bytes(2)))
            while try store.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
            #expect(try store.chunk(2, of: body.body.id) == .missing)
            try delete("c")
            while try store.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
            #expect(try place.count("chunks") == 0)
        }
    }

    @Test("The proxy's row of the same URL, and of the same name of a cache, stays")
    func proxy() throws {
        // Its cache name is "default".
        var proxied = Sample(1)
        proxied.target = "/a"
        let cached = try CachedSample("http://example.test:8080/a", in: "default")
        try store.commit([try proxied.put, try cached.put])
        #expect(try place.count() == 2)
        #expect(try store.urls("default") == ["http://example.test:8080/a"])
        try store.commit([.invalidate(try cached.keys.uriKey, at: 5)])
        try delete("default")
        #expect(try store.urls("default") == [])
        #expect(try store.find(try proxied.query()).entry == proxied.entry())
        // The other way round, too.
        try store.commit([try cached.put, .invalidate(try proxied.name.uriKey, at: 6)])
        #expect(try store.find(try cached.query()).entry == cached.entry())
        #expect(try store.find(try proxied.query()).name == "uriMiss")
    }

    @Test("A proxy's put keeps the place of the row that it replaces")
    func proxyOrder() throws {
        try store.commit([try Sample(1).put, try Sample(2).put, try Sample(1).put])
        #expect(try place.text("SELECT group_concat(id) FROM responses") == "1,2")
        #expect(try place.count("caches") == 0)
    }

    @Test("A put takes the place of the variants that its request finds")
    func superseding() throws {
        var samples: [CachedSample] = []
        for number in 1...3 {
            var sample = try CachedSample("http://a/1")
            sample.vary = ["accept"]
            sample.variant = number
            samples.append(sample)
        }
        let plain = try CachedSample("http://a/1")
        let other = try CachedSample("http://a/2")
        try store.commit(try samples.map { try $0.put } + [try other.put])
        let second = try digest(2, 2)
        try store.commit([
            try plain.put,
            .supersede(
                Supersession(by: try plain.name) { $0.names == ["accept"] && $0.key == second }),
        ])
        #expect(
            try store.walk().map(\.name)
                == [samples[0].name, samples[2].name, other.name, plain.name])
        try store.commit([.supersede(Supersession(by: try samples[0].name) { _ in true })])
        #expect(try store.walk().map(\.name) == [samples[0].name, other.name])
    }

    @Test("Any that is fresh")
    func freshOnes() throws {
        var samples: [CachedSample] = []
        for (number, time) in [(1, 3), (2, 9)] as [(Int, Int64)] {
            var sample = try CachedSample("http://a/1")
            sample.vary = ["accept"]
            sample.variant = number
            sample.time += time
            samples.append(sample)
        }
        try store.commit(try samples.map { try $0.put })
        var query = try samples[0].query(.any)
        for (seconds, expected) in [(62, 1), (63, 1), (68, 1), (69, nil)] as [(Int64, Int?)] {
            query.freshAt = 1_790_000_000 + seconds
            #expect(try store.find(query).entry == expected.map { try samples[$0].entry() })
        }
        query = try samples[0].query(selecting: 1)
        query.freshAt = 1_790_000_062
        #expect(try store.find(query).entry == samples[0].entry())
        query.freshAt = 1_790_000_063
        #expect(try store.find(query).name == "varyMiss")
    }

    @Test("Any variant, or exactly one")
    func choices() throws {
        var samples: [CachedSample] = []
        for (number, time) in [(1, 3), (2, 9), (3, 6)] as [(Int, Int64)] {
            var sample = try CachedSample("http://a/1")
            sample.vary = ["accept"]
            sample.variant = number
            sample.body = "variant \(number)"
            sample.time += time
            samples.append(sample)
        }
        try store.commit(try samples.map { try $0.put })
        func find(selecting: Int? = nil, _ choice: EntryQuery.Choice) throws -> EntryFinding {
            try store.find(try samples[0].query(selecting: selecting, choice))
        }
        #expect(try find(selecting: 1, .selected).entry == samples[0].entry())
        #expect(try find(selecting: 8, .selected).name == "varyMiss")
        // The newest, whatever the request selects.
        for asked in [nil, 1, 8] {
            #expect(try find(selecting: asked, .any).entry == samples[1].entry())
        }
        for (index, sample) in samples.enumerated() {
            let key = try digest(index + 1, 2)
            #expect(try find(selecting: 8, .exactly(key)).entry == sample.entry())
        }
        #expect(try find(.exactly(try digest(8, 2))).name == "varyMiss")
        #expect(try find(selecting: 1, .exactly(nil)).name == "varyMiss")
        #expect(try store.find(try CachedSample("http://a/2").query(.any)).name == "uriMiss")
        let plain = try CachedSample("http://a/3")
        try store.commit([try plain.put])
        #expect(try store.find(try plain.query(.any)).entry == plain.entry())
        #expect(try store.find(try plain.query(.exactly(nil))).entry == plain.entry())
        #expect(try store.find(try plain.query(.exactly(digest(1, 2)))).name == "varyMiss")
    }

    @Test(
        "The view shows a program's own key as one",
        arguments: [
            ("own key?x", "key://own key?x"), ("http://a/b#c", "http://a/b"), ("/a", "key:///a"),
            ("://", "key://://"),
        ])
    func view(key: String, url: String) throws {
        try put([key], in: "c")
        #expect(
            try place.text("SELECT url || ' ' || surface || ' ' || cache_name FROM entries")
                == "\(url) cache-api c")
    }
}
