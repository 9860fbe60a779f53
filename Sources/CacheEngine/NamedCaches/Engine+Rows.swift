import CacheKeys
import HTTPCaching
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Walking through named caches: what is queued is written first, then the file is asked.
extension Engine {
    private static let rowsPerRead = 256
    private static let flushSeconds: Int64 = 10

    /// Waits until everything that is queued by now is in the file.
    ///
    /// - Parameter countsLosses: a put that is lost meanwhile, as the disk is full, is a failure.
    /// - Throws: `.notWritten` when that takes longer than ten seconds, it goes on; when a put was
    ///   lost; at once after the engine was shut down.
    package func flush(countsLosses: Bool = true) async throws(CacheFailure) {
        let isDone = await withCheckedContinuation { continuation in
            let once = Once(continuation)
            let deadline = NIOSingletons.posixEventLoopGroup.next()
                .scheduleTask(in: .seconds(Self.flushSeconds)) { once.resume(false) }
            writes.flush(countsLosses: countsLosses) { isWritten in
                deadline.cancel()
                once.resume(isWritten)
            }
        }
        guard isDone else { throw .notWritten }
    }

    /// Whoever comes first.
    private final class Once: Sendable {
        private let continuation: Mutex<CheckedContinuation<Bool, Never>?>

        init(_ continuation: CheckedContinuation<Bool, Never>) {
            self.continuation = Mutex(continuation)
        }

        func resume(_ value: Bool) {
            let first = continuation.withLock { $0.take() }
            first?.resume(returning: value)
        }
    }

    /// Runs on a reader thread.
    private func readFile<Value: Sendable>(
        _ body: @escaping @Sendable () throws(StoreError) -> Value
    ) async throws(CacheFailure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Value?, Never>) in
            submitRead(
                { [self] in
                    do {
                        continuation.resume(returning: try body())
                    } catch {
                        counters.failedReads.add(1)
                        logger.error("a cache could not be read", metadata: ["error": "\(error)"])
                        continuation.resume(returning: nil)
                    }
                }, orElse: { continuation.resume(returning: nil) })
        }
        guard let result else { throw .unreadable }
        return result
    }

    /// A page of what is stored in a cache, in the order of storing; fresh rows only.
    ///
    /// - Parameter after: the last row of the page before; 0 for the first page.
    package func cacheRows(
        in cacheName: String, after: Int64 = 0, limit: Int = rowsPerRead
    ) async throws(CacheFailure) -> CachePage {
        try await cacheRows(
            in: cacheName, scope: .all, after: CachePlace(id: after), limit: limit)
    }

    private func cacheRows(
        in cacheName: String, scope: CacheSelection.Scope, after: CachePlace,
        limit: Int = rowsPerRead
    ) async throws(CacheFailure) -> CachePage {
        let selection = CacheSelection(
            cacheName: cacheName, scope: scope, now: clock.now(), after: after, limit: limit)
        return try await readFile { [self] () throws(StoreError) in
            try store.cacheRows(selection)
        }
    }

    /// The names of the named caches in the order of their creation; those that are on their way
    /// into the file come last.
    package func cacheNames() async throws(CacheFailure) -> [String] {
        // First: what is committed in between is seen twice, not missed.
        let pending = writes.pendingCacheNames
        let known = try await readFile { [self] () throws(StoreError) in try store.cacheNames() }
        guard !pending.isEmpty else { return known }
        let spelled = Set(known.map { Array($0.utf8) })
        return known + pending.filter { !spelled.contains(Array($0.utf8)) }
    }

    /// The named caches in the order of their creation; the default one first, if it has entries.
    package func caches() async throws(CacheFailure) -> [CacheSummary] {
        try await flush()
        return try await readFile { [self] () throws(StoreError) in try store.caches() }
    }

    /// What a query finds, in the order of storing.
    ///
    /// - Parameters:
    ///   - after: a row's id; only what was stored behind it.
    ///   - limit: rows in memory at a time and in the result; the walk goes through all of them.
    package func rows(
        matching query: CacheQuery, after: Int64 = 0, limit: Int = .max
    ) async throws(CacheFailure) -> CachePage {
        try await flush()
        var first = FirstRows(after: after, limit: limit)
        var walk = try walk(through: query)
        while let page = try await turn(&walk) { first.take(page) }
        return first.page
    }

    /// A walk through a cache or what a query finds in it, page by page.
    package struct Walk: Sendable {
        package let cacheName: String
        fileprivate let query: CacheQuery?
        fileprivate let scope: CacheSelection.Scope
        fileprivate var place: CachePlace? = .start
        /// What is put anew during the walk may come a second time.
        fileprivate var seen: Set<EntryName> = []

        fileprivate var isByURL: Bool {
            switch scope {
            case .allByURL, .path: true
            case .all, .url: false
            }
        }
    }

    /// All of a cache, in the order of URLs: what is put anew meanwhile keeps its place, so that the
    /// walk ends.
    package func walk(of cacheName: String) -> Walk {
        Walk(cacheName: cacheName, query: nil, scope: .allByURL)
    }

    /// What a query finds, in the order of URLs.
    package func walk(through query: CacheQuery) throws(CacheFailure) -> Walk {
        let scope: CacheSelection.Scope
        if query.options.contains(.ignoreSearch) {
            scope = .path(query.url)
        } else {
            scope = .url(try cacheIdentity(of: query.url, in: query.cacheName).uriKey)
        }
        var walk = Walk(cacheName: query.cacheName, query: query, scope: scope)
        if query.findsNothing { walk.place = nil }
        return walk
    }

    /// The next page of a walk, which may be empty; nil at the end.
    package func turn(_ walk: inout Walk) async throws(CacheFailure) -> [CacheRow]? {
        guard let place = walk.place else { return nil }
        let page = try await cacheRows(in: walk.cacheName, scope: walk.scope, after: place)
        // Text that is no UTF-8, which only a visiting shell writes, has no place to go on behind.
        if let next = page.next, !next.isBehind(place) { throw .unreadable }
        walk.place = page.next
        var rows = page.rows.filter { !walk.seen.contains($0.name) }
        let names = page.rows.map(\.name)
        // By URL it may come again on the next page, where its URL stands on both.
        if walk.isByURL { walk.seen = Set(names) } else { walk.seen.formUnion(names) }
        if let query = walk.query { rows.removeAll { !isSelected($0, by: query) } }
        return rows
    }

    /// All of a cache, in the order of storing.
    package func allRows(of cacheName: String) async throws(CacheFailure) -> [CacheRow] {
        try await flush()
        var walk = Walk(cacheName: cacheName, query: nil, scope: .all)
        var rows: [CacheRow] = []
        while let page = try await turn(&walk) { rows += page }
        return rows
    }

    private func isSelected(_ row: CacheRow, by query: CacheQuery) -> Bool {
        query.options.contains(.ignoreVary)
            || selects(Variant(names: row.vary, key: row.name.variantKey), fields: query.fields)
    }

    /// The stored response of a row, unless it was deleted or replaced since.
    package func response(
        of row: CacheRow, in cacheName: String
    ) async throws(CacheFailure) -> StoredResponse? {
        let identity = try cacheIdentity(of: row.url, in: cacheName)
        let found = try await lookForCached(
            identity, choice: .exactly(row.name.variantKey), fields: NoFields())
        return found.flatMap { $0.terms.isFresh(at: clock.now()) ? $0 : nil }
    }
}

/// A request without any.
package struct NoFields: FieldLines {
    package init() {}

    package func lines(named name: String) -> [String] { [] }
}

/// The rows of a walk that were stored first, of those behind one.
private struct FirstRows {
    let after: Int64
    let limit: Int
    private var rows: [CacheRow] = []
    private var isCut = false

    init(after: Int64, limit: Int) {
        self.after = after
        self.limit = max(1, limit)
    }

    mutating func take(_ more: [CacheRow]) {
        rows += more.filter { $0.id > after }
        if rows.count / 2 >= limit { cut() }
    }

    private mutating func cut() {
        rows.sort { $0.id < $1.id }
        guard rows.count > limit else { return }
        rows.removeLast(rows.count - limit)
        isCut = true
    }

    var page: CachePage {
        var all = self
        all.cut()
        let next = all.isCut ? all.rows.last.map { CachePlace(id: $0.id) } : nil
        return CachePage(rows: all.rows, next: next)
    }
}
