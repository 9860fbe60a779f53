import CacheKeys
import HTTPCaching

/// Reading what is pending.
extension WriteQueueState {
    /// The pending puts of a key, earliest first, without those that a later pending delete or
    /// invalidation covers.
    func pending(_ key: CacheKey) -> [StoredResponse] {
        guard let candidates = puts[key] else { return [] }
        let visible = candidates.filter { put in
            put.sequence > deletes[put.response.name]?.last ?? 0
                && put.sequence > invalidations[put.response.uriKey]?.last ?? 0
                && put.response.groups.allSatisfy {
                    put.sequence > groupInvalidations[$0]?.last ?? 0
                }
                && !isUnreadable(put.response.entry)
                && !isSuperseded(key, put.response.variant, before: put.sequence)
        }
        return Self.latest(of: visible.map(\.response))
    }

    private func isUnreadable(_ entry: StoredEntry) -> Bool {
        guard !unreadable.isEmpty, let body = entry.body.chunks else { return false }
        return unreadable.contains(.body(body.id))
    }

    /// - Parameter sequence: 0 for a row of the file.
    private func isSuperseded(
        _ key: CacheKey, _ variant: Variant, before sequence: UInt64
    ) -> Bool {
        guard !supersessions.isEmpty, let pending = supersessions[key] else { return false }
        return pending.contains { $0.sequence > sequence && $0.others.covers(variant) }
    }

    var pendingNames: [EntryName] {
        puts.values.flatMap { $0.map(\.response.name) }
    }

    /// Without double entries: names that only look alike are different caches.
    var pendingCacheNames: [String] {
        var seen: Set<[UInt8]> = []
        return (committing + waiting).compactMap { item in
            let name: String
            switch item.mutation {
            case .put(let response): name = response.entry.identity.cacheName
            case .openCache(let opened, _): name = opened
            default: return nil
            }
            return !name.isEmpty && seen.insert(Array(name.utf8)).inserted ? name : nil
        }
    }

    /// Whether rows of this URI in the file are covered by an invalidation that is not committed.
    func hasPendingInvalidation(of uri: URIKey) -> Bool {
        invalidations[uri] != nil
    }

    /// What is pending about one row of the file.
    enum Overlay {
        case none
        /// The row is about to be deleted.
        case deleted
        /// The row is about to be replaced by this one.
        case put(StoredResponse)
    }

    ///
    /// - Parameter entry: the row, where it has been read.
    func overlay(of name: EntryName, as entry: StoredEntry? = nil) -> Overlay {
        if let newer = pending(name.primaryKey).last(where: { $0.name == name }) {
            return .put(newer)
        }
        if hasPendingInvalidation(of: name.uriKey) || hasPendingDelete(of: name) {
            return .deleted
        }
        guard let entry else { return .none }
        let isDeleted =
            entry.groups.contains { groupInvalidations[$0] != nil } || isUnreadable(entry)
            || isSuperseded(name.primaryKey, entry.variant, before: 0)
        return isDeleted ? .deleted : .none
    }

    /// Whether the file's row of this name is covered by a delete that is not committed.
    func hasPendingDelete(of name: EntryName) -> Bool {
        deletes[name] != nil
    }

    private static func latest(of responses: [StoredResponse]) -> [StoredResponse] {
        guard responses.count > 1 else { return responses }
        var latest: [StoredResponse] = []
        for response in responses {
            latest.removeAll { $0.variant.key == response.variant.key }
            latest.append(response)
        }
        return latest
    }
}
