import CacheEngine
import CacheKeys
import GRDBSQLite
import HTTPCaching
import NIOCore

extension Writer {
    func apply(_ mutation: Mutation) throws(SQLiteFailure) {
        switch mutation {
        case .put(let response):
            try put(response)
        case .freshen(let response):
            try freshen(response)
        case .delete(let name):
            try delete(name)
        case .deleteUnreadable(let name, let mark):
            try delete(name, unreadable: mark)
        case .supersede(let others):
            try supersede(others)
        case .invalidate(let uriKey, let at):
            try invalidate(uriKey, at: at)
        case .openCache(let name, let at):
            try openCache(name, at: at)
        case .invalidateGroups(let names, let at):
            try invalidateGroups(names, at: at)
        case .chunk(let chunk):
            try put(chunk)
        case .dropBody(let body):
            try statements.orphanBody.run { $0.integer(body.rawValue) }
        case .touch(let names, let at):
            for name in names { try touch(name, at: at) }
        }
    }

    private func put(_ response: StoredResponse) throws(SQLiteFailure) {
        let entry = response.entry
        // A variant without a key matches no request: nothing to store.
        guard entry.variant.names.isEmpty == (entry.variant.key == nil) else {
            if let body = entry.body.chunks { try orphan(body.id) }
            return
        }
        switch entry.body {
        case .whole(let bytes):
            fillImage(entry, bodyChecksum: bytes.withUnsafeReadableBytes { Checksum.of($0) })
            try beginPut(response)
            try putRow(response, body: bytes)
        case .chunked(let body), .cached(_, let body):
            guard let checksum = try checksum(ofComplete: body, for: response.name) else {
                // Nothing to store, and what it was to replace must not be answered with.
                try delete(response.name)
                try orphan(body.id)
                return
            }
            fillImage(entry, bodyChecksum: checksum)
            try beginPut(response)
            try putRow(response, body: nil)
            try show(body)
        }
    }

    private func putRow(_ response: StoredResponse, body: ByteBuffer?) throws(SQLiteFailure) {
        // Zero unless the put makes a new row.
        sqlite3_set_last_insert_rowid(connection.pointer, 0)
        // Replaces the row that is in the way.
        if try !stepPut(statements.insert, response, body: body) {
            try stepPut(statements.put, response, body: body)
        }
        if sqlite3_changes(connection.pointer) == 0 {
            // The row has a large body, which only a deletion turns into an orphan.
            try delete(response.name)
            try stepPut(statements.put, response, body: body)
        }
        let newRow = sqlite3_last_insert_rowid(connection.pointer)
        try noteGroups(response, isNew: newRow != 0)
        guard newRow != 0 else { return }
        // The last rows were deleted and their ids are given again.
        if newRow <= hand { hand = newRow &- 1 }
        if let fields = response.entry.requestFields { try note(fields, of: newRow) }
        if response.variant.key != nil { try trimVariants(response.name, keeping: newRow) }
    }

    /// False when a row of the same name is there and the statement does not replace it.
    @discardableResult
    private func stepPut(
        _ statement: RawStatement, _ response: StoredResponse, body: ByteBuffer?
    ) throws(SQLiteFailure) -> Bool {
        let content = response.entry.requestContent
        let empty = ByteBuffer()
        let code = (body ?? empty).withUnsafeReadableBytes { bodyBytes in
            (content?.bytes ?? empty).withUnsafeReadableBytes { contentBytes in
                image.withBytes { part in
                    var binder = Binder(statement: statement.pointer)
                    for name in RowImage.Part.allCases {
                        name.isBlob ? binder.blob(part(name)) : binder.text(part(name))
                    }
                    for number in image.numbers { binder.integer(number) }
                    binder.integer(image.checksum)
                    binder.integer(Int64(bitPattern: response.generation))
                    if let type = content?.mediaType { binder.text(type) } else { binder.null() }
                    binder.integer(content?.isTruncated == true ? 1 : 0)
                    if body == nil { binder.null() } else { binder.blob(bodyBytes) }
                    if content == nil { binder.null() } else { binder.blob(contentBytes) }
                    binder.reference(image.reference)
                    binder.part(image.part)
                    return statement.step(binder)
                }
            }
        }
        if code & 0xFF == SQLITE_CONSTRAINT {
            statement.reset()
            return false
        }
        try statement.end(code)
        return true
    }

    /// Keeps the variants of a key bounded, as in memory: a lookup walks all of them.
    private func trimVariants(
        _ name: EntryName, keeping row: Int64
    ) throws(SQLiteFailure) {
        let limit = Int64(MemoryTier.variantLimit)
        try name.withBlobs { uri, primary, _ throws(SQLiteFailure) in
            let count = try statements.countVariants.value { binder in
                binder.blob(uri)
                binder.blob(primary)
            }
            guard let count, count > limit else { return }
            try statements.trimVariants.run { binder in
                binder.blob(uri)
                binder.blob(primary)
                binder.integer(row)
                binder.integer(limit)
            }
        }
    }

    private func freshen(_ response: StoredResponse) throws(SQLiteFailure) {
        guard let checksum = try checksum(ofStored: response) else {
            return try put(response)
        }
        fillImage(response.entry, bodyChecksum: checksum)
        let statement = statements.freshen
        let code = image.withBytes { part in
            var binder = Binder(statement: statement.pointer)
            binder.text(part(.vary))
            binder.text(part(.reason))
            binder.text(part(.headers))
            for number in RowImage.Number.changedByFreshening {
                binder.integer(image.number(number))
            }
            binder.integer(image.checksum)
            binder.integer(Int64(bitPattern: response.generation))
            // Other bytes of the same length may be the same, too.
            binder.part(image.part)
            binder.blob(part(.uriKey))
            binder.blob(part(.primaryKey))
            binder.blob(part(.variantKey))
            binder.integer(image.number(.bodyChecksum))
            binder.integer(image.number(.bodySize))
            return statement.step(binder)
        }
        try statement.end(code)
        // The row is gone, or has another body by now.
        guard sqlite3_changes(connection.pointer) == 0 else {
            return try noteGroups(response, isNew: false)
        }
        try put(response)
    }

    /// The checksum of the body that a freshened response says it has; `nil` when its row has
    /// another large body by now.
    private func checksum(ofStored response: StoredResponse) throws(SQLiteFailure) -> Int64? {
        switch response.entry.body {
        case .whole(let bytes):
            return bytes.withUnsafeReadableBytes { Checksum.of($0) }
        case .chunked(let body), .cached(_, let body):
            return try response.name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
                try statements.bodyChecksum.value { binder in
                    binder.blob(uri)
                    binder.blob(primary)
                    binder.blob(variant)
                    binder.integer(body.id.rawValue)
                    binder.integer(body.length)
                    binder.integer(Int64(body.chunkBytes))
                }
            }
        }
    }

    func delete(_ name: EntryName) throws(SQLiteFailure) {
        let statement = name.variantKey == nil ? statements.deletePlain : statements.deleteVariant
        let code = name.withBlobs { uri, primary, variant in
            var binder = Binder(statement: statement.pointer)
            binder.blob(uri)
            binder.blob(primary)
            if name.variantKey != nil { binder.blob(variant) }
            return statement.step(binder)
        }
        try statement.end(code)
    }

    private func invalidate(_ uriKey: URIKey, at: EpochSeconds) throws(SQLiteFailure) {
        let deletion = uriKey.withUnsafeBytes { uri in
            var binder = Binder(statement: statements.deleteURI.pointer)
            binder.blob(uri)
            return statements.deleteURI.step(binder)
        }
        try statements.deleteURI.end(deletion)
        let note = uriKey.withUnsafeBytes { uri in
            var binder = Binder(statement: statements.logInvalidation.pointer)
            binder.blob(uri)
            binder.integer(at)
            binder.text("invalidate")
            return statements.logInvalidation.step(binder)
        }
        try statements.logInvalidation.end(note)
        let sequence = sqlite3_last_insert_rowid(connection.pointer)
        let kept = configuration.invalidationsKept
        guard sequence % 256 == 0, sequence > kept else { return }
        try statements.pruneInvalidations.run { $0.integer(sequence - kept) }
    }

    private func touch(_ name: EntryName, at: EpochSeconds) throws(SQLiteFailure) {
        try name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
            try statements.touch.run { binder in
                binder.integer(at)
                binder.blob(uri)
                binder.blob(primary)
                binder.blob(variant)
            }
        }
    }

    private func fillImage(_ entry: StoredEntry, bodyChecksum: Int64) {
        image.fill(entry, bodyChecksum: bodyChecksum)
    }
}

extension RowImage.Part {
    fileprivate var isBlob: Bool { rawValue <= Self.material.rawValue }
}

extension Binder {
    fileprivate mutating func reference(_ reference: BodyReference?) {
        integer(reference?.chunkCount ?? 0)
        integer(reference?.chunkSize ?? 0)
        if let reference { integer(reference.id.rawValue) } else { null() }
    }

    fileprivate mutating func part(_ part: PartColumns?) {
        if let part { integer(part.first) } else { null() }
        if let length = part?.completeLength { integer(length) } else { null() }
    }
}

extension RowImage.Number {
    /// In the order of `Statements.freshen`.
    fileprivate static let changedByFreshening: [Self] = [
        .status, .requestTime, .responseTime, .date, .bornAt, .freshUntil,
        .staleWhileRevalidateUntil, .staleIfErrorUntil, .flags,
    ]
}
