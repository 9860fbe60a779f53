import CacheEngine
import CacheKeys
import HTTPCaching

/// Deletions that look at the row first.
extension Writer {
    /// Deletes a row that no answer can be made of; one that took its place has another mark.
    func delete(_ name: EntryName, unreadable mark: RowMark) throws(SQLiteFailure) {
        try name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
            try statements.deleteUnreadable.run { binder in
                binder.blob(uri)
                binder.blob(primary)
                binder.integer(name.variantKey == nil ? 1 : 0)
                binder.blob(variant)
                switch mark {
                case .body(let id):
                    binder.integer(id.rawValue)
                    binder.null()
                    binder.null()
                case .checksums(let head, let body):
                    binder.null()
                    binder.integer(head)
                    binder.integer(body)
                }
            }
        }
    }

    /// Deletes the other variants of a key that are covered.
    func supersede(_ others: Supersession) throws(SQLiteFailure) {
        for row in try rows(beside: others.name) where others.covers(row.variant) {
            try statements.deleteRow.run { $0.integer(row.id) }
        }
    }

    private func rows(
        beside name: EntryName
    ) throws(SQLiteFailure) -> [(id: Int64, variant: Variant)] {
        let statement = statements.otherVariants
        defer { statement.reset() }
        return try name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
            var rows: [(id: Int64, variant: Variant)] = []
            var hasRow = try statement.firstRow { binder in
                binder.blob(uri)
                binder.blob(primary)
                binder.blob(variant)
            }
            while hasRow {
                let key = Digest(bytes: statement.bytes(1))
                let names = VaryText.names(statement.bytes(2)) ?? []
                rows.append((statement.integer(0), Variant(names: names, key: key)))
                hasRow = try statement.step()
            }
            return rows
        }
    }
}
