import CacheEngine
import CacheKeys
import GRDB
import HTTPCaching
import NIOCore

/// What is confined to one read-only connection.
///
/// A read transaction lasts for one call of `find`: a row is copied, then the statement is reset. A
/// statement left open would pin the log.
final class Reader {
    private let findStatement: RawStatement
    private let bodyStatement: RawStatement
    private let probeStatement: RawStatement
    private let namesStatement: RawStatement
    private let lastRowStatement: RawStatement
    private let bodyStateStatement: RawStatement
    private let chunkStatement: RawStatement
    let cacheStatements: CacheStatements
    private var image = RowImage()
    private let allocator = ByteBufferAllocator()

    init(_ database: Database) throws {
        findStatement = try RawStatement(Statements.find, on: database)
        bodyStatement = try RawStatement(Statements.body, on: database)
        probeStatement = try RawStatement(Statements.probeURI, on: database)
        namesStatement = try RawStatement(Statements.names, on: database)
        lastRowStatement = try RawStatement(Statements.lastRow, on: database)
        bodyStateStatement = try RawStatement(Statements.bodyState, on: database)
        chunkStatement = try RawStatement(Statements.chunk, on: database)
        cacheStatements = try CacheStatements(database)
    }

    func find(_ query: EntryQuery) throws(SQLiteFailure) -> EntryFinding {
        let (hasRows, choice) = try judgeRows(query)
        switch choice {
        case .entry(let entry): return .entry(entry)
        case .damaged(let variantKey, let mark):
            return .damaged(
                EntryName(
                    uriKey: query.uriKey, primaryKey: query.primaryKey, variantKey: variantKey),
                mark)
        case nil where hasRows: return .varyMiss
        case nil: return try isURIStored(query) ? .miss : .uriMiss
        }
    }

    private enum Choice {
        case entry(StoredEntry)
        case damaged(variantKey: Digest?, RowMark)
    }

    private func judgeRows(
        _ query: EntryQuery
    ) throws(SQLiteFailure) -> (hasRows: Bool, choice: Choice?) {
        defer { findStatement.reset() }
        var binder = Binder(statement: findStatement.pointer)
        let name = EntryName(
            uriKey: query.uriKey, primaryKey: query.primaryKey, variantKey: nil)
        return try name.withBlobs { uri, primary, _ throws(SQLiteFailure) in
            binder.blob(uri)
            binder.blob(primary)
            var hasRows = false
            var newest: StoredEntry?
            while try findStatement.step() {
                hasRows = true
                switch try judgeRow(query, newerThan: newest?.terms.dateValue) {
                case .entry(let entry): newest = entry
                case .damaged(let variantKey, let mark):
                    return (true, .damaged(variantKey: variantKey, mark))
                case nil: continue
                }
            }
            return (hasRows, newest.map { .entry($0) })
        }
    }

    /// Judges the row the statement stands on; `nil` when it is not for this request.
    private func judgeRow(
        _ query: EntryQuery, newerThan date: Int64?
    ) throws(SQLiteFailure) -> Choice? {
        let variantBytes = findStatement.bytes(Column.variantKey)
        let stored = variantBytes.isEmpty ? nil : Digest(bytes: variantBytes)
        guard let names = VaryText.names(findStatement.bytes(Column.vary)),
            names.isEmpty == (stored == nil), variantBytes.isEmpty == (stored == nil)
        else { return damaged(stored) }
        switch query.choice {
        case .any: break
        case .exactly(let key): guard stored == key else { return nil }
        case .selected where names.isEmpty: break
        case .selected:
            guard let asked = query.variantKey(names), asked == stored else { return nil }
        }
        if let time = query.freshAt, findStatement.integer(Column.freshUntil) <= time { return nil }
        // RFC 9111 §4: of several suitable responses the most recent one is used.
        if let date, findStatement.integer(Column.date) <= date { return nil }
        image.fill(
            primaryKey: query.primaryKey, row: findStatement, firstColumn: Column.variantKey)
        guard image.checksum == findStatement.integer(Column.headChecksum) else {
            return damaged(stored)
        }
        let variant = Variant(names: names, key: stored)
        guard let body = try body(),
            let entry = image.entry(for: query, variant: variant, body: body)
        else { return damaged(stored) }
        return .entry(entry)
    }

    /// No answer can be made of the row.
    private func damaged(_ variantKey: Digest?) -> Choice {
        let mark = RowMark.checksums(
            head: findStatement.integer(Column.headChecksum),
            body: findStatement.integer(Column.bodyChecksum))
        return .damaged(variantKey: variantKey, mark)
    }

    /// The body of the row, or `nil` when its size or checksum is another.
    private func body() throws(SQLiteFailure) -> StoredBody? {
        if let reference = image.reference {
            return try largeBody(reference).map { .chunked($0) }
        }
        if !findStatement.isNull(Column.body) {
            return verified(findStatement.bytes(Column.body)).map { .whole($0) }
        }
        // The open statement holds the snapshot: this reads the same state of the file.
        defer { bodyStatement.reset() }
        var binder = Binder(statement: bodyStatement.pointer)
        binder.integer(findStatement.integer(Column.id))
        guard try bodyStatement.step() else { return nil }
        return verified(bodyStatement.bytes(0)).map { .whole($0) }
    }

    /// What the row says of its large body, if that is there; its chunks are verified one by one
    /// when they are read.
    private func largeBody(_ reference: BodyReference) throws(SQLiteFailure) -> ChunkedBody? {
        guard let body = reference.body(length: image.number(.bodySize)) else { return nil }
        defer { bodyStateStatement.reset() }
        var binder = Binder(statement: bodyStateStatement.pointer)
        binder.integer(body.id.rawValue)
        guard try bodyStateStatement.step(), bodyStateStatement.integer(0) == BodyState.visible,
            bodyStateStatement.integer(1) == body.length,
            bodyStateStatement.integer(2) == reference.chunkSize
        else { return nil }
        return body
    }

    private func verified(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer? {
        guard Int64(bytes.count) == image.number(.bodySize),
            Checksum.of(bytes) == image.number(.bodyChecksum)
        else { return nil }
        var buffer = allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        return buffer
    }

    /// One chunk of a large body, visible or still hidden.
    func chunk(_ sequence: Int64, of body: BodyID) throws(SQLiteFailure) -> ChunkFinding {
        defer { chunkStatement.reset() }
        var binder = Binder(statement: chunkStatement.pointer)
        binder.integer(body.rawValue)
        binder.integer(sequence)
        guard try chunkStatement.step() else { return .missing }
        let bytes = chunkStatement.bytes(1)
        let checksum = Checksum.of(bytes, chunk: sequence, of: body)
        guard checksum == chunkStatement.integer(0), !bytes.isEmpty else { return .damaged }
        if chunkStatement.integer(2) == BodyState.visible {
            let expected = BodyReference.bytes(
                ofChunk: sequence, length: chunkStatement.integer(3),
                chunkSize: chunkStatement.integer(4))
            guard Int64(bytes.count) == expected else { return .damaged }
        }
        var buffer = allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        return .bytes(buffer)
    }

    private func isURIStored(_ query: EntryQuery) throws(SQLiteFailure) -> Bool {
        defer { probeStatement.reset() }
        return try query.uriKey.withUnsafeBytes { bytes throws(SQLiteFailure) in
            var binder = Binder(statement: probeStatement.pointer)
            binder.blob(bytes)
            return try probeStatement.step()
        }
    }

    /// A page of the names in the file, in the order of their index.
    func names(after start: EntryName?, limit: Int) throws(SQLiteFailure) -> KeyPage {
        defer { namesStatement.reset() }
        var page = KeyPage(names: [], next: nil)
        page.names.reserveCapacity(limit)
        try start.withBlobs { uri, primary, variant throws(SQLiteFailure) in
            var binder = Binder(statement: namesStatement.pointer)
            binder.blob(uri)
            binder.blob(primary)
            binder.blob(variant)
            binder.integer(Int64(limit))
            var rows = 0
            while try namesStatement.step() {
                rows += 1
                // A row whose keys are no digests is found by no lookup.
                guard let uri = Digest(bytes: namesStatement.bytes(0)),
                    let primary = Digest(bytes: namesStatement.bytes(1))
                else { continue }
                page.names.append(
                    EntryName(
                        uriKey: uri, primaryKey: primary,
                        variantKey: Digest(bytes: namesStatement.bytes(2))))
            }
            if rows == limit { page.next = page.names.last }
        }
        return page
    }

    /// The last row's number.
    func lastRow() throws(SQLiteFailure) -> Int64 {
        defer { lastRowStatement.reset() }
        return try lastRowStatement.step() ? lastRowStatement.integer(0) : 0
    }

    /// Columns of `Statements.find`.
    private enum Column {
        static let id: Int32 = 0
        static let variantKey: Int32 = 1
        static let vary: Int32 = 9
        static let date: Int32 = 17
        static let freshUntil: Int32 = 19
        static let bodyChecksum: Int32 = 23
        static let headChecksum: Int32 = 25
        static let body: Int32 = 31
    }
}
