import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes

/// What is particular to the rows that programs put: named caches, and rows in the order of storing.
extension Writer {
    func openCache(_ name: String, at time: EpochSeconds) throws(SQLiteFailure) {
        guard !name.isEmpty else { return }
        try statements.openCache.run { binder in
            binder.text(name)
            binder.integer(time)
        }
    }

    /// A program's put does not take the place of the row that it replaces but comes behind all
    /// others, which is the order that walks through a cache have.
    func beginPut(_ response: StoredResponse) throws(SQLiteFailure) {
        let identity = response.entry.identity
        guard identity.surface == .cacheAPI else { return }
        try openCache(identity.cacheName, at: response.entry.responseTime)
        try delete(response.name)
    }

    /// Notes the fields of the request that a row was put for.
    func note(_ requestFields: HTTPFields, of row: Int64) throws(SQLiteFailure) {
        guard !requestFields.isEmpty else { return }
        var text: [UInt8] = []
        HeaderText.append(requestFields, to: &text)
        let statement = statements.noteRequest
        let code = text.withUnsafeBytes { bytes in
            var binder = Binder(statement: statement.pointer)
            binder.text(bytes)
            binder.integer(row)
            return statement.step(binder)
        }
        try statement.end(code)
    }
}
