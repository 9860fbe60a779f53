import CacheEngine
import GRDBSQLite
import HTTPCaching
import Logging
import Synchronization

extension SQLiteStore {
    /// Opens the file; a damaged one is moved aside first, once.
    static func open(
        files: FileSet, configuration: SQLiteStoreConfiguration, secret: [UInt8]?,
        now: EpochSeconds, logger: Logger
    ) throws(StoreOpenError) -> OpenFile {
        switch try files.inspect() {
        case .foreign:
            throw .notLarder(path: files.path)
        case .garbage:
            try moveAside(files, reason: "it is no SQLite database", now: now, logger: logger)
        case .larder, .absentOrEmpty:
            break
        }
        do {
            return try OpenFile(
                files: files, configuration: configuration, secret: secret, now: now)
        } catch let error as StoreOpenError {
            throw error
        } catch {
            let failure = SQLiteFailure(error)
            // A statement that does not compile on a file whose steps are all ours: the text of the
            // schema is damaged in a way that SQLite cannot tell.
            guard failure.remedy == .replace || failure.primaryCode == SQLITE_ERROR else {
                throw openError(failure, files)
            }
            try moveAside(files, reason: failure.message, now: now, logger: logger)
        }
        do {
            return try OpenFile(
                files: files, configuration: configuration, secret: secret, now: now)
        } catch let error as StoreOpenError {
            throw error
        } catch {
            throw openError(SQLiteFailure(error), files)
        }
    }

    private static func openError(_ failure: SQLiteFailure, _ files: FileSet) -> StoreOpenError {
        .cannotOpen(path: files.path, reason: "\(failure.message) (SQLite \(failure.code))")
    }

    private static func moveAside(
        _ files: FileSet, reason: String, now: EpochSeconds, logger: Logger
    ) throws(StoreOpenError) {
        let target = try files.moveAside(now: now)
        logger.error(
            "the file was damaged and moved aside; a fresh one takes its place",
            metadata: ["file": "\(files.path)", "moved-to": "\(target)", "reason": "\(reason)"])
    }

    /// Does what a failure asks for and says what the caller is told.
    func remedy(_ failure: SQLiteFailure, on file: OpenFile) -> StoreError {
        switch failure.remedy {
        case .report:
            return Self.storeError(failure)
        case .replace:
            exchangeFile(file, isDamaged: true, reason: failure.message)
            return .replaced
        case .reopen:
            let count = state.withLock { state in
                state.syncFailures += 1
                return state.syncFailures
            }
            exchangeFile(file, isDamaged: count > 1, reason: failure.message)
            return count > 1 ? .replaced : Self.storeError(failure)
        }
    }

    /// Closes a file, moves it aside if it is damaged, and opens what then stands at the path.
    ///
    /// Nothing happens when another thread was first.
    func exchangeFile(_ file: OpenFile, isDamaged: Bool, reason: String) {
        exchange.withLock { _ in
            let isCurrent = state.withLock { state in
                guard case .open(let current) = state.phase, current === file else { return false }
                state.phase = .lost
                state.wasReplaced = true
                if isDamaged { state.syncFailures = 0 }
                return true
            }
            guard isCurrent else { return }
            try? file.close()
            if isDamaged {
                do {
                    try Self.moveAside(files, reason: reason, now: clock(), logger: logger)
                } catch {
                    logger.error("the damaged file stays: \(error)")
                    return
                }
            } else {
                logger.warning("the file is opened anew", metadata: ["reason": "\(reason)"])
            }
            reopen()
        }
    }

    /// Tries to open a file after it was lost.
    ///
    /// Called with the exchange locked.
    func reopen() {
        do {
            let secret = state.withLock { $0.secret }
            let opened = try Self.open(
                files: files, configuration: configuration, secret: secret, now: clock(),
                logger: logger)
            // Before anyone can write to it.
            _ = lastBody.max(opened.facts.lastBody, ordering: .relaxed)
            state.withLock { state in
                state.phase = .open(opened)
                state.wasReplaced = true
                state.isPinReported = false
            }
        } catch {
            logger.error("no usable file: \(error)")
        }
    }

    static func storeError(_ failure: SQLiteFailure) -> StoreError {
        if failure == .logTooLong { return .logTooLong }
        switch failure.primaryCode {
        case SQLITE_FULL: return .full
        case SQLITE_BUSY: return .busy
        default: return .failed(code: failure.code, message: failure.message)
        }
    }
}

extension SQLiteFailure {
    /// Ours, not SQLite's: stands for `StoreError.logTooLong` inside an access.
    static let logTooLong = SQLiteFailure(code: -1, message: "the log is past its hard limit")
}
