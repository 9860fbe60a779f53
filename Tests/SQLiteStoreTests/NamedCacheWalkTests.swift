import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Walks through named caches")
struct NamedCacheWalkTests {
    let place: Workplace
    let store: SQLiteStore

    init() throws {
        place = try Workplace()
        store = try place.open()
    }

    private func put(_ keys: [String], in cacheName: String = "") throws {
        try store.commit(try keys.map { try CachedSample($0, in: cacheName).put })
    }

    private func url(_ text: String) throws -> CacheURL { try #require(CacheURL.custom(text)) }

    @Test("A row tells what was stored")
    func row() throws {
        var sample = try CachedSample("HTTP://Example.org:80/a?b#c", in: "c")
        sample.vary = ["accept", "x-a"]
        sample.variant = 7
        sample.requestFields = [.accept: "text/html", .acceptLanguage: "de"]
        sample.time += 5
        try store.commit([try sample.put])
        let row = try #require(try store.walk("c").first)
        let expected = CacheRow(
            id: 1, name: try sample.name, url: try url("http://example.org/a?b"),
            vary: ["accept", "x-a"], requestFields: [.accept: "text/html", .acceptLanguage: "de"],
            status: 200, size: 5, storedAt: 1_790_000_005, freshUntil: 1_790_000_065)
        #expect(row == expected)
    }

    @Test(
        "The fields of the request are kept line by line; of none, nothing is kept",
        arguments: [nil, [], ["x-A: 1", "X-a: 2", "Accept:"], ["Accept: \u{E9}"]]
            as [[String]?])
    func requestFields(lines: [String]?) throws {
        var sample = try CachedSample("http://a/")
        sample.requestFields = lines.map { lines in
            var fields = HTTPFields()
            for line in lines {
                let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
                guard let name = parts.first.flatMap({ HTTPField.Name($0) }) else { continue }
                let value = (parts.count > 1 ? parts[1] : "").drop { $0 == " " }
                fields.append(HTTPField(name: name, value: String(value)))
            }
            return fields
        }
        try store.commit([try sample.put])
        let row = try #require(try store.walk().first)
        let expected = sample.requestFields ?? [:]
        #expect(row.requestFields == expected)
        #expect(row.requestFields.map(\.name.rawName) == expected.map(\.name.rawName))
        let isKept = expected.isEmpty ? 0 : 1
        #expect(try place.count("responses WHERE request_headers IS NOT NULL") == isKept)
        // They are of no interest to who asks for the response.
        #expect(try store.find(try sample.query()).entry?.requestFields == nil)
    }

    @Test("The order is that of storing; what is put again comes last, whatever its size")
    func order() throws {
        let keys = ["http://a/3", "http://a/1", "own key", "http://a/2"]
        try put(keys)
        #expect(try store.urls() == keys)
        try put(["http://a/1"])
        #expect(try store.urls() == ["http://a/3", "own key", "http://a/2", "http://a/1"])
        var larger = try CachedSample("http://a/3")
        larger.body = String(repeating: "x", count: 10_000)
        try store.commit([try larger.put])
        #expect(try store.urls() == ["own key", "http://a/2", "http://a/1", "http://a/3"])
        try put(["http://a/3"])
        #expect(try store.urls() == ["own key", "http://a/2", "http://a/1", "http://a/3"])
        #expect(try place.count() == 4)
        #expect(try store.find(try CachedSample("http://a/3").query()).entry?.body.length == 5)
        let ids = try store.walk().map(\.id)
        #expect(ids == ids.sorted() && Set(ids).count == 4)
    }

    @Test("Each cache has its own rows of a URL")
    func apart() throws {
        for name in ["", "a", "b", "A", "a "] { try put(["http://a/\(name.count)"], in: name) }
        try put(["http://a/0"], in: "b")
        #expect(try store.urls() == ["http://a/0"])
        #expect(try store.urls("a") == ["http://a/1"])
        #expect(try store.urls("b") == ["http://a/1", "http://a/0"])
        #expect(try store.urls("A") == ["http://a/1"])
        #expect(try store.urls("a ") == ["http://a/2"])
        #expect(try store.urls("c") == [])
    }

    @Test("A URL: all its variants, of its cache alone")
    func byURL() throws {
        var variants: [CachedSample] = []
        for number in 1...3 {
            var sample = try CachedSample("http://a/b?c", in: "c")
            sample.vary = ["accept"]
            sample.variant = number
            variants.append(sample)
        }
        try put(["http://a/b?c", "http://a/b", "http://a/b?cd"])
        try put(["http://a/b", "http://a/b?cd", "https://a/b?c"], in: "c")
        try store.commit(try variants.map { try $0.put })
        let scope = CacheSelection.Scope.url(
            try variants[0].keys.uriKey)
        #expect(try store.walk("c", scope).map(\.name) == variants.map { try $0.name })
        let other = try CachedSample("http://a/b?c")
        #expect(try store.urls("", .url(try other.keys.uriKey)) == ["http://a/b?c"])
    }

    @Test("A path: with any query and without, but no path that only begins with it")
    func byPath() throws {
        let others = [
            "http://a/ab", "http://a/a/", "http://a/a/b", "http://a/a@", "http://a/a>x",
            "http://a/a%3Fx", "http://a/A", "http://a/", "http://b/a", "https://a/a",
            "http://a:81/a", "http://a/a;x", "http://a/a&x", "/a", "/a?x", "a/a",
        ]
        let matching = [
            "http://a/a?x", "http://a/a", "http://a/a?", "http://a/a?\u{FE}", "http://a/a??",
            "http://a/a?x/y", "http://a/a?\u{301}", "http://a/a?zz",
        ]
        try put(others)
        try put(matching)
        try put(["http://a/a", "http://a/a?q"], in: "c")
        for text in ["http://a/a", "http://a/a?x", "http://a/a?nobody", "http://a/a?\u{301}"] {
            // In the order of their bytes.
            let found = try store.urls("", .path(try url(text)))
            #expect(found == matching.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
        #expect(
            try store.urls("c", .path(try url("http://a/a"))) == ["http://a/a", "http://a/a?q"])
        #expect(try store.urls("", .path(try url("http://a/none"))) == [])
        // Of a program's own keys, too.
        #expect(try store.urls("", .path(try url("/a"))) == ["/a", "/a?x"])
    }

    @Test("Fresh rows only; the end of a lifetime is its end")
    func fresh() throws {
        for (index, key) in ["http://a/a", "http://a/a?x"].enumerated() {
            var sample = try CachedSample(key)
            sample.time += Int64(index) * 10
            try store.commit([try sample.put])
        }
        let sample = try CachedSample("http://a/a")
        let scopes = [
            CacheSelection.Scope.all, .path(sample.url), .url(try sample.keys.uriKey),
        ]
        for (seconds, count) in [(0, 2), (59, 2), (60, 1), (69, 1), (70, 0)] as [(Int64, Int)] {
            let now = 1_790_000_000 + seconds
            #expect(try store.walk("", scopes[0], now: now).count == count)
            #expect(try store.walk("", scopes[1], now: now).count == count)
            #expect(try store.walk("", scopes[2], now: now).count == (seconds < 60 ? 1 : 0))
        }
    }

    @Test("Pages go on behind the last row", arguments: [1, 2, 3, 7, 8])
    func pages(limit: Int) throws {
        let keys = (0..<7).map { "http://a/a?\($0)" }
        // In another order than that of targets.
        for key in keys.reversed() {
            try put([key])
            try put([key], in: "c")
        }
        let sample = try CachedSample("http://a/a?3")
        let scopes: [(CacheSelection.Scope, [String])] = [
            (.all, keys.reversed()), (.path(sample.url), keys),
            (.url(try sample.keys.uriKey), ["http://a/a?3"]),
        ]
        for (scope, expected) in scopes {
            var found: [CacheRow] = []
            var place: CachePlace? = .start
            while let after = place {
                let page = try store.cacheRows(
                    CacheSelection(
                        cacheName: "", scope: scope, now: 1_790_000_000, after: after,
                        limit: limit))
                #expect(page.rows.count == limit || page.next == nil)
                found += page.rows
                place = page.next
            }
            #expect(found.map(\.url.text) == expected)
        }
    }

    @Test("Rows that make no sense are left out")
    func damaged() throws {
        try put(["http://a/1", "http://a/2", "http://a/3", "http://a/4"])
        try place.execute(
            """
            UPDATE responses SET primary_key = x'00' WHERE id = 1;
            UPDATE responses SET authority = '' WHERE id = 2;
            UPDATE responses SET request_headers = 'nonsense' WHERE id = 3;
            """)
        #expect(try store.urls() == ["http://a/4"])
    }

    @Test("The proxy's rows are in no walk")
    func proxy() throws {
        var sample = Sample(1)
        sample.target = "/a"
        try store.commit([try sample.put])
        let url = try url("http://example.test:8080/a")
        #expect(try store.urls("default") == [])
        #expect(try store.urls("default", .path(url)) == [])
        #expect(try store.urls("default", .url(try digest(1, 1))) == [])
        #expect(try store.caches() == [])
    }
}
