import CacheEngine
import NIOCore

/// What the file may hold and what is done as it fills: integers only, no I/O.
///
/// Counted are the pages that hold something, those that are still in the log included. Free pages
/// are not, because the next puts fill them before the file grows. Not counted is the log's own
/// file, which has limits of its own: on the disk both stand side by side.
struct FileBudget: Sendable, Equatable {
    /// Pages of the database as the last commit left them.
    struct Use: Sendable, Equatable {
        var pages: Int64
        var freePages: Int64

        var usedBytes: Int64 { max(0, pages - freePages) * FileBudget.pageBytes }
    }

    static let pageBytes: Int64 = 4_096

    let maxBytes: Int64
    /// Past this SQLite refuses to make the file longer.
    ///
    /// It is somewhat above the budget, so that only what eviction cannot stop is refused.
    let pageLimit: Int64
    /// Free pages past which the file is worth shrinking, however small it is.
    private let minFreePages: Int64
    private(set) var isEvicting = false
    private(set) var isShrinking = false

    init(configuration: SQLiteStoreConfiguration) {
        // Less than this holds little more than the schema; more than that no file can have.
        maxBytes = min(max(configuration.maxBytes, 256 << 10), 4_294_967_000 * Self.pageBytes)
        let pages = maxBytes / Self.pageBytes
        pageLimit = configuration.maxPageCount ?? min(pages + pages / 50 + 1_024, 4_294_967_294)
        minFreePages = configuration.minFreePages
    }

    /// Eviction ends here, 90 %.
    var goalBytes: Int64 { maxBytes / 10 * 9 }
    /// Eviction begins here, between batches: 95 %.
    private var startBytes: Int64 { maxBytes / 20 * 19 }
    /// A batch that would go past this waits until there is room: 98 %.
    private var pressBytes: Int64 { maxBytes / 50 * 49 }

    mutating func note(_ use: Use) {
        if use.usedBytes > startBytes { isEvicting = true }
        if use.usedBytes <= goalBytes { isEvicting = false }
        if use.freePages > max(use.pages / 10, minFreePages) { isShrinking = true }
        // Half as much is left: what comes next needs free pages.
        if use.freePages <= max(use.pages / 20, minFreePages / 2) { isShrinking = false }
    }

    /// Where `used` has to be before a batch of `bytes` is committed; `nil` when it fits as it is.
    ///
    /// Twice what comes goes, so that eviction gains on any rate of puts and no batch waits for
    /// more than in proportion to itself.
    func goal(used: Int64, adding bytes: Int64) -> Int64? {
        guard used > pressBytes - min(bytes, pressBytes) else { return nil }
        let room = max(0, min(goalBytes, maxBytes - min(bytes, maxBytes)))
        return max(room, used - min(2 * min(bytes, maxBytes), used))
    }

    func exceeds(used: Int64, adding bytes: Int64) -> Bool {
        bytes > maxBytes || used > maxBytes - bytes
    }
}

extension Mutation {
    /// About how much longer the file gets by it, at most.
    var addedBytes: Int64 {
        switch self {
        case .put(let response), .freshen(let response):
            Int64(response.cost) + 2 * FileBudget.pageBytes
        case .chunk(let chunk):
            Int64(chunk.bytes.readableBytes) + FileBudget.pageBytes
        case .touch(let names, _): Int64(names.count) * 32
        case .openCache: FileBudget.pageBytes
        case .delete, .deleteUnreadable, .supersede, .invalidate, .invalidateGroups, .dropBody: 0
        }
    }
}
