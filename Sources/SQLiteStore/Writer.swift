import CacheEngine
import CacheKeys
import GRDB
import GRDBSQLite
import HTTPCaching
import NIOCore

/// What is confined to the writing connection.
final class Writer {
    let connection: RawConnection
    var checkpoints: CheckpointSchedule
    /// Committed without a synchronisation since the last synchronised commit (`.balanced`).
    private(set) var isUnsynchronised = false
    private var lastSynchronised: EpochSeconds = .min
    private var lastDataVersion: Int64
    private var isForeignCommitPending = false

    private let configuration: SQLiteStoreConfiguration
    private let statements: WriterStatements
    private var image = RowImage()
    /// Pages in the log after the last commit, written by SQLite's hook.
    private let logPages: UnsafeMutablePointer<Int32>

    init(_ database: Database, configuration: SQLiteStoreConfiguration, logBytes: Int) throws {
        connection = RawConnection(database)
        statements = try WriterStatements(database)
        self.configuration = configuration
        checkpoints = CheckpointSchedule(configuration: configuration, logBytes: logBytes)
        logPages = .allocate(capacity: 1)
        logPages.initialize(to: 0)
        lastDataVersion = 0
        // > The callback is invoked by SQLite after the commit has taken place and the associated
        // > write-lock on the database released.  https://www.sqlite.org/c3ref/wal_hook.html
        sqlite3_wal_hook(
            connection.pointer,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: Int32.self).pointee = pages
                return SQLITE_OK
            }, logPages)
        lastDataVersion = try dataVersion()
    }

    deinit {
        sqlite3_wal_hook(connection.pointer, nil, nil)
        logPages.deallocate()
    }

    /// Milliseconds to wait for other processes.
    var timeouts: (write: Int, checkpoint: Int) {
        (configuration.writeTimeout, configuration.checkpointTimeout)
    }

    /// Applies the batch in one transaction, or throws and leaves the file as it was.
    func commit(_ batch: [Mutation], now: EpochSeconds) throws(SQLiteFailure) {
        let isSynchronised = try chooseSynchronisation(now: now)
        defer { connection.rollBackIfOpen() }
        try statements.begin.run()
        for mutation in batch {
            try apply(mutation)
        }
        try statements.commit.run()
        noteCommit(isSynchronised: isSynchronised, now: now)
    }

    /// Sets rows of `meta` in a transaction of their own.
    func writeMeta(
        _ rows: [(key: String, value: [UInt8])], now: EpochSeconds
    ) throws(SQLiteFailure) {
        defer { connection.rollBackIfOpen() }
        try statements.begin.run()
        for row in rows {
            let code = row.value.withUnsafeBytes { value in
                var binder = Binder(statement: statements.writeMeta.pointer)
                binder.text(row.key)
                binder.blob(value)
                return statements.writeMeta.step(binder)
            }
            try statements.writeMeta.end(code)
        }
        try statements.commit.run()
        noteCommit(isSynchronised: configuration.durability == .full, now: now)
    }

    /// Makes what `.balanced` committed since the last time durable, when that is a second ago.
    func synchroniseIfDue(now: EpochSeconds, force: Bool = false) throws(SQLiteFailure) {
        guard isUnsynchronised, force || now > lastSynchronised else { return }
        try connection.execute("PRAGMA synchronous = FULL")
        defer { try? connection.execute("PRAGMA synchronous = NORMAL") }
        try writeMeta([(key: Meta.synchronisedAt, value: Array("\(now)".utf8))], now: now)
        isUnsynchronised = false
        lastSynchronised = now
    }

    /// True once another connection has committed, until `forgetForeignCommit`: what fails between
    /// the two must not lose the news.
    func hasForeignCommit() throws(SQLiteFailure) -> Bool {
        let version = try dataVersion()
        if version != lastDataVersion { isForeignCommitPending = true }
        lastDataVersion = version
        return isForeignCommitPending
    }

    func forgetForeignCommit() {
        isForeignCommitPending = false
    }

    /// > The "PRAGMA data_version" value is unchanged for commits made on the same database
    /// > connection.  https://www.sqlite.org/pragma.html#pragma_data_version
    private func dataVersion() throws(SQLiteFailure) -> Int64 {
        defer { statements.dataVersion.reset() }
        return try statements.dataVersion.step() ? statements.dataVersion.integer(0) : 0
    }

    private func noteCommit(isSynchronised: Bool, now: EpochSeconds) {
        checkpoints.noteCommit(logPages: Int(logPages.pointee), now: now)
        if isSynchronised {
            isUnsynchronised = false
            lastSynchronised = now
        } else {
            isUnsynchronised = true
        }
    }

    /// `.balanced`: the first commit of each second is a synchronised one.
    private func chooseSynchronisation(now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        guard configuration.durability == .balanced else { return true }
        let isDue = now > lastSynchronised
        // A PRAGMA acts when it is prepared, so it cannot be kept as a statement.
        try connection.execute("PRAGMA synchronous = \(isDue ? "FULL" : "NORMAL")")
        return isDue
    }
}

extension Writer {
    private func apply(_ mutation: Mutation) throws(SQLiteFailure) {
        switch mutation {
        case .put(let response):
            try put(response)
        case .freshen(let response):
            try freshen(response)
        case .delete(let name):
            try delete(name)
        case .invalidate(let uriKey, let at):
            try invalidate(uriKey, at: at)
        case .chunk, .dropBody, .touch:
            break
        }
    }

    private func put(_ response: StoredResponse) throws(SQLiteFailure) {
        let entry = response.entry
        // A variant without a key matches no request: nothing to store.
        guard entry.variant.names.isEmpty == (entry.variant.key == nil) else { return }
        fillImage(entry)
        let content = entry.requestContent
        guard let whole = entry.body.bytes else { return }
        let code = whole.withUnsafeReadableBytes { body in
            (content?.bytes ?? whole).withUnsafeReadableBytes { contentBytes in
                image.withBytes { part in
                    var binder = Binder(statement: statements.put.pointer)
                    for name in RowImage.Part.allCases {
                        name.isBlob ? binder.blob(part(name)) : binder.text(part(name))
                    }
                    for number in image.numbers { binder.integer(number) }
                    binder.integer(image.checksum)
                    binder.integer(Int64(bitPattern: response.generation))
                    if let type = content?.mediaType { binder.text(type) } else { binder.null() }
                    binder.integer(content?.isTruncated == true ? 1 : 0)
                    binder.blob(body)
                    if content == nil { binder.null() } else { binder.blob(contentBytes) }
                    return statements.put.step(binder)
                }
            }
        }
        try statements.put.end(code)
        if entry.variant.key != nil { try trimVariants(entry.identity) }
    }

    /// Keeps the variants of a key bounded, as in memory: a lookup walks all of them.
    private func trimVariants(_ identity: EntryIdentity) throws(SQLiteFailure) {
        let name = EntryName(
            uriKey: identity.uriKey, primaryKey: identity.primaryKey, variantKey: nil)
        let code = name.withBlobs { uri, primary, _ in
            var binder = Binder(statement: statements.trimVariants.pointer)
            binder.blob(uri)
            binder.blob(primary)
            binder.integer(Int64(MemoryTier.variantLimit))
            return statements.trimVariants.step(binder)
        }
        try statements.trimVariants.end(code)
    }

    private func freshen(_ response: StoredResponse) throws(SQLiteFailure) {
        let entry = response.entry
        fillImage(entry)
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
            binder.blob(part(.uriKey))
            binder.blob(part(.primaryKey))
            binder.blob(part(.variantKey))
            binder.integer(image.number(.bodyChecksum))
            binder.integer(image.number(.bodySize))
            return statement.step(binder)
        }
        try statement.end(code)
        // The row is gone, or has another body by now.
        if sqlite3_changes(connection.pointer) == 0 { try put(response) }
    }

    private func delete(_ name: EntryName) throws(SQLiteFailure) {
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

    private func fillImage(_ entry: StoredEntry) {
        let checksum = entry.body.bytes?.withUnsafeReadableBytes { Checksum.of($0) } ?? 0
        image.fill(entry, bodyChecksum: checksum)
    }
}

extension RowImage.Part {
    fileprivate var isBlob: Bool { rawValue <= Self.material.rawValue }
}

extension RowImage.Number {
    /// In the order of `Statements.freshen`.
    fileprivate static let changedByFreshening: [Self] = [
        .status, .requestTime, .responseTime, .date, .bornAt, .freshUntil,
        .staleWhileRevalidateUntil, .staleIfErrorUntil, .flags,
    ]
}

/// The writer's prepared statements.
struct WriterStatements {
    let begin: RawStatement
    let commit: RawStatement
    let put: RawStatement
    let freshen: RawStatement
    let trimVariants: RawStatement
    let deleteVariant: RawStatement
    let deletePlain: RawStatement
    let deleteURI: RawStatement
    let logInvalidation: RawStatement
    let pruneInvalidations: RawStatement
    let writeMeta: RawStatement
    let dataVersion: RawStatement

    init(_ database: Database) throws {
        begin = try RawStatement(Statements.begin, on: database)
        commit = try RawStatement(Statements.commit, on: database)
        put = try RawStatement(Statements.put, on: database)
        freshen = try RawStatement(Statements.freshen, on: database)
        trimVariants = try RawStatement(Statements.trimVariants, on: database)
        deleteVariant = try RawStatement(Statements.deleteVariant, on: database)
        deletePlain = try RawStatement(Statements.deletePlain, on: database)
        deleteURI = try RawStatement(Statements.deleteURI, on: database)
        logInvalidation = try RawStatement(Statements.logInvalidation, on: database)
        pruneInvalidations = try RawStatement(Statements.pruneInvalidations, on: database)
        writeMeta = try RawStatement(Statements.writeMeta, on: database)
        dataVersion = try RawStatement(Statements.dataVersion, on: database)
    }
}
