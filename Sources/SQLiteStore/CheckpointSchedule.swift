import HTTPCaching

/// When the log is moved into the database: a state machine without I/O.
///
/// PASSIVE is not used: it holds no write lock, and before SQLite 3.51.3 a log can be damaged when
/// one connection moves it while another commits. FULL and TRUNCATE hold it.
struct CheckpointSchedule: Sendable, Equatable {
    enum Step: Sendable, Equatable {
        /// Moves the log into the database; the next commit starts it anew.
        case full
        /// The same, and cuts the log file to nothing.
        case truncate
    }

    private let configuration: Limits
    /// Pages in the log, and how many of them are in the database too.
    private(set) var logPages: Int
    private(set) var movedPages = 0
    private var lastCommit: EpochSeconds = .min
    private var blockedAt: EpochSeconds?
    /// Checkpoints that a visitor kept from finishing.
    private(set) var blockedCount = 0

    private struct Limits: Sendable, Equatable {
        var checkpointPages: Int
        var truncateBytes: Int
        var hardBytes: Int
        var idleSeconds: Int64
    }

    /// Bytes of one page in the log: 4 KiB and the header of its frame.
    private static let frameBytes = 4_096 + 24

    init(configuration: SQLiteStoreConfiguration, logBytes: Int) {
        self.configuration = Limits(
            checkpointPages: configuration.checkpointPages,
            truncateBytes: configuration.truncateLogBytes,
            hardBytes: configuration.hardLogLimit, idleSeconds: configuration.idleSeconds)
        logPages = logBytes / Self.frameBytes
    }

    var logBytes: Int { logPages * Self.frameBytes }

    /// Past the hard limit puts are refused: each one would make the log longer still.
    var isPastHardLimit: Bool { logBytes > configuration.hardBytes }

    /// So much is due that it cannot wait until the file is looked after.
    var isOverdue: Bool { logPages - movedPages >= 2 * configuration.checkpointPages }

    mutating func noteCommit(logPages pages: Int, now: EpochSeconds) {
        // Fewer pages than before: the log was started anew.
        if pages < logPages { movedPages = 0 }
        logPages = pages
        lastCommit = now
    }

    /// Someone else wrote to the log: it is not empty, whatever was known before.
    mutating func noteForeignCommit(now: EpochSeconds) {
        logPages = max(logPages, movedPages + 1)
        lastCommit = now
    }

    /// What is due now; at most one try a second while a visitor is in the way.
    func next(isIdle: Bool, now: EpochSeconds) -> Step? {
        guard logPages > 0 else { return nil }
        guard blockedAt != now else { return nil }
        if logBytes > configuration.truncateBytes { return .truncate }
        if isIdle, isQuiet(now: now) { return .truncate }
        return logPages - movedPages >= configuration.checkpointPages ? .full : nil
    }

    mutating func noteResult(
        _ step: Step, _ result: RawConnection.CheckpointResult, now: EpochSeconds
    ) {
        logPages = result.logPages
        movedPages = result.movedPages
        if result.isComplete {
            blockedAt = nil
            if step == .truncate {
                logPages = 0
                movedPages = 0
            }
        } else {
            noteBlocked(now: now)
        }
    }

    mutating func noteBlocked(now: EpochSeconds) {
        blockedAt = now
        blockedCount += 1
    }

    /// The clock may have gone back: then the log counts as quiet, which costs one checkpoint.
    private func isQuiet(now: EpochSeconds) -> Bool {
        now < lastCommit || now - max(lastCommit, 0) >= configuration.idleSeconds
    }
}
