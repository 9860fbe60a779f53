import CacheKeys
import Synchronization

/// Which keys and URIs the file may hold: a blocked Bloom filter, so that most misses ask the
/// origin without reading the file first.
///
/// It never says no to what was added. What it says yes to wrongly costs one read of the file;
/// what was deleted stays in it until it is made anew. Callable from any thread.
final class KeyFilter: Sendable {
    /// 512 bits: one cache line holds all bits of a key.
    private static let wordsPerBlock = 8
    private static let shardCount = 16

    private final class Shard: Sendable {
        let words: Mutex<[UInt64]>

        init(blocks: Int) {
            words = Mutex([UInt64](repeating: 0, count: blocks * KeyFilter.wordsPerBlock))
        }
    }

    /// How many digests it is made for: about one wrong yes in a hundred when it holds that many.
    let capacity: Int
    private let shards: [Shard]
    private let blocksPerShard: Int
    private let added = Atomic<Int>(0)

    /// - Parameter capacity: digests; twelve bits are kept for each, at most 192 MB in all.
    init(capacity: Int) {
        self.capacity = min(max(capacity, 1 << 16), 1 << 27)
        let blocks = self.capacity * 12 / (Self.wordsPerBlock * 64) + 1
        let blocksPerShard = blocks / Self.shardCount + 1
        self.blocksPerShard = blocksPerShard
        shards = (0..<Self.shardCount).map { _ in Shard(blocks: blocksPerShard) }
    }

    /// More was added than it is made for.
    var isFull: Bool { added.load(ordering: .relaxed) > capacity }

    func insert(_ digest: Digest) {
        let place = place(of: digest)
        let isNew = shards[place.shard].words.withLock { words in
            var isNew = false
            for number in place.bits.indices {
                let bit = place.bits[number]
                let index = place.firstWord + bit >> 6
                let mask: UInt64 = 1 << UInt64(bit & 63)
                if words[index] & mask == 0 { isNew = true }
                words[index] |= mask
            }
            return isNew
        }
        if isNew { added.wrappingAdd(1, ordering: .relaxed) }
    }

    func mayContain(_ digest: Digest) -> Bool {
        let place = place(of: digest)
        return shards[place.shard].words.withLock { words in
            for number in place.bits.indices {
                let bit = place.bits[number]
                if words[place.firstWord + bit >> 6] & (1 << UInt64(bit & 63)) == 0 { return false }
            }
            return true
        }
    }

    private struct Place {
        var shard: Int
        var firstWord: Int
        /// Six bits of the block, of 9 bits of the digest each.
        var bits: InlineArray<6, Int>
    }

    /// The digest's bytes are uniformly distributed: parts of it are as good as hashes of it.
    private func place(of digest: Digest) -> Place {
        let (_, second, third, _) = digest.words
        let shard = Int(truncatingIfNeeded: second & UInt64(Self.shardCount - 1))
        let block = Int(truncatingIfNeeded: (second >> 8) % UInt64(blocksPerShard))
        let bits = InlineArray<6, Int> {
            Int(truncatingIfNeeded: (third >> (9 * UInt64($0))) & 511)
        }
        return Place(shard: shard, firstWord: block * Self.wordsPerBlock, bits: bits)
    }
}
