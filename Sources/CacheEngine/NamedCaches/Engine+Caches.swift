import CacheKeys
import HTTPCaching

/// What programs do with named caches beside putting; each call is safe from any task.
extension Engine {
    /// The stored response that a query finds first, in the order of storing.
    package func match(_ query: CacheQuery) async throws(CacheFailure) -> StoredResponse? {
        guard !query.findsNothing else { return nil }
        guard query.options.isDisjoint(with: [.ignoreSearch, .ignoreVary]) else {
            for row in try await cacheRows(matching: query) {
                if let stored = try await response(of: row, in: query.cacheName) { return stored }
            }
            return nil
        }
        let identity = try cacheIdentity(of: query.url, in: query.cacheName)
        return try await findCached(identity, choice: .selected, fields: query.fields)
    }

    /// Everything that a query finds; nil finds all of a cache.
    package func rows(
        of cacheName: String, matching query: CacheQuery?
    ) async throws(CacheFailure) -> [CacheRow] {
        if let query { return try await cacheRows(matching: query) }
        try await flush()
        return try await allRows(of: cacheName, .all)
    }

    /// Deletes what a query finds: gone for every later match, and from the file when this returns.
    ///
    /// - Returns: whether something fresh was there.
    /// - Throws: `.notWritten` when it is gone, but the file does not say so yet.
    package func delete(_ query: CacheQuery) async throws(CacheFailure) -> Bool {
        guard !query.findsNothing else { return false }
        let found: Bool
        if query.options.contains(.ignoreSearch) {
            found = try await deleteRows(matching: query)
        } else {
            found = try await deleteURL(query)
        }
        try await flush()
        return found
    }

    /// Another deletion of the same URL may come between the look and the deletion: then one of
    /// them has found nothing.
    private func deleteURL(_ query: CacheQuery) async throws(CacheFailure) -> Bool {
        try await deleteURL(
            cacheIdentity(of: query.url, in: query.cacheName), fields: query.fields,
            ignoresVary: query.options.contains(.ignoreVary))
    }

    /// Deletes everything under one key, as `delete` does.
    package func deleteAll(of identity: EntryIdentity) async throws(CacheFailure) -> Bool {
        let found = try await deleteURL(identity, fields: NoFields(), ignoresVary: true)
        try await flush()
        return found
    }

    private func deleteURL(
        _ identity: EntryIdentity, fields: any FieldLines, ignoresVary: Bool
    ) async throws(CacheFailure) -> Bool {
        while true {
            let generation = generation(of: identity.uriKey)
            let found = try await findCached(
                identity, choice: ignoresVary ? .any : .selected, fields: fields)
            let isDone: Bool
            if let found, !ignoresVary {
                isDone = writes.delete(found.name, expected: generation, generations: generations)
                if isDone { memory.remove(found) }
            } else if ignoresVary, found != nil || mayHold(identity) {
                isDone = writes.invalidate(
                    identity.uriKey, at: clock.now(), expected: generation,
                    generations: generations)
            } else {
                // Nothing to delete but what is on its way in.
                isDone = writes.outdate(
                    identity.uriKey, expected: generation, generations: generations)
            }
            if isDone { return found != nil }
        }
    }

    /// Whether something may be stored of a URL, stale or not.
    private func mayHold(_ identity: EntryIdentity) -> Bool {
        expectation(of: identity) != .nothing || !writes.pending(identity.primaryKey).isEmpty
    }

    private func deleteRows(matching query: CacheQuery) async throws(CacheFailure) -> Bool {
        var found = false
        for row in try await cacheRows(matching: query) {
            let generation = generation(of: row.name.uriKey)
            // Who was faster has deleted it.
            if writes.delete(row.name, expected: generation, generations: generations) {
                found = true
            }
        }
        return found
    }

    /// Makes a named cache, if there is none of that name.
    package func openCache(_ name: String) async throws(CacheFailure) {
        writes.openCache(name, at: clock.now())
        try await flush()
    }

    /// Deletes a named cache with everything in it; of the default cache, everything in it.
    ///
    /// - Returns: whether there was one.
    package func deleteCache(_ name: String) async throws(CacheFailure) -> Bool {
        // Names that only look alike are different caches.
        let existed = try await caches().contains { $0.name.utf8.elementsEqual(name.utf8) }
        writes.invalidateGroups([EntryGroup.cache(name)], at: clock.now(), groups: groups)
        try await flush()
        return existed
    }

    /// Deletes everything that was put with one of these tags, in every cache.
    package func deleteTagged(_ tags: [String]) async throws(CacheFailure) {
        let names = CacheTags.normalized(tags).map(EntryGroup.tag)
        guard !names.isEmpty else { return }
        writes.invalidateGroups(names, at: clock.now(), groups: groups)
        try await flush()
    }
}
