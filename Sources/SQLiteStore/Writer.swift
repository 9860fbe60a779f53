import CacheEngine
import GRDB
import GRDBSQLite
import HTTPCaching

/// What is confined to the writing connection.
final class Writer {
    let connection: RawConnection
    var checkpoints: CheckpointSchedule
    /// Committed without a synchronisation since the last synchronised commit (`.balanced`).
    private(set) var isUnsynchronised = false
    private var lastSynchronised: EpochSeconds = .min
    private var lastDataVersion: Int64
    private var isForeignCommitPending = false

    let configuration: SQLiteStoreConfiguration
    let statements: WriterStatements
    var image = RowImage()
    /// The bodies that answers are being read from; unknown until the file is first looked after.
    var pins: BodyPins?
    var budget: FileBudget
    /// The file is longer than its limit, since that was lowered.
    var isOverLimit = false
    /// Responses removed by us since the last report.
    var evicted = 0
    /// Every row up to this one has a touch or is gone; kept in `meta`.
    var hand: Int64
    private var savedHand: Int64
    var lastStartOver = EpochSeconds.min
    /// Pages in the log after the last commit, written by SQLite's hook.
    private let logPages: UnsafeMutablePointer<Int32>

    init(_ database: Database, configuration: SQLiteStoreConfiguration, logBytes: Int) throws {
        connection = RawConnection(database)
        statements = try WriterStatements(database)
        self.configuration = configuration
        budget = FileBudget(configuration: configuration)
        let hasHand = try Meta.read(Meta.evictionHand, on: database) != nil
        hand = hasHand ? try Meta.number(Meta.evictionHand, on: database) : .min
        savedHand = hand
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
        let bytes = batch.reduce(0) { $0 + $1.addedBytes }
        try makeRoom(for: bytes, now: now)
        do {
            try commitOnce(batch, now: now)
        } catch {
            guard error.primaryCode == SQLITE_FULL,
                try makeRoomAfterRefusal(of: bytes, now: now)
            else { throw error }
            try commitOnce(batch, now: now)
        }
    }

    private func commitOnce(_ batch: [Mutation], now: EpochSeconds) throws(SQLiteFailure) {
        try transaction(now: now) { () throws(SQLiteFailure) in
            for mutation in batch { try apply(mutation) }
        }
    }

    /// Commits what `body` does, or throws and leaves the file as it was.
    func transaction<T>(
        now: EpochSeconds, _ body: () throws(SQLiteFailure) -> T
    ) throws(SQLiteFailure) -> T {
        let isSynchronised = try chooseSynchronisation(now: now)
        defer { connection.rollBackIfOpen() }
        try statements.begin.run()
        let result = try body()
        let hand = hand
        if hand != savedHand { try write(Meta.evictionHand, Array("\(hand)".utf8)) }
        try statements.commit.run()
        savedHand = hand
        noteCommit(isSynchronised: isSynchronised, now: now)
        return result
    }

    /// Sets rows of `meta` in a transaction of their own.
    func writeMeta(
        _ rows: [(key: String, value: [UInt8])], now: EpochSeconds
    ) throws(SQLiteFailure) {
        defer { connection.rollBackIfOpen() }
        try statements.begin.run()
        for row in rows { try write(row.key, row.value) }
        try statements.commit.run()
        noteCommit(isSynchronised: configuration.durability == .full, now: now)
    }

    private func write(_ key: String, _ value: [UInt8]) throws(SQLiteFailure) {
        let code = value.withUnsafeBytes { value in
            var binder = Binder(statement: statements.writeMeta.pointer)
            binder.text(key)
            binder.blob(value)
            return statements.writeMeta.step(binder)
        }
        try statements.writeMeta.end(code)
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

    func noteCommit(isSynchronised: Bool, now: EpochSeconds) {
        checkpoints.noteCommit(logPages: Int(logPages.pointee), now: now)
        if isSynchronised {
            isUnsynchronised = false
            lastSynchronised = now
        } else {
            isUnsynchronised = true
        }
    }

    /// `.balanced`: the first commit of each second is a synchronised one.
    func chooseSynchronisation(now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        guard configuration.durability == .balanced else { return true }
        let isDue = now > lastSynchronised
        // A PRAGMA acts when it is prepared, so it cannot be kept as a statement.
        try connection.execute("PRAGMA synchronous = \(isDue ? "FULL" : "NORMAL")")
        return isDue
    }
}
