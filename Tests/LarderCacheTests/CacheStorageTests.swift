import CacheTestKit
import HTTPTypes
import LarderCache
import Testing

@Suite("CacheStorage: named caches in one file")
struct CacheStorageTests {
    let place: Place

    init() throws {
        place = try Place()
    }

    @Test func cachesAreMadeListedAndDeleted() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            #expect(try await storage.keys().isEmpty)
            #expect(try await !storage.has("v1"))
            let second = try await storage.open("v2")
            _ = try await storage.open("v1")
            _ = try await storage.open("v2")
            #expect(try await storage.keys() == ["v2", "v1"])
            #expect(try await storage.has("v1"))
            try await second.put(.path("/a"), .ok())
            #expect(try await storage.delete("v2"))
            #expect(try await !storage.delete("v2"))
            #expect(try await storage.keys() == ["v1"])
            #expect(try await second.match(.path("/a")) == nil)
            // As if it had never been there.
            let again = try await storage.open("v2")
            #expect(try await again.keys().isEmpty)
            #expect(try await storage.keys() == ["v1", "v2"])
        }
    }

    @Test func equalKeysOfTwoCachesDoNotMix() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let caches = [
                storage.default, try await storage.open("v1"), try await storage.open("v2"),
            ]
            for cache in caches {
                try await cache.put(.path("/a"), .ok(), body: CacheBody("in \(cache.name)"))
            }
            for cache in caches {
                #expect(try await cache.text(.path("/a")) == "in \(cache.name)")
            }
            #expect(try await caches[1].delete(.path("/a")))
            #expect(try await caches[0].text(.path("/a")) == "in ")
            #expect(try await caches[2].text(.path("/a")) == "in v2")
            #expect(try await storage.delete("v2"))
            #expect(try await caches[0].text(.path("/a")) == "in ")
        }
    }

    @Test func matchLooksIntoOneAfterTheOther() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let (first, second) = (try await storage.open("b"), try await storage.open("a"))
            try await second.put(.path("/x"), .ok(), body: CacheBody("second"))
            #expect(try await storage.match(.path("/x"))?.body.length == 6)
            try await first.put(.path("/x"), .ok(), body: CacheBody("1st"))
            #expect(try await storage.match(.path("/x"))?.body.length == 3)
            #expect(try await storage.match(.path("/y")) == nil)
        }
    }

    /// A handle of a cache that was deleted makes it anew.
    @Test func matchFindsWhatIsOnItsWayIntoANewCache() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = try await storage.open("v1")
            for number in 0..<20 {
                #expect(try await storage.delete("v1"))
                try await cache.put(.path("/\(number)"), .ok(), body: CacheBody("found"))
                #expect(try await storage.match(.path("/\(number)")) != nil)
                #expect(try await storage.keys() == ["v1"])
            }
        }
    }

    @Test func everythingSurvivesARestart() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = try await storage.open("v1")
            try await cache.put(.path("/a"), .ok(), body: CacheBody("kept"))
            try await cache.put(.path("/b"), .ok())
            try await cache.delete(.path("/b"))
        }
        try await place.with { (storage: CacheStorage) async throws in
            #expect(try await storage.keys() == ["v1"])
            let cache = try await storage.open("v1")
            #expect(try await cache.text(.path("/a")) == "kept")
            #expect(try await cache.keys().map(\.path) == ["/a"])
        }
    }

    @Test(arguments: [String(repeating: "n", count: 1024), "a\0b"])
    func badNamesAreErrors(name: String) async throws {
        try await place.with { (storage: CacheStorage) async throws in
            await #expect(throws: CacheError.invalidName(name)) { try await storage.open(name) }
            await #expect(throws: CacheError.invalidName(name)) { try await storage.delete(name) }
            _ = try await storage.open(String(repeating: "ö", count: 511))
        }
    }

    @Test func theEmptyNameIsTheDefaultCache() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            try await storage.default.put(.path("/a"), .ok())
            #expect(try await storage.open("").match(.path("/a")) != nil)
            #expect(try await storage.keys().isEmpty)
            #expect(try await storage.delete(""))
            #expect(try await storage.default.match(.path("/a")) == nil)
        }
    }

    @Test func aSecondInstanceIsRefused() async throws {
        try await place.with { (_: CacheStorage) async throws in
            let error = #expect(throws: CacheError.self) { _ = try place.open() }
            #expect("\(String(describing: error))".contains("in use"))
        }
    }

    @Test func unlimitedLifetimesAreTheW3Cs() async throws {
        try await place.with({ $0.lifetimes = .unlimited }) {
            (storage: CacheStorage) async throws in
            let cache = storage.default
            for (path, fields) in [
                ("/a", HTTPFields()), ("/b", [.cacheControl: "no-store"]),
                ("/c", [.cacheControl: "max-age=0"]),
            ] {
                #expect(try await cache.put(.path(path), .ok(fields)).isStored)
            }
            #expect(
                try await cache.put(.path("/d"), HTTPResponse(status: .internalServerError))
                    .isStored)
            #expect(try await cache.keys().map(\.path) == ["/a", "/b", "/c", "/d"])
        }
    }

    @Test func withoutDefaultsALifetimeMustBeNamed() async throws {
        try await place.with({ $0.lifetimes = .fromFields }) {
            (storage: CacheStorage) async throws in
            #expect(
                try await storage.default.put(.path("/a"), .ok([:])) == .refused(.noLifetime))
        }
        try await place.with { (storage: CacheStorage) async throws in
            #expect(
                try await storage.default.put(.path("/a"), .ok([:]))
                    == .stored(lifetime: .seconds(7200)))
        }
    }
}
