import HTTPTypes
import LarderCache
import NIOCore
import Testing

@Suite("Cache: add and addAll, keys for content")
struct AddingTests {
    let place: Place

    init() throws {
        place = try Place()
    }

    private static let fetch: CacheFetch = { request in
        let path = request.path ?? ""
        let status: HTTPResponse.Status = path.hasPrefix("/missing") ? .notFound : .ok
        let control = path.hasPrefix("/private") ? "no-store" : "max-age=86400"
        return (
            HTTPResponse(status: status, headerFields: [.cacheControl: control]),
            CacheBody("content of \(path)")
        )
    }

    @Test func addPutsWhatItFetches() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.add(.path("/a"), fetch: Self.fetch)
            #expect(try await cache.text(.path("/a")) == "content of /a")
            await #expect(throws: CacheError.badStatus(404)) {
                try await cache.add(.path("/missing"), fetch: Self.fetch)
            }
            #expect(try await cache.match(.path("/missing")) == nil)
        }
    }

    @Test func addAllIsAllOrNothing() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            await #expect(throws: CacheError.badStatus(404)) {
                try await cache.addAll(
                    [.path("/a"), .path("/missing"), .path("/b")], fetch: Self.fetch)
            }
            #expect(try await cache.keys().isEmpty)
            await #expect(throws: CacheError.duplicateRequests) {
                try await cache.addAll([.path("/a"), .path("/a#x")], fetch: Self.fetch)
            }
            var post = HTTPRequest.path("/a")
            post.method = .post
            await #expect(throws: CacheError.methodNotCacheable("POST")) {
                try await cache.addAll([.path("/b"), post], fetch: Self.fetch)
            }
            #expect(try await cache.keys().isEmpty)
            await #expect(throws: CacheError.refused(.noStore)) {
                try await cache.addAll([.path("/a"), .path("/private")], fetch: Self.fetch)
            }
            #expect(try await cache.keys().isEmpty)
            try await cache.addAll([.path("/b"), .path("/a")], fetch: Self.fetch)
            #expect(try await cache.keys().map(\.path) == ["/b", "/a"])
        }
    }

    /// W3C: a request that finds what another one of the same call puts.
    @Test func requestsOfOneResponseAreDuplicates() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let requests = ["en", "de"].map { HTTPRequest.path("/a", [.acceptLanguage: $0]) }
            await #expect(throws: CacheError.duplicateRequests) {
                try await cache.addAll(requests + [.path("/b")], fetch: Self.fetch)
            }
            #expect(try await cache.keys().isEmpty)
            try await cache.addAll(requests) { request in
                var (response, body) = try await Self.fetch(request)
                response.headerFields[.vary] = "accept-language"
                return (response, body)
            }
            #expect(try await cache.keys().count == 2)
        }
    }

    @Test func keysForContentDifferByWhatChoosesTheAnswer() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            func key(
                _ content: String = "{}", _ fields: HTTPFields = [:], path: String = "/search",
                method: HTTPRequest.Method = .post
            ) throws -> HTTPRequest {
                var request = HTTPRequest.path(path, fields)
                request.method = method
                return try cache.key(for: request, content: ByteBuffer(string: content))
            }
            let plain = try key()
            #expect(plain.method == .get)
            #expect(plain.scheme == "keyed+https")
            #expect(plain.headerFields == [:])
            #expect(try key() == plain)
            #expect(try key("{}", [.range: "bytes=0-1", .ifNoneMatch: "*"]) == plain)
            let others = [
                try key("{ }"), try key(path: "/other"), try key(method: .put),
                try key("{}", [.contentType: "application/json"]),
                try key("{}", [.contentEncoding: "gzip"]), try key("{}", [.accept: "text/html"]),
                try key("{}", [.authorization: "Bearer a"]),
                try key("{}", [.authorization: "Bearer b"]), try key("{}", [.cookie: "a=b"]),
            ]
            #expect(Set(others + [plain]).count == others.count + 1)
            let named = try await storage.open("v1")
            let inOther = try named.key(
                for: HTTPRequest(
                    method: .post, scheme: "https", authority: "app.example", path: "/search"),
                content: ByteBuffer(string: "{}"))
            #expect(inOther != plain)
            try await cache.put(plain, .ok(), body: CacheBody("found"))
            #expect(try await cache.text(try key()) == "found")
            #expect(try await cache.match(.path("/search")) == nil)
        }
    }

    /// The secret is the file's: keys are the same after a restart, and of no use elsewhere.
    @Test func keysForContentAreTheFiles() async throws {
        let request = HTTPRequest(
            method: .post, scheme: "https", authority: "app.example", path: "/",
            headerFields: [.authorization: "Bearer a"])
        func key(_ place: Place) async throws -> HTTPRequest {
            try await place.with { try $0.default.key(for: request, content: ByteBuffer()) }
        }
        let first = try await key(place)
        let again = try await key(place)
        #expect(again == first)
        let elsewhere = try await key(Place())
        #expect(elsewhere != first)
    }
}
