import CacheEngine
import GRDB
import GRDBSQLite
import HTTPCaching

/// One opened file: the writing connection, the reading ones, and what was read at the start.
final class OpenFile: Sendable {
    let writer: Connection<Writer>
    let readers: ReaderPool
    let facts: Facts

    /// What was learned while the file was opened.
    struct Facts: Sendable {
        var secret: [UInt8]
        /// The last run closed the file in order; true for a file just made.
        var wasCleanlyClosed: Bool
        var isNew: Bool
        /// The file's number on its device.
        var identity: UInt64?
        /// The largest name of a large body in it; 0 when there is none.
        var lastBody: Int64
    }

    /// Opens what stands at the path, or makes it; `secret` is for a file that has none.
    ///
    /// Throws `StoreOpenError` for a file that must be left alone, else what SQLite said.
    init(
        files: FileSet, configuration: SQLiteStoreConfiguration, secret: [UInt8]?,
        now: EpochSeconds
    ) throws {
        let isNew = try files.inspect() == .absentOrEmpty
        try files.create()
        var found: Facts?
        writer = try Connection(
            path: files.path, configuration: Self.settings(configuration, isReadOnly: false)
        ) { database in
            let step = Start(
                database: database, files: files, configuration: configuration, now: now)
            try step.prepare(isNew: isNew)
            let writer = try Writer(
                database, configuration: configuration, logBytes: files.logBytes())
            found = try step.readMeta(writer, isNew: isNew, secret: secret)
            return writer
        }
        guard let found else { throw SQLiteFailure(code: SQLITE_INTERNAL, message: "no facts") }
        facts = found
        readers = try ReaderPool(count: configuration.readers) {
            try Connection(
                path: files.path, configuration: Self.settings(configuration, isReadOnly: true)
            ) { database in
                try Pragmas.prepareReader(database, configuration: configuration)
                return try Reader(database)
            }
        }
    }

    /// Closes the readers, then the writer: the last connection of a file empties its log.
    func close() throws(SQLiteFailure) {
        try readers.close()
        try writer.close()
    }

    private static func settings(
        _ configuration: SQLiteStoreConfiguration, isReadOnly: Bool
    ) -> Configuration {
        var settings = Configuration()
        settings.readonly = isReadOnly
        settings.foreignKeysEnabled = false
        // Left to `Pragmas`: GRDB's own set-up of the log would lower `synchronous`.
        settings.journalMode = .default
        let timeout = isReadOnly ? configuration.readTimeout : configuration.writeTimeout
        settings.busyMode = .timeout(Double(timeout) / 1_000)
        settings.label = isReadOnly ? "larder.reader" : "larder.writer"
        // Transactions are ended by us; should one ever stay open, the process must not end for it.
        settings.allowsUnsafeTransactions = true
        return settings
    }
}

/// The order in which a writing connection becomes ready.
private struct Start {
    let database: Database
    let files: FileSet
    let configuration: SQLiteStoreConfiguration
    let now: EpochSeconds

    func prepare(isNew: Bool) throws {
        if isNew { try Pragmas.layOut(database) }
        let verdict = try Schema.judge(database)
        switch verdict {
        case .newer(let number):
            throw StoreOpenError.newerSchema(
                path: files.path, found: number, known: Schema.latest)
        case .foreign(let step):
            throw StoreOpenError.foreignSchema(path: files.path, step: step)
        case .current, .older:
            break
        }
        try Pragmas.prepareWriter(database, configuration: configuration)
        guard case .older(let number) = verdict else { return }
        try Schema.migrate(database, from: number, now: now)
        // The schema must be in the database itself before anything is built on it: with `.balanced`
        // the log alone may be lost.
        _ = try RawConnection(database).checkpoint(mode: SQLITE_CHECKPOINT_TRUNCATE)
    }

    /// Reads the secret and marks the file as in use, in one transaction.
    func readMeta(_ writer: Writer, isNew: Bool, secret: [UInt8]?) throws -> OpenFile.Facts {
        let stored = try Meta.read(Meta.secret, on: database)
        let wasClean = try Meta.number(Meta.cleanShutdown, on: database) == 1
        let epoch = try Meta.number(Meta.epoch, on: database)
        var rows = [
            (key: Meta.cleanShutdown, value: Array("0".utf8)),
            (key: Meta.epoch, value: Array(String(epoch &+ 1).utf8)),
        ]
        if isNew { rows.append((key: Meta.createdAt, value: Array(String(now).utf8))) }
        let chosen: [UInt8]
        if let stored, stored.count == Meta.secretBytes {
            chosen = stored
        } else {
            chosen = secret ?? Meta.randomSecret()
            rows.append((key: Meta.secret, value: chosen))
        }
        try writer.writeMeta(rows, now: now)
        try writer.orphanLostBodies(now: now)
        try writer.limitPages()
        return OpenFile.Facts(
            secret: chosen, wasCleanlyClosed: wasClean || isNew, isNew: isNew,
            identity: files.identity(), lastBody: try lastBody())
    }

    private func lastBody() throws -> Int64 {
        let body = try RawStatement(Statements.lastBody, on: database).value() ?? 0
        let chunk = try RawStatement(Statements.lastChunkBody, on: database).value() ?? 0
        return max(0, body, chunk)
    }
}
