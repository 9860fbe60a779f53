import CacheEngine
import CacheKeys
import CacheTestKit
import HTTPCaching
import NIOCore
import Synchronization

/// A durable tier that lasts as long as the test.
final class MemoryStore: EntryStore {
    private let rows = Mutex<[CacheKey: [StoredEntry]]>([:])
    private let chunks = Mutex<[BodyID: [Int: ByteBuffer]]>([:])
    private let opened = Mutex<[String]>([])
    private let lastBodyID = Atomic<Int64>(0)
    private let reads = Mutex<[Int]>([])
    /// Every read throws it.
    private let readError = Mutex<StoreError?>(nil)

    var entries: [StoredEntry] { rows.withLock { $0.values.flatMap(\.self) } }

    func failReads(with error: StoreError?) { readError.withLock { $0 = error } }

    func find(_ query: EntryQuery) throws(StoreError) -> EntryFinding {
        if let error = readError.withLock({ $0 }) { throw error }
        let stored = rows.withLock { $0[query.primaryKey] ?? [] }
        guard !stored.isEmpty else { return .uriMiss }
        let match = stored.first { entry in
            if let time = query.freshAt, entry.terms.freshUntil <= time { return false }
            return switch query.choice {
            case .any: true
            case .exactly(let key): entry.variant.key == key
            case .selected:
                entry.variant.names.isEmpty
                    || query.variantKey(entry.variant.names) == entry.variant.key
            }
        }
        return match.map { .entry($0) } ?? .varyMiss
    }

    func commit(_ batch: [Mutation]) throws(StoreError) {
        rows.withLock { rows in
            for mutation in batch {
                switch mutation {
                case .put(let response), .freshen(let response):
                    rows[response.primaryKey, default: []].removeAll {
                        $0.variant.key == response.variant.key
                    }
                    rows[response.primaryKey, default: []].append(response.entry)
                case .delete(let name):
                    rows[name.primaryKey, default: []].removeAll {
                        $0.variant.key == name.variantKey
                    }
                case .deleteUnreadable(let name, let mark):
                    rows[name.primaryKey, default: []].removeAll {
                        $0.variant.key == name.variantKey && $0.has(mark)
                    }
                case .supersede(let others):
                    rows[others.name.primaryKey, default: []].removeAll {
                        others.covers($0.variant)
                    }
                case .invalidate(let uri, _):
                    rows = rows.filter { $0.value.first?.identity.uriKey != uri }
                case .invalidateGroups(let names, _):
                    rows = rows.mapValues { entries in
                        entries.filter { Set($0.groups).isDisjoint(with: names) }
                    }
                case .chunk(let chunk):
                    chunks.withLock { $0[chunk.body, default: [:]][chunk.sequence] = chunk.bytes }
                case .dropBody(let body):
                    chunks.withLock { $0[body] = nil }
                case .openCache(let name, _): opened.withLock { $0.append(name) }
                case .touch: break
                }
            }
        }
    }

    func chunk(_ sequence: Int, of body: BodyID) throws(StoreError) -> ChunkFinding {
        reads.withLock { $0.append(sequence) }
        if let error = readError.withLock({ $0 }) { throw error }
        return chunks.withLock { $0[body]?[sequence] }.map { .bytes($0) } ?? .missing
    }

    /// The chunks that were read since this was last asked for.
    func takeReads() -> [Int] {
        reads.withLock { reads in
            defer { reads = [] }
            return reads
        }
    }

    /// Takes one chunk of every body away.
    func lose(chunk sequence: Int) {
        chunks.withLock { bodies in
            for body in bodies.keys { bodies[body]?[sequence] = nil }
        }
    }

    func makeBodyID() -> BodyID {
        BodyID(rawValue: lastBodyID.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    func names(after start: EntryName?, limit: Int) throws(StoreError) -> KeyPage {
        let entries = rows.withLock { $0.values.flatMap { $0 } }
        let names = entries.map { entry in
            EntryName(
                uriKey: entry.identity.uriKey, primaryKey: entry.identity.primaryKey,
                variantKey: entry.variant.key)
        }
        return KeyPage(names: names, next: nil)
    }

    func cacheRows(_ selection: CacheSelection) throws(StoreError) -> CachePage {
        if let error = readError.withLock({ $0 }) { throw error }
        return CacheWalk.rows(of: entries.sorted { $0.responseTime < $1.responseTime }, selection)
    }

    func cacheNames() throws(StoreError) -> [String] { opened.withLock { $0 } }

    func caches() throws(StoreError) -> [CacheSummary] {
        CacheWalk.summaries(of: entries, opened: opened.withLock { $0 })
    }

    func roughCount() throws(StoreError) -> Int { rows.withLock { $0.count } }

    func tend(isIdle: Bool, pins: BodyPins) throws(StoreError) -> StoreNews { StoreNews() }

    func close() throws(StoreError) {}
}

/// A wall clock that moves when it is told to.
final class ManualClock: WallClock {
    private let time = Mutex<EpochSeconds>(1_800_000_000)

    func now() -> EpochSeconds { time.withLock { $0 } }

    func advance(_ seconds: Int64) { time.withLock { $0 += seconds } }
}
