package import CacheEngine
package import HTTPCaching
package import Logging
import Synchronization

/// The durable tier in one SQLite file: one connection writes and checkpoints, a few read.
///
/// A file that turns out damaged is moved aside and a fresh one takes its place; the calls that meet
/// the damage throw `replaced`, all later ones work on the fresh file.
package final class SQLiteStore: EntryStore {
    let configuration: SQLiteStoreConfiguration
    let files: FileSet
    let clock: @Sendable () -> EpochSeconds
    let logger: Logger
    let state: Mutex<State>
    /// Serialises everything that closes or exchanges the file; never held during an access.
    let exchange = Mutex(())
    /// The largest name that a large body has or had.
    let lastBody: Atomic<Int64>
    private let lock: LockFile

    /// What the store works on now.
    struct State: Sendable {
        enum Phase: Sendable {
            case open(OpenFile)
            /// No usable file; `tend` tries again.
            case lost
            case closed
        }

        var phase: Phase
        var secret: [UInt8]
        /// To be told by the next `tend`.
        var wasReplaced = false
        /// Synchronisation failures of this file; the second replaces it.
        var syncFailures = 0
        var isPinReported = false
        var lastLook: EpochSeconds = .min
    }

    /// Opens the file, makes it when it is not there, and moves it aside when it is damaged.
    ///
    /// `clock` is asked for the time of bookkeeping and of checkpoints, on the calling thread.
    package init(
        configuration: SQLiteStoreConfiguration, clock: @escaping @Sendable () -> EpochSeconds,
        logger: Logger
    ) throws(StoreOpenError) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        files = FileSet(path: configuration.path)
        lock = try LockFile(database: configuration.path)
        let file: OpenFile
        do {
            file = try Self.open(
                files: files, configuration: configuration, secret: nil, now: clock(),
                logger: logger)
        } catch {
            if case .notLarder = error { lock.discard() }
            throw error
        }
        state = Mutex(State(phase: .open(file), secret: file.facts.secret))
        lastBody = Atomic(file.facts.lastBody)
        if !file.facts.wasCleanlyClosed {
            logger.notice("the file was not closed in order; what was committed is there")
        }
    }

    /// The 32 bytes that digests of credentials are made under, kept in the file.
    package func credentialSecret() throws(StoreError) -> [UInt8] {
        state.withLock { $0.secret }
    }

    /// Whether the last run closed the file in order; true for a file just made.
    package var wasCleanlyClosed: Bool {
        guard case .open(let file) = state.withLock({ $0.phase }) else { return false }
        return file.facts.wasCleanlyClosed
    }

    package func find(_ query: EntryQuery) throws(StoreError) -> EntryFinding {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.find(query) }
        }
        return try finish(result, on: file)
    }

    package func chunk(
        _ sequence: Int, of body: BodyID
    ) throws(StoreError) -> ChunkFinding {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.chunk(Int64(sequence), of: body) }
        }
        return try finish(result, on: file)
    }

    /// Names rise as long as the process lives, whatever becomes of the file.
    ///
    /// A new process begins above what the file holds: nobody is left who knows a name above that.
    package func makeBodyID() -> BodyID {
        BodyID(rawValue: lastBody.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    package func names(after start: EntryName?, limit: Int) throws(StoreError) -> KeyPage {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.names(after: start, limit: limit) }
        }
        return try finish(result, on: file)
    }

    package func cacheRows(_ selection: CacheSelection) throws(StoreError) -> CachePage {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.cacheRows(selection) }
        }
        return try finish(result, on: file)
    }

    package func cacheNames() throws(StoreError) -> [String] {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.cacheNames() }
        }
        return try finish(result, on: file)
    }

    package func caches() throws(StoreError) -> [CacheSummary] {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.caches() }
        }
        return try finish(result, on: file)
    }

    package func roughCount() throws(StoreError) -> Int {
        let file = try currentFile()
        let result = file.readers.access { reader in
            Result { () throws(SQLiteFailure) in try reader.lastRow() }
        }
        return Int(clamping: max(0, try finish(result, on: file)))
    }

    package func commit(_ batch: [Mutation]) throws(StoreError) {
        guard !batch.isEmpty else { return }
        let file = try currentFile()
        let now = clock()
        let result = file.writer.access { writer in
            Result { () throws(SQLiteFailure) in
                if writer.checkpoints.isPastHardLimit, batch.contains(where: \.growsLog) {
                    throw SQLiteFailure.logTooLong
                }
                if writer.checkpoints.isOverdue {
                    try writer.checkpointIfDue(isIdle: false, now: now)
                }
                try writer.commit(batch, now: now)
            }
        }
        try finish(result, on: file)
    }

    package func close() throws(StoreError) {
        guard case .open(let file) = state.withLock({ $0.phase }) else {
            state.withLock { $0.phase = .closed }
            lock.release()
            return
        }
        let now = clock()
        let result = file.writer.access { writer in
            Result { () throws(SQLiteFailure) in try writer.closeDown(now: now) }
        }
        let closing = exchange.withLock { _ in
            state.withLock { $0.phase = .closed }
            return Result { () throws(SQLiteFailure) in try file.close() }
        }
        lock.release()
        for case .failure(let failure) in [result, closing] {
            throw Self.storeError(failure)
        }
    }

    func currentFile() throws(StoreError) -> OpenFile {
        switch state.withLock({ $0.phase }) {
        case .open(let file): return file
        case .lost: throw .failed(code: 0, message: "no usable file")
        case .closed: throw .closed
        }
    }

    /// Passes a result on; a failure that the file caused exchanges it first.
    func finish<T>(
        _ result: Result<T, SQLiteFailure>?, on file: OpenFile
    ) throws(StoreError) -> T {
        switch result {
        case .success(let value): return value
        case .failure(let failure): throw remedy(failure, on: file)
        // Closed between the look and the access: by an exchange, or for good.
        case nil:
            _ = try currentFile()
            throw .replaced
        }
    }
}

extension Mutation {
    /// Puts and freshened rows are refused when the log is too long; what deletes goes on.
    fileprivate var growsLog: Bool {
        switch self {
        case .put, .freshen, .chunk, .touch: true
        // One small row; and it must not hold up the deletions of its batch.
        case .delete, .deleteUnreadable, .supersede, .invalidate, .invalidateGroups, .dropBody,
            .openCache:
            false
        }
    }
}
