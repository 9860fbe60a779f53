import CacheEngine
import CacheKeys
import CacheTestKit
import Dispatch
import HTTPCaching
import NIOCore
import Synchronization

/// The durable tier in memory, with switches for everything that can go wrong.
final class FakeStore: EntryStore {
    struct Row: Hashable {
        var key: CacheKey
        var variant: Digest?
    }

    struct State {
        var rows: [Row: StoredEntry] = [:]
        var chunks: [BodyID: [Int: ByteBuffer]] = [:]
        /// Bodies that nobody names: their chunks go when they are not pinned.
        var orphans: Set<BodyID> = []
        var lastBodyID: Int64 = 0
        /// The next reads of chunks find nothing.
        var areChunksMissing = false
        var touched: [EntryName] = []
        var caches: [String] = []
        /// Each commit that was tried, and whether it took.
        var tried: [[Mutation]] = []
        var committed: [[Mutation]] = []
        var invalidated: [URIKey] = []
        var finds = 0
        var isClosed = false
        var news = StoreNews()
        /// The next commits throw these, in order.
        var commitErrors: [StoreError] = []
        var findError: StoreError?
        /// Reads of these chunks throw it.
        var chunkErrors: [Int: StoreError] = [:]
        var isDamaged = false
        /// Runs once, after a row was read and before the engine has it.
        var afterFind: (@Sendable () -> Void)?
        var isHeld = false
        var isWaiting = false
    }

    let state = Mutex(State())
    private let gate = DispatchSemaphore(value: 0)

    var rows: [StoredEntry] { state.withLock { Array($0.rows.values) } }
    var finds: Int { state.withLock { $0.finds } }
    var commits: [[Mutation]] { state.withLock { $0.committed } }
    /// Every body that was begun.
    var bodies: [BodyID] {
        let last = state.withLock { $0.lastBodyID }
        return last > 0 ? (1...last).map { BodyID(rawValue: $0) } : []
    }

    func add(_ entry: StoredEntry) {
        state.withLock {
            $0.rows[Row(key: entry.identity.primaryKey, variant: entry.variant.key)] = entry
        }
    }

    /// Commits wait from now on.
    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let isWaiting = state.withLock { state in
            state.isHeld = false
            defer { state.isWaiting = false }
            return state.isWaiting
        }
        if isWaiting { gate.signal() }
    }

    func find(_ query: EntryQuery) throws(StoreError) -> EntryFinding {
        let (result, hook) = state.withLock { state in
            state.finds += 1
            defer { state.afterFind = nil }
            return (Self.find(query, in: state), state.afterFind)
        }
        hook?()
        return try result.get()
    }

    private static func find(
        _ query: EntryQuery, in state: State
    ) -> Result<EntryFinding, StoreError> {
        if let error = state.findError { return .failure(error) }
        let rows = state.rows.values.filter { $0.identity.primaryKey == query.primaryKey }
        if state.isDamaged, let row = rows.first {
            return .success(
                .damaged(
                    EntryName(
                        uriKey: query.uriKey, primaryKey: query.primaryKey,
                        variantKey: row.variant.key), .checksums(head: 0, body: 0)))
        }
        let matching = rows.filter { row in
            if let time = query.freshAt, row.terms.freshUntil <= time { return false }
            return switch query.choice {
            case .any: true
            case .exactly(let key): row.variant.key == key
            case .selected:
                row.variant.key == nil || query.variantKey(row.variant.names) == row.variant.key
            }
        }
        if let newest = matching.max(by: { $0.terms.dateValue < $1.terms.dateValue }) {
            return .success(.entry(newest))
        }
        if !rows.isEmpty { return .success(.varyMiss) }
        let hasURI = state.rows.values.contains { $0.identity.uriKey == query.uriKey }
        return .success(hasURI ? .miss : .uriMiss)
    }

    func commit(_ batch: [Mutation]) throws(StoreError) {
        let mustWait = state.withLock { state in
            if state.isHeld { state.isWaiting = true }
            return state.isHeld
        }
        if mustWait { gate.wait() }
        let error = state.withLock { state -> StoreError? in
            state.tried.append(batch)
            if !state.commitErrors.isEmpty { return state.commitErrors.removeFirst() }
            state.committed.append(batch)
            for mutation in batch { Self.apply(mutation, to: &state) }
            return nil
        }
        if let error { throw error }
    }

    private static func apply(_ mutation: Mutation, to state: inout State) {
        switch mutation {
        case .put(let response), .freshen(let response):
            var entry = response.entry
            let row = Row(key: response.primaryKey, variant: response.variant.key)
            if let chunks = entry.body.chunks {
                guard isComplete(chunks, in: state) else {
                    state.orphans.insert(chunks.id)
                    return remove(row, from: &state)
                }
                // As a file would have it.
                entry.body = .chunked(
                    ChunkedBody(
                        id: chunks.id, length: chunks.length, chunkBytes: chunks.chunkBytes))
            }
            if state.rows[row]?.body.chunks != entry.body.chunks { remove(row, from: &state) }
            state.rows[row] = entry
        case .deleteUnreadable(let name, let mark):
            let row = Row(key: name.primaryKey, variant: name.variantKey)
            if let entry = state.rows[row], entry.has(mark) { remove(row, from: &state) }
        case .supersede(let others):
            for (row, entry) in state.rows
            where row.key == others.name.primaryKey && others.covers(entry.variant) {
                remove(row, from: &state)
            }
        case .delete(let name):
            remove(Row(key: name.primaryKey, variant: name.variantKey), from: &state)
        case .invalidate(let uri, _):
            state.invalidated.append(uri)
            for (row, entry) in state.rows where entry.identity.uriKey == uri {
                remove(row, from: &state)
            }
        case .invalidateGroups(let names, _):
            for (row, entry) in state.rows where !Set(entry.groups).isDisjoint(with: names) {
                remove(row, from: &state)
            }
        case .chunk(let chunk):
            state.chunks[chunk.body, default: [:]][chunk.sequence] = chunk.bytes
        case .dropBody(let body):
            state.orphans.insert(body)
        case .touch(let names, _):
            state.touched += names
        case .openCache(let name, _):
            if !state.caches.contains(name) { state.caches.append(name) }
        }
    }

    /// A chunk of it may have been lost with a batch that failed, or it is being swept.
    private static func isComplete(_ body: ChunkedBody, in state: State) -> Bool {
        guard !state.orphans.contains(body.id) else { return false }
        return (0..<body.chunkCount).allSatisfy {
            state.chunks[body.id]?[$0]?.readableBytes == body.length(ofChunk: $0)
        }
    }

    private static func remove(_ row: Row, from state: inout State) {
        if let body = state.rows.removeValue(forKey: row)?.body.chunks {
            state.orphans.insert(body.id)
        }
    }

    func chunk(_ sequence: Int, of body: BodyID) throws(StoreError) -> ChunkFinding {
        let (chunk, error) = state.withLock { state in
            (
                state.areChunksMissing ? nil : state.chunks[body]?[sequence],
                state.chunkErrors[sequence]
            )
        }
        if let error { throw error }
        return chunk.map { .bytes($0) } ?? .missing
    }

    func makeBodyID() -> BodyID {
        state.withLock { state in
            state.lastBodyID += 1
            return BodyID(rawValue: state.lastBodyID)
        }
    }

    func names(after start: EntryName?, limit: Int) throws(StoreError) -> KeyPage {
        let names = state.withLock { state in
            state.rows.values.map { entry in
                EntryName(
                    uriKey: entry.identity.uriKey, primaryKey: entry.identity.primaryKey,
                    variantKey: entry.variant.key)
            }
        }
        return KeyPage(names: names, next: nil)
    }

    func cacheRows(_ selection: CacheSelection) throws(StoreError) -> CachePage {
        CacheWalk.rows(of: rows.sorted { $0.responseTime < $1.responseTime }, selection)
    }

    func cacheNames() throws(StoreError) -> [String] { state.withLock { $0.caches } }

    func caches() throws(StoreError) -> [CacheSummary] {
        CacheWalk.summaries(of: rows, opened: state.withLock { $0.caches })
    }

    func roughCount() throws(StoreError) -> Int { state.withLock { $0.rows.count } }

    func tend(isIdle: Bool, pins: BodyPins) throws(StoreError) -> StoreNews {
        state.withLock { state in
            for body in state.orphans where !pins.contains(body) {
                state.chunks[body] = nil
                state.orphans.remove(body)
            }
            defer { state.news = StoreNews() }
            return state.news
        }
    }

    func close() throws(StoreError) {
        state.withLock { $0.isClosed = true }
    }
}

extension Mutation {
    /// Short, for comparing in tests.
    var summary: String {
        switch self {
        case .put(let response): "put \(response.primaryKey.firstWord)"
        case .freshen(let response): "freshen \(response.primaryKey.firstWord)"
        case .delete(let name): "delete \(name.primaryKey.firstWord)"
        case .deleteUnreadable(let name, _): "delete unreadable \(name.primaryKey.firstWord)"
        case .supersede(let others): "supersede \(others.name.primaryKey.firstWord)"
        case .invalidate(let uri, _): "invalidate \(uri.firstWord)"
        case .invalidateGroups(let names, _): "groups \(names.count)"
        case .chunk(let chunk): "chunk \(chunk.sequence)"
        case .dropBody: "drop"
        case .touch(let names, _): "touch \(names.count)"
        case .openCache(let name, _): "open \(name)"
        }
    }
}
