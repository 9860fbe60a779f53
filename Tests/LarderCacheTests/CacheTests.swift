import CacheTestKit
import HTTPTypes
import LarderCache
import NIOCore
import Testing

@Suite("Cache: match, put, delete, keys")
struct CacheTests {
    let place: Place

    init() throws {
        place = try Place()
    }

    @Test func whatWasPutIsFound() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            #expect(try await cache.match(.path("/a")) == nil)
            let response = HTTPResponse(
                status: .init(code: 203, reasonPhrase: "Second Hand"),
                headerFields: [.cacheControl: "max-age=86400", .contentType: "text/plain"])
            let result = try await cache.put(.path("/a"), response, body: CacheBody("hello"))
            #expect(result == .stored(lifetime: .seconds(86_400)))
            let found = try #require(try await cache.match(.path("/a")))
            #expect(found.head.status == response.status)
            #expect(found.head.status.reasonPhrase == "Second Hand")
            #expect(found.head.headerFields[.contentType] == "text/plain")
            #expect(found.head.headerFields[.contentLength] == "5")
            #expect(found.head.headerFields[.age] != nil)
            #expect(found.body.length == 5)
            #expect(String(buffer: try await found.body.collect(upTo: 5)) == "hello")
        }
    }

    @Test func fragmentAndSpellingOfTheHostDoNotCount() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.put(
                .get("HTTPS://App.Example:443/a?b#c"), .ok(), body: CacheBody("x"))
            #expect(try await cache.text(.get("https://app.example/a?b#d")) == "x")
            #expect(try await cache.text(.get("https://app.example/a")) == nil)
            #expect(try await cache.text(.get("http://app.example/a?b")) == nil)
        }
    }

    @Test func aSecondPutReplacesTheFirst() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for text in ["one", "two", "three"] {
                try await cache.put(.path("/a"), .ok(), body: CacheBody(text))
                #expect(try await cache.text(.path("/a")) == text)
            }
            #expect(try await cache.texts() == ["three"])
        }
    }

    @Test func aRefusedPutLeavesWhatWasThere() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.put(.path("/a"), .ok(), body: CacheBody("one"))
            let refused = try await cache.put(
                .path("/a"), .ok([.cacheControl: "no-store"]), body: CacheBody("two"))
            #expect(refused == .refused(.noStore))
            #expect(!refused.isStored)
            #expect(try await cache.text(.path("/a")) == "one")
        }
    }

    private static let refusals: [(HTTPFields, PutRefusal)] = [
        ([.cacheControl: "private"], .private), ([.cacheControl: "no-cache"], .noCache),
        ([.cacheControl: "max-age=0"], .noLifetime),
        ([.cacheControl: "max-age=900", .setCookie: "a=b"], .setCookie),
        ([.cacheControl: "max-age=86400", .age: "90000"], .noLifetime),
    ]

    @Test(arguments: refusals)
    func refusalsSayWhy(fields: HTTPFields, why: PutRefusal) async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let result = try await storage.default.put(.path("/a"), .ok(fields))
            #expect(result == .refused(why))
            #expect(try await storage.default.match(.path("/a")) == nil)
        }
    }

    @Test func whatTheRuntimeRejectsIsThrown() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            var post = HTTPRequest.path("/a")
            post.method = .post
            await #expect(throws: CacheError.methodNotCacheable("POST")) {
                try await cache.put(post, .ok())
            }
            await #expect(throws: CacheError.partialContent) {
                try await cache.put(.path("/a"), HTTPResponse(status: .partialContent))
            }
            await #expect(throws: CacheError.varyStar) {
                try await cache.put(.path("/a"), .ok([.vary: "accept, *"]))
            }
            await #expect(throws: CacheError.invalidURL("https:///a")) {
                try await cache.put(
                    HTTPRequest(method: .get, scheme: "https", authority: "", path: "/a"), .ok())
            }
            #expect(
                try await cache.put(.path("/a"), HTTPResponse(status: .notModified))
                    == .refused(.status))
        }
    }

    @Test func deleteSaysWhetherSomethingWasThere() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.put(.path("/a"), .ok())
            #expect(try await cache.delete(.path("/a")))
            #expect(try await cache.match(.path("/a")) == nil)
            #expect(try await !cache.delete(.path("/a")))
        }
    }

    @Test func ofConcurrentDeletionsOneFindsSomething() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for _ in 0..<20 {
                try await cache.put(.path("/a"), .ok())
                let found = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<8 { group.addTask { try await cache.delete(.path("/a")) } }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(found == 1)
            }
        }
    }

    @Test func otherMethodsFindOnlyWhenAsked() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.put(.path("/a"), .ok(), body: CacheBody("x"))
            var head = HTTPRequest.path("/a")
            head.method = .head
            let ignoring = CacheQueryOptions(ignoreMethod: true)
            #expect(try await cache.match(head) == nil)
            #expect(try await cache.texts(head).isEmpty)
            #expect(try await cache.text(head, ignoring) == "x")
            #expect(try await cache.texts(head, ignoring) == ["x"])
            #expect(try await !cache.delete(head))
            #expect(try await cache.delete(head, options: ignoring))
        }
    }

    @Test func queriesOfUrlsCountUnlessIgnored() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for path in ["/a?x=1", "/a", "/a?x=2", "/ab", "/a/b?x=1"] {
                try await cache.put(.path(path), .ok(), body: CacheBody(path))
            }
            let ignoring = CacheQueryOptions(ignoreSearch: true)
            #expect(try await cache.text(.path("/a?y")) == nil)
            // In the order of storing.
            #expect(try await cache.text(.path("/a?y"), ignoring) == "/a?x=1")
            #expect(
                try await cache.texts(.path("/a?y"), ignoring) == ["/a?x=1", "/a", "/a?x=2"])
            #expect(try await cache.delete(.path("/a"), options: ignoring))
            #expect(try await cache.texts() == ["/ab", "/a/b?x=1"])
        }
    }

    /// More than one page of a walk; the order of URLs is another than that of storing.
    @Test func ignoringTheQueryOfMany() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let paths = (0..<700).map { "/a?\(($0 * 397) % 700)" }
            for path in paths { try await cache.put(.path(path), .ok(), body: CacheBody(path)) }
            let ignoring = CacheQueryOptions(ignoreSearch: true)
            #expect(try await cache.text(.path("/a"), ignoring) == paths[0])
            #expect(try await cache.keys(.path("/a"), options: ignoring).map(\.path) == paths)
            #expect(try await cache.delete(.path(paths[0])))
            #expect(try await cache.text(.path("/a"), ignoring) == paths[1])
            try await cache.put(.path("/b"), .ok())
            #expect(try await cache.delete(.path("/a"), options: ignoring))
            #expect(try await cache.keys().map(\.path) == ["/b"])
        }
    }

    @Test func keysAreInTheOrderOfStoring() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for path in ["/b", "/a", "/c"] { try await cache.put(.path(path), .ok()) }
            try await cache.put(.path("/b"), .ok())
            #expect(try await cache.keys().map(\.path) == ["/a", "/c", "/b"])
            #expect(try await cache.keys(.path("/c")).map(\.path) == ["/c"])
            for key in try await cache.keys() { #expect(try await cache.delete(key)) }
            #expect(try await cache.keys().isEmpty)
        }
    }

    @Test func tagsAreDeletedTogether() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = try await storage.open("v1")
            try await cache.put(.path("/a"), .ok(), options: PutOptions(tags: ["News", "x"]))
            var fields = HTTPResponse.ok().headerFields
            fields[try #require(HTTPField.Name("Cache-Tag"))] = "news, y"
            try await storage.default.put(.path("/b"), .ok(fields))
            try await cache.put(.path("/c"), .ok())
            let found = try #require(try await storage.default.match(.path("/b")))
            #expect(!found.head.headerFields.contains { $0.name.canonicalName == "cache-tag" })
            try await storage.delete(tags: ["NEWS"])
            #expect(try await cache.keys().map(\.path) == ["/c"])
            #expect(try await storage.default.keys().isEmpty)
        }
    }

    @Test func aTagThatIsNoneIsAnError() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            try await storage.default.put(.path("/a"), .ok(), options: PutOptions(tags: ["a"]))
            await #expect(throws: CacheError.invalidTag) {
                try await storage.delete(tags: ["a", "b c"])
            }
            #expect(try await storage.default.match(.path("/a")) != nil)
            try await storage.delete(tags: (0..<2000).map { "t\($0)" } + ["a"])
            #expect(try await storage.default.match(.path("/a")) == nil)
        }
    }

    /// Puts and deletions of one URL at once end as one of their orders would, in memory as in the
    /// file.
    @Test func memoryAndFileAgreeAfterARace() async throws {
        for round in 0..<20 {
            let texts = try await place.with { (storage: CacheStorage) async throws in
                let cache = storage.default
                try await withThrowingTaskGroup { group in
                    for index in 0..<8 {
                        group.addTask {
                            let body = CacheBody("\(round) \(index)")
                            _ = try await cache.put(.path("/a"), .ok(), body: body)
                            if index == 3 { try await cache.delete(.path("/a")) }
                        }
                    }
                    try await group.waitForAll()
                }
                try await storage.flush()
                let inMemory = try await cache.text(.path("/a"))
                return (inMemory, try await cache.texts())
            }
            let afterRestart = try await place.with { (storage: CacheStorage) async throws in
                try await storage.default.text(.path("/a"))
            }
            #expect(texts.0 == afterRestart)
            #expect(texts.1 == (afterRestart.map { [$0] } ?? []))
        }
    }

    @Test func theProgramRulesOverLifetimes() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let noStore = HTTPResponse.ok([.cacheControl: "no-store"])
            #expect(
                try await cache.put(
                    .path("/a"), noStore, options: PutOptions(lifetime: .seconds(900)))
                    == .stored(lifetime: .seconds(900)))
            #expect(
                try await cache.put(.path("/a"), .ok(), options: PutOptions(lifetime: .zero))
                    == .refused(.noLifetime))
            let cookie = HTTPResponse.ok([.cacheControl: "max-age=500", .setCookie: "a=b"])
            #expect(
                try await cache.put(
                    .path("/b"), cookie, options: PutOptions(storesEverything: true)
                ).isStored)
            let found = try #require(try await cache.match(.path("/b")))
            #expect(!found.head.headerFields.contains(.setCookie))
        }
    }
}
