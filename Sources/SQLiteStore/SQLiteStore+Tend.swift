package import CacheEngine
import GRDBSQLite
import HTTPCaching
import Logging
import Synchronization

extension SQLiteStore {
    package func tend(isIdle: Bool, pins: BodyPins) throws(StoreError) -> StoreNews {
        let now = clock()
        if case .lost = state.withLock({ $0.phase }) {
            exchange.withLock { _ in
                if case .lost = state.withLock({ $0.phase }) { reopen() }
            }
        }
        let file = try currentFile()
        noticeReplacement(of: file, now: now)
        guard let result = tend(file, isIdle: isIdle, pins: pins, now: now) else {
            return takeNews(nil)
        }
        let outcome = try finish(.some(result), on: file)
        report(outcome)
        return takeNews(outcome)
    }

    private struct Outcome {
        var isForeign: Bool
        var blockedCount: Int
        var logBytes: Int
        var isBlocked: Bool
        var hasMoreWork: Bool
        var evicted: Int
    }

    private func tend(
        _ file: OpenFile, isIdle: Bool, pins: BodyPins, now: EpochSeconds
    ) -> Result<Outcome, SQLiteFailure>? {
        file.writer.access { writer in
            Result { () throws(SQLiteFailure) in
                let isForeign = try writer.hasForeignCommit()
                if isForeign { writer.checkpoints.noteForeignCommit(now: now) }
                try writer.synchroniseIfDue(now: now)
                let before = writer.checkpoints.blockedCount
                try writer.checkpointIfDue(isIdle: isIdle, now: now)
                let after = writer.checkpoints.blockedCount
                let hasMoreWork = try writer.lookAfterSpace(isIdle: isIdle, pins: pins, now: now)
                writer.forgetForeignCommit()
                return Outcome(
                    isForeign: isForeign, blockedCount: after,
                    logBytes: writer.checkpoints.logBytes, isBlocked: after > before,
                    hasMoreWork: hasMoreWork, evicted: writer.takeEvicted())
            }
        }
    }

    /// Once a second: someone may have removed or exchanged the file under its name.
    private func noticeReplacement(of file: OpenFile, now: EpochSeconds) {
        let isDue = state.withLock { state in
            defer { state.lastLook = now }
            return state.lastLook != now
        }
        guard isDue, files.identity() != file.facts.identity else { return }
        exchangeFile(file, isDamaged: false, reason: "another file stands at its path")
    }

    private func takeNews(_ outcome: Outcome?) -> StoreNews {
        state.withLock { state in
            defer { state.wasReplaced = false }
            return StoreNews(
                foreignCommit: outcome?.isForeign == true || state.wasReplaced,
                evicted: outcome?.evicted ?? 0, hasMoreWork: outcome?.hasMoreWork ?? false)
        }
    }

    /// Says once that a visitor keeps the log from being emptied, and once that it is over.
    private func report(_ outcome: Outcome) {
        let isPinned = outcome.isBlocked && outcome.logBytes > configuration.truncateLogBytes
        let wasReported = state.withLock { state in
            let before = state.isPinReported
            if isPinned { state.isPinReported = true }
            if outcome.logBytes == 0 { state.isPinReported = false }
            return before
        }
        if isPinned, !wasReported {
            logger.warning(
                "a visitor keeps the log from being emptied",
                metadata: [
                    "log-bytes": "\(outcome.logBytes)", "blocked": "\(outcome.blockedCount)",
                ])
        } else if wasReported, outcome.logBytes == 0 {
            logger.notice("the log is empty again")
        }
    }
}

extension Writer {
    /// Moves the log into the database when that is due; waits no longer than the configured time.
    func checkpointIfDue(isIdle: Bool, now: EpochSeconds) throws(SQLiteFailure) {
        guard let step = checkpoints.next(isIdle: isIdle, now: now) else { return }
        try checkpoint(step, now: now)
    }

    /// The last work on the file: marks it as closed in order and empties the log.
    func closeDown(now: EpochSeconds) throws(SQLiteFailure) {
        try synchroniseIfDue(now: now, force: true)
        try connection.execute("PRAGMA synchronous = FULL")
        try writeMeta([(key: Meta.cleanShutdown, value: Array("1".utf8))], now: now)
        try checkpoint(.truncate, now: now)
    }

    private func checkpoint(
        _ step: CheckpointSchedule.Step, now: EpochSeconds
    ) throws(SQLiteFailure) {
        connection.setBusyTimeout(milliseconds: timeouts.checkpoint)
        defer { connection.setBusyTimeout(milliseconds: timeouts.write) }
        // When a checkpoint does not get the write lock it goes on without, as PASSIVE does. So the
        // lock is tried first.
        do {
            try connection.execute(Statements.begin)
            connection.rollBackIfOpen()
        } catch {
            guard error.primaryCode == SQLITE_BUSY else { throw error }
            checkpoints.noteBlocked(now: now)
            return
        }
        let mode = step == .full ? SQLITE_CHECKPOINT_FULL : SQLITE_CHECKPOINT_TRUNCATE
        checkpoints.noteResult(step, try connection.checkpoint(mode: mode), now: now)
    }
}
