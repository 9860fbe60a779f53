import CacheEngine
import CacheKeys
import GRDB
import HTTPTypes

/// The statements that walk through named caches; confined to one read-only connection.
struct CacheStatements {
    let rows: RawStatement
    let rowsByURL: RawStatement
    let rowsOfURL: RawStatement
    let rowsOfPath: RawStatement
    let caches: RawStatement
    let size: RawStatement

    init(_ database: Database) throws {
        rows = try RawStatement(Statements.cacheRows, on: database)
        rowsByURL = try RawStatement(Statements.cacheRowsByURL, on: database)
        rowsOfURL = try RawStatement(Statements.cacheRowsOfURL, on: database)
        rowsOfPath = try RawStatement(Statements.cacheRowsOfPath, on: database)
        caches = try RawStatement(Statements.caches, on: database)
        size = try RawStatement(Statements.cacheSize, on: database)
    }
}

extension Reader {
    func cacheRows(_ selection: CacheSelection) throws(SQLiteFailure) -> CachePage {
        switch selection.scope {
        case .all:
            return try collect(cacheStatements.rows, selection) { $0.text(selection.cacheName) }
        case .allByURL:
            return try collect(cacheStatements.rowsByURL, selection) { binder in
                binder.text(selection.cacheName)
                let place = selection.after
                for text in [place.scheme, place.authority, place.target] { binder.text(text) }
            }
        case .url(let uri):
            return try uri.withUnsafeBytes { uri throws(SQLiteFailure) in
                try collect(cacheStatements.rowsOfURL, selection) { $0.blob(uri) }
            }
        case .path(let url):
            let path = String(url.path)
            return try collect(cacheStatements.rowsOfPath, selection) { binder in
                for text in [selection.cacheName, url.scheme, url.authority] { binder.text(text) }
                // What stands between is what begins with the path and a question mark.
                for text in [path, path + "@", path, path + "?"] { binder.text(text) }
                binder.text(selection.after.target)
            }
        }
    }

    private func collect(
        _ statement: RawStatement, _ selection: CacheSelection, _ bind: (inout Binder) -> Void
    ) throws(SQLiteFailure) -> CachePage {
        defer { statement.reset() }
        var page = CachePage(rows: [], next: nil)
        var count = 0
        var hasRow = try statement.firstRow { binder in
            bind(&binder)
            binder.integer(selection.after.id)
            binder.integer(selection.now)
            binder.integer(Int64(selection.limit))
        }
        while hasRow {
            count += 1
            if count == selection.limit {
                page.next = Self.place(statement, in: selection.scope)
            }
            // A row that makes no sense is found by no lookup either.
            if let row = Self.row(statement) { page.rows.append(row) }
            hasRow = try statement.step()
        }
        return page
    }

    private static func place(
        _ statement: RawStatement, in scope: CacheSelection.Scope
    ) -> CachePlace {
        var place = CachePlace(id: statement.integer(0))
        switch scope {
        case .all, .url: break
        case .allByURL:
            place.scheme = text(statement, 4)
            place.authority = text(statement, 5)
            place.target = text(statement, 6)
        case .path: place.target = text(statement, 6)
        }
        return place
    }

    private static func text(_ statement: RawStatement, _ column: Int32) -> String {
        String(decoding: statement.bytes(column), as: UTF8.self)
    }

    private static func row(_ statement: RawStatement) -> CacheRow? {
        func text(_ column: Int32) -> String { Self.text(statement, column) }
        let variantBytes = statement.bytes(3)
        let variantKey = variantBytes.isEmpty ? nil : Digest(bytes: variantBytes)
        guard let uriKey = Digest(bytes: statement.bytes(1)),
            let primaryKey = Digest(bytes: statement.bytes(2)),
            variantBytes.isEmpty == (variantKey == nil),
            let url = url(scheme: text(4), authority: text(5), target: text(6)),
            let vary = VaryText.names(statement.bytes(7)),
            let requestFields = HeaderText.fields(statement.bytes(12)),
            let status = Int(exactly: statement.integer(8))
        else { return nil }
        return CacheRow(
            id: statement.integer(0),
            name: EntryName(uriKey: uriKey, primaryKey: primaryKey, variantKey: variantKey),
            url: url, vary: vary, requestFields: requestFields, status: status,
            size: statement.integer(9), storedAt: statement.integer(10),
            freshUntil: statement.integer(11))
    }

    private static func url(scheme: String, authority: String, target: String) -> CacheURL? {
        scheme == CacheURL.ownScheme && authority.isEmpty
            ? CacheURL.custom(target)
            : CacheURL(scheme: scheme, authority: authority, target: target)
    }

    func cacheNames() throws(SQLiteFailure) -> [String] {
        defer { cacheStatements.caches.reset() }
        var names: [String] = []
        var hasRow = try cacheStatements.caches.firstRow()
        while hasRow {
            names.append(String(decoding: cacheStatements.caches.bytes(0), as: UTF8.self))
            hasRow = try cacheStatements.caches.step()
        }
        return names
    }

    /// The default cache stands first, if something is stored in it.
    func caches() throws(SQLiteFailure) -> [CacheSummary] {
        var summaries: [CacheSummary] = []
        for name in [""] + (try cacheNames()) {
            defer { cacheStatements.size.reset() }
            guard try cacheStatements.size.firstRow({ $0.text(name) }) else { continue }
            let summary = CacheSummary(
                name: name, entries: cacheStatements.size.integer(0),
                bytes: cacheStatements.size.integer(1))
            if !name.isEmpty || summary.entries > 0 { summaries.append(summary) }
        }
        return summaries
    }
}
