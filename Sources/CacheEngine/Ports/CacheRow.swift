package import CacheKeys
package import HTTPCaching
package import HTTPTypes

/// Which rows of a named cache a walk through it wants.
package struct CacheSelection: Sendable {
    /// The part of a cache that is walked through.
    package enum Scope: Sendable, Equatable {
        case all
        /// The same in the order of URLs.
        case allByURL
        /// All variants of one URL.
        case url(URIKey)
        /// The URL, whatever its query.
        case path(CacheURL)
    }

    package var cacheName: String
    package var scope: Scope
    /// Rows that are fresh then.
    package var now: EpochSeconds
    /// Rows behind this one.
    package var after: CachePlace
    package var limit: Int

    package init(
        cacheName: String, scope: Scope, now: EpochSeconds, after: CachePlace = .start, limit: Int
    ) {
        self.cacheName = cacheName
        self.scope = scope
        self.now = now
        self.after = after
        self.limit = limit
    }
}

/// A row in the order of a walk: that of storing, or that of URLs, and of storing among equal ones.
package struct CachePlace: Sendable, Equatable {
    /// Empty where the order is that of storing, as are the other parts; through a path only the
    /// target counts.
    package var scheme: String
    package var authority: String
    package var target: String
    package var id: Int64

    package init(scheme: String = "", authority: String = "", target: String = "", id: Int64) {
        self.scheme = scheme
        self.authority = authority
        self.target = target
        self.id = id
    }

    /// Before the first row.
    package static let start = CachePlace(id: 0)

    /// As the file sorts: by bytes.
    package func isBehind(_ other: CachePlace) -> Bool {
        for part in [\CachePlace.scheme, \.authority, \.target] {
            let (own, theirs) = (self[keyPath: part].utf8, other[keyPath: part].utf8)
            if !own.elementsEqual(theirs) { return theirs.lexicographicallyPrecedes(own) }
        }
        return id > other.id
    }
}

/// What a walk through a cache tells of one stored response.
package struct CacheRow: Sendable, Equatable {
    /// Rises in the order of storing.
    package var id: Int64
    package var name: EntryName
    package var url: CacheURL
    /// Lower-case, sorted.
    package var vary: [String]
    /// The fields of the request that it was put for, as far as it varies by them.
    package var requestFields: HTTPFields
    package var status: Int
    /// Bytes of the content.
    package var size: Int64
    package var storedAt: EpochSeconds
    package var freshUntil: EpochSeconds

    package init(
        id: Int64, name: EntryName, url: CacheURL, vary: [String], requestFields: HTTPFields,
        status: Int, size: Int64, storedAt: EpochSeconds, freshUntil: EpochSeconds
    ) {
        self.id = id
        self.name = name
        self.url = url
        self.vary = vary
        self.requestFields = requestFields
        self.status = status
        self.size = size
        self.storedAt = storedAt
        self.freshUntil = freshUntil
    }
}

/// A part of a walk through a cache.
package struct CachePage: Sendable, Equatable {
    package var rows: [CacheRow]
    /// What the next page is behind; nil at the end.
    package var next: CachePlace?

    package init(rows: [CacheRow], next: CachePlace?) {
        self.rows = rows
        self.next = next
    }
}

/// One named cache; the default one has no name.
package struct CacheSummary: Sendable, Equatable {
    package var name: String
    /// Stored responses, stale ones included.
    package var entries: Int64
    /// Bytes of their contents.
    package var bytes: Int64

    package init(name: String, entries: Int64, bytes: Int64) {
        self.name = name
        self.entries = entries
        self.bytes = bytes
    }
}
