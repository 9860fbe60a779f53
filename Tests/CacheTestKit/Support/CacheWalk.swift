package import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes

/// What the real store does in SQL, for stores that are in memory.
package enum CacheWalk {
    /// - Parameter entries: in the order of storing.
    package static func rows(
        of entries: [StoredEntry], _ selection: CacheSelection
    ) -> CachePage {
        func place(of row: CacheRow) -> CachePlace {
            switch selection.scope {
            case .all, .url: CachePlace(id: row.id)
            case .path: CachePlace(target: row.url.target, id: row.id)
            case .allByURL:
                CachePlace(
                    scheme: row.url.scheme, authority: row.url.authority, target: row.url.target,
                    id: row.id)
            }
        }
        var rows = entries.enumerated().compactMap { index, entry -> CacheRow? in
            let identity = entry.identity
            guard identity.surface == .cacheAPI, identity.cacheName == selection.cacheName,
                entry.terms.freshUntil > selection.now,
                let url = identity.authority.isEmpty
                    ? CacheURL.custom(identity.target)
                    : CacheURL(
                        scheme: identity.scheme, authority: identity.authority,
                        target: identity.target)
            else { return nil }
            switch selection.scope {
            case .all, .allByURL: break
            case .url(let uri): guard identity.uriKey == uri else { return nil }
            case .path(let wanted):
                guard url.scheme == wanted.scheme, url.authority == wanted.authority,
                    url.path == wanted.path
                else { return nil }
            }
            return CacheRow(
                id: Int64(index + 1),
                name: EntryName(
                    uriKey: identity.uriKey, primaryKey: identity.primaryKey,
                    variantKey: entry.variant.key),
                url: url, vary: entry.variant.names,
                requestFields: entry.requestFields ?? HTTPFields(), status: entry.status.code,
                size: entry.body.length, storedAt: entry.responseTime,
                freshUntil: entry.terms.freshUntil)
        }
        rows = rows.filter { place(of: $0).isBehind(selection.after) }
        rows.sort { place(of: $1).isBehind(place(of: $0)) }
        let page = rows.prefix(selection.limit)
        return CachePage(
            rows: Array(page),
            next: page.count == selection.limit ? page.last.map(place) : nil)
    }

    /// - Parameter names: of the caches that were opened, in order.
    package static func summaries(
        of entries: [StoredEntry], opened names: [String]
    ) -> [CacheSummary] {
        let stored = entries.filter { $0.identity.surface == .cacheAPI }
        return ([""] + names).compactMap { name in
            let own = stored.filter { $0.identity.cacheName == name }
            guard !name.isEmpty || !own.isEmpty else { return nil }
            return CacheSummary(
                name: name, entries: Int64(own.count),
                bytes: own.reduce(0) { $0 + $1.body.length })
        }
    }
}
