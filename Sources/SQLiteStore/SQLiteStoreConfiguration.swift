import HTTPCaching

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

    /// Bytes that the database may use; at least 256 KiB.
    ///
    /// Eviction begins at 95 % and ends at 90 %. Free pages inside the file do not count, and the
    /// log beside it has its own limits: the directory needs room for both.
    package var maxBytes: Int64 = 10_000_000_000

    /// Most pages of 4 KiB the file may have; `nil` follows from `maxBytes`, somewhat above it.
    package var maxPageCount: Int64?

    /// Seconds past its own last window in which a response may still be served: a day while the
    /// origin is away, or the operator's `stale-if-error` where that is more.
    package var staleMargin: Int64 = Reuse.staleWhileUnreachable

    /// Seconds for which a response is kept when nothing can be served from it any more but a
    /// validation may still renew it; then it goes in a quiet moment.
    package var expiredKept: Int64 = 86_400

    /// Free pages up to which the file is not made shorter, as up to a tenth of it; 1024 are 4 MB.
    package var minFreePages: Int64 = 1_024

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
