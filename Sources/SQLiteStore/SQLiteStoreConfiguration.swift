/// How much of what was committed survives a loss of power.
package enum Durability: String, Sendable, CaseIterable {
    /// Every commit is synchronised: nothing committed is lost.
    case full
    /// One commit a second is synchronised: at most about a second is lost.
    case balanced
}

/// How a durable file is opened and looked after.
package struct SQLiteStoreConfiguration: Sendable {
    /// The database file; `-wal`, `-shm` and `.lock` files stand beside it.
    package var path: String

    /// The default is `.full`.
    package var durability: Durability = .full

    /// Read-only connections, one for each reader thread; at least 1 is opened.
    package var readers: Int = 2

    /// Milliseconds a commit waits for another process's write lock, then it throws `busy`.
    package var writeTimeout: Int = 1000

    /// Milliseconds a read waits, which happens only while a log is recovered.
    package var readTimeout: Int = 1000

    /// Milliseconds a checkpoint waits for visitors before it does what it can without.
    package var checkpointTimeout: Int = 50

    /// Pages of the log not yet in the database that make a checkpoint due; 4000 are 16 MB.
    ///
    /// Longer logs save work, because index pages that were written often are moved once; the next
    /// batch waits for the checkpoint before it. Measured for new rows of 1 KiB: 32 µs a put with
    /// 1000 pages, 29 with 2000, 27 with 4000.
    package var checkpointPages: Int = 4000

    /// Bytes of the log past which it is cut back to nothing.
    package var truncateLogBytes: Int = 32 << 20

    /// Bytes of the log past which puts are refused, because a visitor pins it.
    package var hardLogLimit: Int = 256_000_000

    /// Seconds without a commit after which the log is emptied.
    package var idleSeconds: Int64 = 2

    /// Most pages of 4 KiB the file may have; `nil` leaves SQLite's own limit.
    package var maxPageCount: Int64?

    /// KiB of page cache of the writing connection.
    package var writerCacheKiB: Int = 49_152

    /// KiB of page cache of each reading connection.
    package var readerCacheKiB: Int = 4_096

    /// Rows kept in the log of invalidations.
    package var invalidationsKept: Int64 = 10_000

    package init(path: String) {
        self.path = path
    }
}
