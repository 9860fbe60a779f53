import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import SQLiteStore

/// What a program puts, to try things with: under the keys that the engine would give it.
struct CachedSample {
    var url: CacheURL
    var cacheName: String
    var body = "hello"
    var fields: HTTPFields = [:]
    var vary: [String] = []
    var variant: Int?
    var requestFields: HTTPFields?
    /// When it is put; it is fresh for a minute.
    var time: EpochSeconds = 1_790_000_000
    /// In place of `body`.
    var large: LargeBody?

    init(_ key: String, in cacheName: String = "") throws {
        url = try #require(CacheURL(key) ?? CacheURL.custom(key))
        self.cacheName = cacheName
    }

    var keys: CacheURL.Keys {
        get throws { try #require(url.keys(in: cacheName, hasher: try KeyHasher())) }
    }

    func entry() throws -> StoredEntry {
        let keys = try keys
        return StoredEntry(
            identity: EntryIdentity(
                primaryKey: keys.primaryKey, uriKey: keys.uriKey, material: keys.material,
                surface: .cacheAPI, cacheName: cacheName, recipe: .raw, method: "GET",
                scheme: url.scheme, authority: url.authority, target: url.target),
            variant: Variant(names: vary, key: try variant.map { try digest($0, 2) }),
            status: .ok, fields: fields,
            body: large.map { .chunked($0.body) } ?? .whole(ByteBuffer(string: body)),
            terms: ReuseTerms(
                dateValue: time, bornAt: time, freshUntil: time + 60,
                staleWhileRevalidateUntil: time + 60, staleIfErrorUntil: time + 60,
                flags: .mustRevalidate),
            requestTime: time, responseTime: time, requestFields: requestFields)
    }

    func response() throws -> StoredResponse {
        StoredResponse(entry: try entry(), rendering: ByteBuffer(), generation: 0, epoch: 0)
    }

    var put: Mutation { get throws { .put(try response()) } }

    var name: EntryName { get throws { try response().name } }

    /// A lookup that selects `variant`, or one of another choice.
    func query(
        selecting variant: Int? = nil, _ choice: EntryQuery.Choice = .selected
    ) throws -> EntryQuery {
        let keys = try keys
        let digest = try variant.map { try SQLiteStoreTests.digest($0, 2) }
        var query = EntryQuery(
            primaryKey: keys.primaryKey, uriKey: keys.uriKey, material: keys.material,
            variantKey: { _ in digest })
        query.choice = choice
        return query
    }
}

extension SQLiteStore {
    /// What a walk through a cache finds at a time when all samples are fresh.
    func walk(
        _ cacheName: String = "", _ scope: CacheSelection.Scope = .all,
        now: EpochSeconds = 1_790_000_000
    ) throws -> [CacheRow] {
        try cacheRows(
            CacheSelection(cacheName: cacheName, scope: scope, now: now, limit: 100)
        ).rows
    }

    /// The same, named by URLs.
    func urls(
        _ cacheName: String = "", _ scope: CacheSelection.Scope = .all,
        now: EpochSeconds = 1_790_000_000
    ) throws -> [String] {
        try walk(cacheName, scope, now: now).map(\.url.text)
    }
}
