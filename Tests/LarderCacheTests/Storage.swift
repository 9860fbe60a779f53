import CacheTestKit
import HTTPTypes
import LarderCache
import Logging
import NIOCore
import Testing

/// A storage in a directory of its own, which goes with it.
struct Place: Sendable {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    var path: String { directory.file("cache.db") }

    func open(
        _ configure: (inout CacheStorage.Configuration) -> Void = { _ in }
    ) throws -> CacheStorage {
        var configuration = CacheStorage.Configuration()
        configure(&configuration)
        return try CacheStorage(
            path: path, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Closes the storage whatever becomes of `body`.
    func with<Value>(
        _ configure: (inout CacheStorage.Configuration) -> Void = { _ in },
        _ body: (CacheStorage) async throws -> Value
    ) async throws -> Value {
        let storage = try open(configure)
        do {
            let value = try await body(storage)
            await storage.close()
            return value
        } catch {
            await storage.close()
            throw error
        }
    }
}

extension HTTPRequest {
    /// A GET of a path of one host.
    static func path(_ path: String, _ fields: HTTPFields = [:]) -> HTTPRequest {
        HTTPRequest(
            method: .get, scheme: "https", authority: "app.example", path: path,
            headerFields: fields)
    }
}

extension HTTPResponse {
    static func ok(_ fields: HTTPFields = [.cacheControl: "max-age=86400"]) -> HTTPResponse {
        HTTPResponse(status: .ok, headerFields: fields)
    }
}

extension Cache {
    /// The text that a match finds.
    func text(
        _ request: HTTPRequest, _ options: CacheQueryOptions = CacheQueryOptions()
    ) async throws -> String? {
        guard let found = try await match(request, options: options) else { return nil }
        return String(buffer: try await found.body.collect(upTo: 1 << 20))
    }

    /// The texts that a match of all finds.
    func texts(
        _ request: HTTPRequest? = nil, _ options: CacheQueryOptions = CacheQueryOptions()
    ) async throws -> [String] {
        var texts: [String] = []
        for found in try await matchAll(request, options: options) {
            texts.append(String(buffer: try await found.body.collect(upTo: 1 << 20)))
        }
        return texts
    }
}
