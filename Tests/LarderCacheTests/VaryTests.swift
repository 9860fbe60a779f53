import CacheTestKit
import HTTPTypes
import LarderCache
import Testing

@Suite("Cache: responses that vary")
struct VaryTests {
    let place: Place

    init() throws {
        place = try Place()
    }

    private func put(
        _ cache: Cache, _ text: String, language: String?, vary: String = "accept-language"
    ) async throws {
        try await cache.put(
            Self.request(language), .ok([.cacheControl: "max-age=86400", .vary: vary]),
            body: CacheBody(text))
    }

    private static func request(_ language: String?) -> HTTPRequest {
        .path("/a", language.map { [.acceptLanguage: $0] } ?? [:])
    }

    @Test func variantsStandSideBySide() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await put(cache, "hello", language: "en")
            try await put(cache, "hallo", language: "de")
            try await put(cache, "nothing", language: nil)
            for isWritten in [false, true] {
                if isWritten { try await storage.flush() }
                #expect(try await cache.text(Self.request("en")) == "hello")
                #expect(try await cache.text(Self.request("de")) == "hallo")
                #expect(try await cache.text(Self.request(nil)) == "nothing")
                #expect(try await cache.text(Self.request("fr")) == nil)
            }
            let ignoring = CacheQueryOptions(ignoreVary: true)
            #expect(try await cache.text(Self.request("fr"), ignoring) == "hello")
            #expect(
                try await cache.texts(Self.request("fr"), ignoring)
                    == ["hello", "hallo", "nothing"])
            #expect(try await cache.texts(Self.request("de")) == ["hallo"])
        }
    }

    @Test func deletingTakesTheVariantOrAll() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await put(cache, "hello", language: "en")
            try await put(cache, "hallo", language: "de")
            #expect(try await !cache.delete(Self.request("fr")))
            #expect(try await cache.delete(Self.request("en")))
            #expect(try await cache.text(Self.request("en")) == nil)
            #expect(try await cache.text(Self.request("de")) == "hallo")
            try await put(cache, "hello", language: "en")
            let ignoring = CacheQueryOptions(ignoreVary: true)
            #expect(try await cache.delete(Self.request("fr"), options: ignoring))
            #expect(try await cache.texts().isEmpty)
        }
    }

    /// W3C: a put replaces what a match for its request finds.
    @Test func aPutReplacesWhatItsRequestFinds() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await put(cache, "by language", language: "en")
            try await put(cache, "by nothing", language: "en", vary: "x-other")
            #expect(try await cache.text(Self.request("en")) == "by nothing")
            #expect(try await cache.texts() == ["by nothing"])
        }
    }

    /// W3C: all of them.
    @Test func aPutReplacesEverythingThatItsRequestFinds() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for isWritten in [false, true] {
                try await put(cache, "hello", language: "en")
                try await put(cache, "bonjour", language: "fr")
                try await cache.put(Self.request("de"), .ok(), body: CacheBody("for all"))
                if isWritten { try await storage.flush() }
                try await cache.put(Self.request("en"), .ok(), body: CacheBody("new"))
                #expect(try await cache.text(Self.request("en")) == "new")
                #expect(try await cache.texts(Self.request("en")) == ["new"])
                #expect(try await cache.texts() == ["bonjour", "new"])
                let ignoring = CacheQueryOptions(ignoreSearch: true)
                #expect(try await cache.text(Self.request("en"), ignoring) == "new")
                #expect(try await cache.delete(Self.request("fr")))
            }
        }
    }

    /// The newest is stale, and others are fresh.
    @Test func aFreshOneIsFoundBehindAStaleOne() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let short: HTTPFields = [.cacheControl: "max-age=1"]
            func expire() async throws {
                try await eventually("it is stale") {
                    try await cache.match(Self.request("fr")) == nil
                }
            }
            try await put(cache, "hello", language: "en")
            try await cache.put(Self.request("fr"), .ok(short), body: CacheBody("for all"))
            try await expire()
            #expect(try await cache.text(Self.request("en")) == "hello")
            #expect(
                try await cache.delete(
                    Self.request("xx"), options: CacheQueryOptions(ignoreVary: true)))
            #expect(try await cache.text(Self.request("en")) == nil)
            // And now nothing is.
            try await cache.put(Self.request("fr"), .ok(short), body: CacheBody("for all"))
            try await expire()
            #expect(
                try await !cache.delete(
                    Self.request("fr"), options: CacheQueryOptions(ignoreVary: true)))
        }
    }

    /// A response that varies by nothing is for everybody, and stands beside what another request has.
    @Test func deletingTakesAllThatMatch() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await put(cache, "hello", language: "en")
            try await cache.put(Self.request("de"), .ok(), body: CacheBody("for all"))
            #expect(try await cache.texts(Self.request("en")) == ["hello", "for all"])
            #expect(try await cache.texts(Self.request("de")) == ["for all"])
            #expect(try await cache.delete(Self.request("en")))
            #expect(try await cache.texts().isEmpty)
            #expect(try await cache.text(Self.request("en")) == nil)
        }
    }

    @Test func keysMatchWhatTheyName() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            for language in ["en", "de"] { try await put(cache, language, language: language) }
            let keys = try await cache.keys()
            #expect(keys.map { $0.headerFields[.acceptLanguage] } == ["en", "de"])
            for key in keys { #expect(try await cache.delete(key)) }
            #expect(try await cache.keys().isEmpty)
        }
    }

    @Test func variantsSurviveARestart() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            try await put(storage.default, "hello", language: "en")
            try await put(storage.default, "hallo", language: "de")
        }
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let german = try await cache.text(Self.request("de"))
            #expect(german == "hallo")
            #expect(try await cache.text(Self.request("fr")) == nil)
            #expect(try await cache.keys().count == 2)
        }
    }

    @Test func credentialsAreNotInKeysNorInTheFile() async throws {
        let secret = "Bearer 0123456789-very-secret"
        try await place.with { (storage: CacheStorage) async throws in
            let request = HTTPRequest.path("/a", [.authorization: secret])
            let response = HTTPResponse.ok([
                .cacheControl: "public, max-age=86400", .vary: "authorization",
            ])
            #expect(try await storage.default.put(request, response).isStored)
            #expect(try await storage.default.match(request) != nil)
            #expect(try await storage.default.match(.path("/a")) == nil)
            #expect(try await storage.default.keys().first?.headerFields == [:])
        }
        for name in place.directory.names() {
            let bytes = place.directory.bytes(of: name)
            #expect(!String(decoding: bytes, as: UTF8.self).contains(secret), "\(name)")
        }
    }

    @Test func aRequestWithCredentialsNeedsTheResponsesConsent() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let request = HTTPRequest.path("/a", [.authorization: "Basic eA=="])
            #expect(try await storage.default.put(request, .ok()) == .refused(.credentials))
        }
    }
}
