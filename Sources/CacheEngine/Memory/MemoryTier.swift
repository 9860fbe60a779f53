package import CacheKeys
import HTTPCaching
import Synchronization

/// The tier in front of the file: stored responses by primary key, bounded in bytes, in shards that
/// are locked one at a time.
///
/// Callable from any thread.
package final class MemoryTier: Sendable {
    /// RFC 9111 §4.1 sets no bound; more variants than this are an attack or a mistake.
    package static let variantLimit = 64

    private final class Shard: Sendable {
        let state: Mutex<SieveShard>

        init(budget: Int) {
            state = Mutex(SieveShard(budget: budget))
        }
    }

    private let shards: [Shard]
    private let bodyLimit: Int
    private let lastTouches = Mutex<Int64>(0)
    private static let secondsBetweenTouches: Int64 = 10
    private static let touchesPerPortion = 256

    /// - Parameter budget: bytes for all shards together, object overhead included.
    package init(budget: Int) {
        // A shard below 16 MiB would refuse bodies of the size that is stored inline.
        let count = max(1, min(16, budget / (16 << 20)))
        shards = (0..<count).map { _ in Shard(budget: max(0, budget) / count) }
        // What a shard admits, without the head.
        bodyLimit = max(0, max(0, budget) / count / 4 - (16 << 10))
    }

    /// The stored response of a key without Vary, or the newest by Date of those whose variant
    /// `variantKey` selects (RFC 9111 §4, §4.1).
    package func response(
        for key: CacheKey, variantKey: (_ names: [String]) -> Digest?
    ) -> StoredResponse? {
        let shard = self.shard(of: key)
        if let response = shard.state.withLock({ $0.single(key) }) {
            guard response.variant.key != nil else { return response }
            return variantKey(response.variant.names) == response.variant.key ? response : nil
        }
        let variants = shard.state.withLock { $0.variants(of: key) }
        guard let chosen = variants.selected(by: variantKey) else { return nil }
        shard.state.withLock { $0.markUsed(chosen) }
        return chosen
    }

    /// The stored response of a key that has but one here.
    func only(_ key: CacheKey) -> StoredResponse? {
        shard(of: key).state.withLock { $0.single(key) }
    }

    /// Whether any variant of a key that `isUsable` is here.
    func holds(_ key: CacheKey, isUsable: (StoredResponse) -> Bool) -> Bool {
        shard(of: key).state.withLock { $0.variants(of: key) }.contains(where: isUsable)
    }

    /// By which fields the answers of a key vary, as far as it is known here.
    func variantNames(of key: CacheKey) -> [String] {
        shard(of: key).state.withLock { $0.variants(of: key) }.first?.variant.names ?? []
    }

    /// Every variant of a key.
    func responses(for key: CacheKey) -> [StoredResponse] {
        shard(of: key).state.withLock { $0.variants(of: key) }
    }

    package func insert(_ response: StoredResponse) {
        shard(of: response.primaryKey).state.withLock {
            $0.insert(response, variantLimit: Self.variantLimit)
        }
    }

    /// Inserts what was read from the file, unless its place was taken since by one that
    /// `isCurrent`: that one was stored later.
    ///
    /// Returns the one that is in place.
    func promote(
        _ response: StoredResponse, isCurrent: (StoredResponse) -> Bool
    ) -> StoredResponse {
        shard(of: response.primaryKey).state.withLock { shard in
            let inPlace = shard.variants(of: response.primaryKey).first {
                $0.variant.key == response.variant.key
            }
            if let inPlace, isCurrent(inPlace) { return inPlace }
            shard.insert(response, variantLimit: Self.variantLimit, isUse: true)
            return response
        }
    }

    /// What was used since it was last asked for, in small portions; nothing more often than the file
    /// needs to know.
    ///
    /// Returns at once when the last time was a moment ago.
    func takeTouched(now: Int64) -> [[EntryName]] {
        let isDue = lastTouches.withLock { last in
            guard now < last || now - last >= Self.secondsBetweenTouches else { return false }
            last = now
            return true
        }
        guard isDue else { return [] }
        return shards.flatMap { shard in
            let names = shard.state.withLock { $0.takeTouched(now: now) }
            return stride(from: 0, to: names.count, by: Self.touchesPerPortion).map { start in
                Array(names[start..<min(names.count, start + Self.touchesPerPortion)])
            }
        }
    }

    /// Puts a response in the place of this very object, if it still has it.
    func replace(_ response: StoredResponse, by other: StoredResponse) {
        shard(of: response.primaryKey).state.withLock { shard in
            guard shard.variants(of: response.primaryKey).contains(where: { $0 === response })
            else { return }
            shard.insert(other, variantLimit: Self.variantLimit)
        }
    }

    /// Whether a large body is kept in memory when it has been read: not so where it would push out
    /// too much.
    func admits(bodyBytes: Int64) -> Bool {
        guard bodyBytes <= Int64(bodyLimit) else { return false }
        // What a buffer of that length really takes.
        return Int(clamping: bodyBytes).nextPowerOf2 <= bodyLimit
    }

    /// Whether what is here in the place of a response outlives it.
    func holdsFresher(than response: StoredResponse) -> Bool {
        shard(of: response.primaryKey).state.withLock { shard in
            shard.variants(of: response.primaryKey).contains {
                $0.variant.key == response.variant.key
                    && $0.terms.freshUntil > response.terms.freshUntil
            }
        }
    }

    /// Removes what is here under a name.
    func remove(_ name: EntryName) {
        shard(of: name.primaryKey).state.withLock {
            $0.remove(name.primaryKey, variant: name.variantKey)
        }
    }

    /// Removes this very object; a newer one in its place stays.
    package func remove(_ response: StoredResponse) {
        shard(of: response.primaryKey).state.withLock { $0.remove(response) }
    }

    package var bytes: Int {
        shards.reduce(0) { $0 + $1.state.withLock { $0.bytes } }
    }

    package var count: Int {
        shards.reduce(0) { $0 + $1.state.withLock { $0.count } }
    }

    private func shard(of key: CacheKey) -> Shard {
        shards[Int(truncatingIfNeeded: key.firstWord >> 32) % shards.count]
    }
}

extension Int {
    fileprivate var nextPowerOf2: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}

extension [StoredResponse] {
    /// The newest by Date among those whose variant the request selects (RFC 9111 §4).
    func selected(by variantKey: ([String]) -> Digest?) -> StoredResponse? {
        var chosen: StoredResponse?
        for response in self {
            if response.variant.key != nil,
                variantKey(response.variant.names) != response.variant.key
            {
                continue
            }
            if let best = chosen, best.terms.dateValue > response.terms.dateValue { continue }
            chosen = response
        }
        return chosen
    }
}
