import CacheKeys
import HTTPCaching

/// What programs do with named caches beside putting; each call is safe from any task.
extension Engine {
    /// A stored response that a query finds: the first in the order of storing where the query
    /// ignores something, else the newest.
    package func match(_ query: CacheQuery) async throws(CacheFailure) -> StoredResponse? {
        guard !query.findsNothing else { return nil }
        if query.options.isDisjoint(with: [.ignoreSearch, .ignoreVary]) {
            return try await lookForCached(
                cacheIdentity(of: query.url, in: query.cacheName), choice: .selected,
                freshAt: clock.now(), fields: query.fields)
        }
        var after: Int64? = 0
        while let start = after {
            let page = try await rows(matching: query, after: start, limit: 1)
            if let row = page.rows.first,
                let stored = try await response(of: row, in: query.cacheName)
            {
                return stored
            }
            // Deleted in between: the next one.
            after = page.next?.id
        }
        return nil
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
        } else if query.options.contains(.ignoreVary) {
            found = try await deleteVariants(
                of: cacheIdentity(of: query.url, in: query.cacheName))
        } else {
            found = try await deleteSelected(query)
        }
        try await flush(countsLosses: false)
        return found
    }

    /// Deletes everything under one key, as `delete` does.
    package func deleteAll(of identity: EntryIdentity) async throws(CacheFailure) -> Bool {
        let found = try await deleteVariants(of: identity)
        try await flush(countsLosses: false)
        return found
    }

    /// Deletes the variants that a request finds, all in one step: what is put from then on stays.
    ///
    /// Another deletion of the same URL may come between the look and the deletion: then one of them
    /// has found nothing. Where that goes on and on, it is not waited for any longer.
    private func deleteSelected(_ query: CacheQuery) async throws(CacheFailure) -> Bool {
        let identity = try cacheIdentity(of: query.url, in: query.cacheName)
        var attemptsLeft = 8
        while true {
            attemptsLeft -= 1
            let generation = generation(of: identity.uriKey)
            var names = Set(
                memory.responses(for: identity.primaryKey).filter { stored in
                    stored.terms.isFresh(at: clock.now()) && isCurrent(stored)
                        && selects(stored.variant, fields: query.fields)
                }.map(\.name))
            try await flush(countsLosses: false)
            var walk = try walk(through: query)
            while let page = try await turn(&walk) { names.formUnion(page.map(\.name)) }
            if names.isEmpty {
                // Done, or by another one: what began before is refused either way.
                _ = outdate(identity, expected: generation)
                return false
            }
            let isLastAttempt = attemptsLeft == 0
            repeat {
                let expected = isLastAttempt ? self.generation(of: identity.uriKey) : generation
                if writes.delete(
                    names, of: identity.uriKey, expected: expected, generations: generations)
                {
                    for name in names { memory.remove(name) }
                    return true
                }
            } while isLastAttempt
        }
    }

    private func deleteVariants(of identity: EntryIdentity) async throws(CacheFailure) -> Bool {
        while true {
            let generation = generation(of: identity.uriKey)
            // Whichever of them, if one is fresh.
            let fresh = try await lookForCached(
                identity, choice: .any, freshAt: clock.now(), fields: NoFields())
            if fresh == nil, !mayHold(identity) {
                if outdate(identity, expected: generation) { return false }
            } else if writes.invalidate(
                identity.uriKey, at: clock.now(), expected: generation, generations: generations)
            {
                return fresh != nil
            }
        }
    }

    /// Nothing to delete but what is on its way in.
    private func outdate(_ identity: EntryIdentity, expected: UInt64) -> Bool {
        writes.outdate(identity.uriKey, expected: expected, generations: generations)
    }

    /// Whether something may be stored of a URL, stale or not.
    private func mayHold(_ identity: EntryIdentity) -> Bool {
        expectation(of: identity) != .nothing || !writes.pending(identity.primaryKey).isEmpty
    }

    private func deleteRows(matching query: CacheQuery) async throws(CacheFailure) -> Bool {
        // What is on its way in is not in any row yet.
        groups.invalidate(
            EntryGroup.path(
                scheme: query.url.scheme, authority: query.url.authority, target: query.url.target,
                in: query.cacheName))
        try await flush(countsLosses: false)
        var found = false
        var walk = try walk(through: query)
        while let page = try await turn(&walk) {
            for row in page {
                // Again where another URL that shares its generation was deleted in between.
                while !writes.delete(
                    row.name, expected: generation(of: row.name.uriKey), generations: generations)
                {}
                memory.remove(row.name)
                found = true
            }
        }
        return found
    }

    /// Makes a named cache, if there is none of that name.
    package func openCache(_ name: String) async throws(CacheFailure) {
        let isKnown = try await cacheNames().contains { $0.utf8.elementsEqual(name.utf8) }
        if !isKnown { writes.openCache(name, at: clock.now()) }
        try await flush(countsLosses: false)
    }

    /// Deletes a named cache with everything in it; of the default cache, everything in it.
    ///
    /// - Returns: whether there was one.
    package func deleteCache(_ name: String) async throws(CacheFailure) -> Bool {
        try await flush(countsLosses: false)
        let existed: Bool
        if name.isEmpty {
            existed = try await !cacheRows(in: name, limit: 1).rows.isEmpty
        } else {
            // Names that only look alike are different caches.
            existed = try await cacheNames().contains { $0.utf8.elementsEqual(name.utf8) }
        }
        writes.invalidateGroups([EntryGroup.cache(name)], at: clock.now(), groups: groups)
        try await flush(countsLosses: false)
        return existed
    }

    /// Deletes everything that was put with one of these tags, in every cache.
    ///
    /// - Parameter tags: as `CacheTags.forDeletion` gives them.
    package func deleteTagged(_ tags: [String]) async throws(CacheFailure) {
        guard !tags.isEmpty else { return }
        writes.invalidateGroups(tags.map(EntryGroup.tag), at: clock.now(), groups: groups)
        try await flush(countsLosses: false)
    }
}
