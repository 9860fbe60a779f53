import CacheEngine
import CacheKeys
import CacheTestKit
import HTTPCaching
import HTTPFrontend
import HTTPTypes
import LarderCache
import Logging
import NIOCore
import NIOPosix
import OriginClient
import SQLiteStore
import Testing

/// One engine and one file behind a proxy, the wire of the Cache API and the library.
private final class House: Sendable {
    let engine: Engine
    let storage: CacheStorage
    let proxy: HTTPServer
    let wire: HTTPServer
    private let client: OriginClient

    init(_ place: Place, origin: ScriptedOrigin) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = MultiThreadedEventLoopGroup.singleton
        let clock = SystemClock()
        let store = try SQLiteStore(
            configuration: SQLiteStoreConfiguration(path: place.path), clock: { clock.now() },
            logger: logger)
        let secret = try #require(CredentialSecret(bytes: try store.credentialSecret()))
        client = try OriginClient(
            OriginClientConfiguration(address: try OriginAddress(origin.url)), group: group)
        engine = Engine(
            configuration: EngineConfiguration(), store: store, origin: client, clock: clock,
            renderer: StoredRendering(), secret: secret, logger: logger)
        storage = CacheStorage(engine: engine)
        proxy = try await HTTPServer.bind(host: "127.0.0.1", port: 0, group: group)
        wire = try await HTTPServer.bind(host: "127.0.0.1", port: 0, group: group)
        var configuration = FrontendConfiguration(
            routes: RouteTable(declared: [], policy: StoragePolicy()))
        configuration.spoolDirectory = place.directory.path
        try await proxy.serve(
            engine: engine, configuration: configuration, secret: secret, clock: clock,
            logger: logger)
        configuration.service = .cacheAPI(CacheAPISettings())
        try await wire.serve(
            engine: engine, configuration: configuration, secret: secret, clock: clock,
            logger: logger)
    }

    func close() async {
        _ = await proxy.shutdown(timeout: .seconds(5))
        _ = await wire.shutdown(timeout: .seconds(5))
        try? await client.shutdown(gracePeriod: .seconds(2)).get()
        await storage.close()
    }
}

@Suite("The proxy, the wire and the library on one engine")
struct OneEngineTests {
    private let place: Place
    private let origin: ScriptedOrigin

    init() throws {
        place = try Place()
        origin = try ScriptedOrigin()
    }

    private func with(_ body: (House) async throws -> Void) async throws {
        let house = try await House(place, origin: origin)
        do {
            try await body(house)
            await house.close()
        } catch {
            await house.close()
            throw error
        }
    }

    /// Off the tests' threads: the client blocks.
    private func ask(_ server: HTTPServer, _ request: String) async throws -> RawAnswer {
        let port = server.address.port ?? 0
        return try await NIOThreadPool.singleton.runIfActive {
            let client = try RawClient(port: port)
            try client.send(request)
            return try client.readAnswer()
        }
    }

    private func get(_ server: HTTPServer, _ path: String) async throws -> RawAnswer {
        try await ask(server, "GET \(path) HTTP/1.1\r\nHost: app.example\r\n\r\n")
    }

    private func put(_ house: House, _ path: String, _ text: String) async throws -> RawAnswer {
        let payload = "HTTP/1.1 200 OK\r\nCache-Control: max-age=86400\r\n\r\n\(text)"
        return try await ask(
            house.wire,
            "PUT \(path) HTTP/1.1\r\nHost: app.example\r\n"
                + "Content-Length: \(payload.utf8.count)\r\n\r\n\(payload)")
    }

    @Test func wireAndLibraryFindTheSame() async throws {
        try await with { house in
            let cache = house.storage.default
            #expect(try await put(house, "/a", "by wire").status == 204)
            let request = try HTTPRequest.get("http://app.example/a")
            #expect(try await cache.text(request) == "by wire")
            try await cache.put(request, .ok(), body: CacheBody("by library"))
            let answer = try await get(house.wire, "/a")
            #expect(answer.fields["CF-Cache-Status"] == "HIT")
            #expect(answer.text == "by library")
            #expect(try await cache.delete(request))
            #expect(try await get(house.wire, "/a").status == 504)
            #expect(try await put(house, "/a", "again").status == 204)
            let purged = try await ask(
                house.wire, "PURGE /a HTTP/1.1\r\nHost: app.example\r\n\r\n")
            #expect(purged.status == 200)
            #expect(try await cache.match(request) == nil)
        }
    }

    @Test func theProxysAnswersAreItsOwn() async throws {
        let answer = ScriptedAnswer(
            200, ["Cache-Control": "max-age=86400"], body: Array("from the origin".utf8))
        origin.on("/a", answer)
        try await with { house in
            let request = try HTTPRequest.get("http://app.example/a")
            #expect(try await get(house.proxy, "/a").text == "from the origin")
            #expect(try await house.storage.default.match(request) == nil)
            #expect(try await get(house.wire, "/a").status == 504)
            try await house.storage.default.put(request, .ok(), body: CacheBody("by hand"))
            let hit = try await get(house.proxy, "/a")
            #expect(hit.isHit)
            #expect(hit.text == "from the origin")
            // Each door deletes what came in by it.
            #expect(try await house.storage.default.delete(request))
            #expect(try await get(house.proxy, "/a").isHit)
            #expect(try await house.storage.default.put(request, .ok()).isStored)
            origin.on("/b", ScriptedAnswer(200, [:], body: []))
            let unsafe = "POST /a HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\n\r\n"
            #expect(try await ask(house.proxy, unsafe).status == 200)
            #expect(try await !get(house.proxy, "/a").isHit)
            #expect(try await house.storage.default.match(request) != nil)
        }
        #expect(origin.count("/a") == 3)
    }

    @Test func bothAreThereAfterARestart() async throws {
        origin.on(
            "/a", ScriptedAnswer(200, ["Cache-Control": "max-age=86400"], body: Array("o".utf8)))
        let request = try HTTPRequest.get("http://app.example/a")
        try await with { house in
            _ = try await get(house.proxy, "/a")
            let named = try await house.storage.open("v1")
            try await named.put(request, .ok(), body: CacheBody("by hand"))
        }
        try await with { house in
            #expect(try await get(house.proxy, "/a").isHit)
            #expect(try await house.storage.keys() == ["v1"])
            #expect(try await house.storage.match(request)?.body.length == 7)
            let answer = try await ask(
                house.wire,
                "GET http://app.example/a HTTP/1.1\r\nCF-Cache-Namespace: v1\r\n\r\n")
            #expect(answer.text == "by hand")
        }
    }

    /// Responses that vary for the library are one response for the wire: the newest.
    @Test func theWireDoesNotMindVary() async throws {
        try await with { house in
            let cache = house.storage.default
            for language in ["en", "de"] {
                let request = try HTTPRequest.get(
                    "http://app.example/a", headerFields: [.acceptLanguage: language])
                try await cache.put(
                    request, .ok([.cacheControl: "max-age=86400", .vary: "accept-language"]),
                    body: CacheBody(language))
            }
            #expect(try await get(house.wire, "/a").text == "de")
            let purged = try await ask(
                house.wire, "PURGE /a HTTP/1.1\r\nHost: app.example\r\n\r\n")
            #expect(purged.status == 200)
            #expect(try await cache.keys().isEmpty)
        }
    }
}
