import CacheEngine
import GRDBSQLite
import HTTPCaching

/// The file's size: room for what comes, and what waits for a quiet moment.
extension Writer {
    /// How long a batch may have to wait for quiet work, and for room.
    private static let quietTime = Duration.milliseconds(10)
    private static let roomTime = Duration.milliseconds(250)

    func use() throws(SQLiteFailure) -> FileBudget.Use {
        FileBudget.Use(
            pages: try statements.pageCount.value() ?? 0,
            freePages: try statements.freePageCount.value() ?? 0)
    }

    /// Sets SQLite's own limit of the file; what is longer already is not cut.
    func limitPages() throws(SQLiteFailure) {
        try connection.execute("PRAGMA max_page_count = \(budget.pageLimit)")
        // > The maximum page count cannot be reduced below the current database size.
        // https://www.sqlite.org/pragma.html#pragma_max_page_count
        isOverLimit = try use().pages > budget.pageLimit
    }

    /// Evicts before a batch that would bring the file near its limit; throws SQLITE_FULL when
    /// nothing is left that may go.
    func makeRoom(for bytes: Int64, now: EpochSeconds) throws(SQLiteFailure) {
        guard bytes > 0 else { return }
        // Nothing would have to stay to make room for it.
        guard !budget.exceeds(used: 0, adding: bytes) else { throw SQLiteFailure.sizeUsedUp }
        let used = try use().usedBytes
        guard let goal = budget.goal(used: used, adding: bytes) else { return }
        let isThere = try evict(to: goal, now: now)
        guard !isThere, budget.exceeds(used: try use().usedBytes, adding: bytes) else { return }
        throw SQLiteFailure.sizeUsedUp
    }

    /// Evicts after SQLite refused a batch for want of pages; false when that is no use.
    func makeRoomAfterRefusal(
        of bytes: Int64, now: EpochSeconds
    ) throws(SQLiteFailure) -> Bool {
        let use = try use()
        let limit = budget.pageLimit * FileBudget.pageBytes
        // A full disk has the same code, and nothing that is deleted here helps it.
        let isOurs = use.pages * FileBudget.pageBytes > limit - min(2 * bytes + (1 << 20), limit)
        guard bytes > 0, bytes < limit / 2, isOurs else { return false }
        return try evict(to: max(0, use.usedBytes - 2 * bytes), now: now)
    }

    /// True when the goal was reached; or when it takes so long that the batch goes first.
    private func evict(to goal: Int64, now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        let end = ContinuousClock.now + Self.roomTime
        while true {
            let used = try use().usedBytes
            if used <= goal || ContinuousClock.now >= end { return true }
            guard try evictStep(need: used - goal, now: now) else { return false }
        }
    }

    /// Does some of the work that waits for a quiet moment; true when there is more of it.
    ///
    /// It gives way to every other writer: nothing here is urgent.
    func lookAfterSpace(
        isIdle: Bool, pins: BodyPins, now: EpochSeconds
    ) throws(SQLiteFailure) -> Bool {
        self.pins = pins
        // Each step would make the log longer still.
        guard !checkpoints.isPastHardLimit else { return false }
        connection.setBusyTimeout(milliseconds: timeouts.checkpoint)
        defer { connection.setBusyTimeout(milliseconds: timeouts.write) }
        let end = ContinuousClock.now + Self.quietTime
        do {
            while try quietStep(isIdle: isIdle, now: now) {
                if ContinuousClock.now >= end { return true }
            }
            return false
        } catch {
            guard error.primaryCode == SQLITE_BUSY else { throw error }
            return false
        }
    }

    /// One short transaction; false when there is nothing to do.
    private func quietStep(isIdle: Bool, now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        if try sweepStep(now: now) { return true }
        let use = try use()
        budget.note(use)
        if budget.isEvicting {
            let need = use.usedBytes - budget.goalBytes
            if try evictStep(need: need, now: now) { return true }
        }
        if isIdle {
            let kept = ReuseTerms.difference(now, configuration.expiredKept)
            if try expireStep(before: kept, need: .max, now: now) { return true }
        }
        guard budget.isShrinking else { return false }
        try shrinkStep(now: now)
        return true
    }

    /// Moves pages from the end of the file into free ones and gives their place back; the file
    /// itself is cut by the next checkpoint.
    private func shrinkStep(now: EpochSeconds) throws(SQLiteFailure) {
        let isSynchronised = try chooseSynchronisation(now: now)
        try connection.execute("PRAGMA incremental_vacuum(\(Self.shrinkPages))")
        noteCommit(isSynchronised: isSynchronised, now: now)
        if isOverLimit { try limitPages() }
    }

    static let shrinkPages = 256
}

extension SQLiteFailure {
    fileprivate static let sizeUsedUp = SQLiteFailure(
        code: SQLITE_FULL, message: "the file's size is used up")
}
