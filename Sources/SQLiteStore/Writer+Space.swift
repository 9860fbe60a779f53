import CacheEngine
import GRDBSQLite
import HTTPCaching

extension Writer {
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

    /// How long a batch may have to wait for this work.
    private static let quietTime = Duration.milliseconds(10)

    private func quietStep(isIdle: Bool, now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        if try sweepStep(now: now) { return true }
        return false
    }

    func takeEvicted() -> Int { 0 }
}
