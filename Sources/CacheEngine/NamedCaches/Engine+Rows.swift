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
    /// - Throws: `.notWritten` when that takes longer than ten seconds, it goes on; at once after the
    ///   engine was shut down.
    package func flush() async throws(CacheFailure) {
        let isDone = await withCheckedContinuation { continuation in
            let once = Once(continuation)
            let deadline = NIOSingletons.posixEventLoopGroup.next()
                .scheduleTask(in: .seconds(Self.flushSeconds)) { once.resume(false) }
            writes.flush { isWritten in
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
        in cacheName: String, scope: CacheSelection.Scope = .all, after: Int64 = 0,
        limit: Int = rowsPerRead
    ) async throws(CacheFailure) -> CachePage {
        let selection = CacheSelection(
            cacheName: cacheName, scope: scope, now: clock.now(), after: after, limit: limit)
        return try await readFile { [self] () throws(StoreError) in
            try store.cacheRows(selection)
        }
    }

    /// The names of the named caches in the order of their creation.
    package func cacheNames() async throws(CacheFailure) -> [String] {
        try await readFile { [self] () throws(StoreError) in try store.cacheNames() }
    }

    /// The named caches in the order of their creation; the default one first, if it has entries.
    package func caches() async throws(CacheFailure) -> [CacheSummary] {
        try await flush()
        return try await readFile { [self] () throws(StoreError) in try store.caches() }
    }

    /// Every row that a query finds; in the order of storing.
    func cacheRows(matching query: CacheQuery) async throws(CacheFailure) -> [CacheRow] {
        guard !query.findsNothing else { return [] }
        try await flush()
        let scope: CacheSelection.Scope
        if query.options.contains(.ignoreSearch) {
            scope = .path(query.url)
        } else {
            let identity = try cacheIdentity(of: query.url, in: query.cacheName)
            scope = .url(identity.uriKey)
        }
        let all = try await allRows(of: query.cacheName, scope)
        return all.filter { isSelected($0, by: query) }
    }

    /// Page by page.
    func allRows(
        of cacheName: String, _ scope: CacheSelection.Scope
    ) async throws(CacheFailure) -> [CacheRow] {
        var rows: [CacheRow] = []
        // What is put anew during the walk comes a second time, at the end.
        var seen: Set<EntryName> = []
        var after: Int64? = 0
        while let start = after {
            let page = try await cacheRows(in: cacheName, scope: scope, after: start)
            rows += page.rows.filter { seen.insert($0.name).inserted }
            after = page.next
        }
        return rows
    }

    private func isSelected(_ row: CacheRow, by query: CacheQuery) -> Bool {
        if query.options.contains(.ignoreVary) || row.vary.isEmpty { return true }
        return variantKey(of: query.fields, names: row.vary) == row.name.variantKey
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
