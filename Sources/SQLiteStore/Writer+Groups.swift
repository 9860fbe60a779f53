import CacheEngine
import GRDBSQLite
import HTTPCaching

/// Which cache groups a response is in (RFC 9875): rows of `tags`.
extension Writer {
    /// Notes the groups of a row that was just written.
    ///
    /// - Parameter isNew: it took no other's place, so nothing is noted of it yet.
    func noteGroups(_ response: StoredResponse, isNew: Bool) throws(SQLiteFailure) {
        let groups = response.groups.filter { EntryGroup.cacheName(of: $0) == nil }
        guard !isNew || !groups.isEmpty else { return }
        try response.name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
            if !isNew {
                try statements.forgetGroups.run { binder in
                    binder.blob(uri)
                    binder.blob(primary)
                    binder.blob(variant)
                }
            }
            for group in groups {
                try statements.noteGroup.run { binder in
                    binder.text(group)
                    binder.blob(uri)
                    binder.blob(primary)
                    binder.blob(variant)
                }
            }
        }
    }

    /// Deletes what is in the groups and notes that in the durable log.
    func invalidateGroups(_ names: [String], at time: EpochSeconds) throws(SQLiteFailure) {
        for name in names {
            if let cache = EntryGroup.cacheName(of: name) {
                try statements.deleteCacheRows.run { $0.text(cache) }
                try statements.deleteCache.run { $0.text(cache) }
            } else {
                try statements.deleteGroup.run { $0.text(name) }
            }
            try statements.logInvalidation.run { binder in
                binder.null()
                binder.integer(time)
                binder.text("group \(name)")
            }
        }
    }
}
