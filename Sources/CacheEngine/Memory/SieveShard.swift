import CacheKeys

/// One shard of the memory tier: an index and a SIEVE queue.
///
/// SIEVE (Zhang et al., NSDI 2024): new entries enter at the head, a hit sets one bit, and a hand
/// that walks from the tail evicts the first entry whose bit is clear, clearing bits as it goes.
/// A scan of entries used once leaves the used ones in place. Not thread-safe: the tier holds
/// a lock around every call.
struct SieveShard {
    private struct Node {
        /// `nil` while the node is on the free list.
        var response: StoredResponse?
        /// Towards the head: newer.
        var newer: Int = none
        /// Towards the tail: older.
        var older: Int = none
        /// The next variant of the same primary key.
        var nextVariant: Int = none
        var isVisited = false
        /// Used since the file was told.
        var isTouched = false
        /// When the file was told last, in seconds.
        var toldAt: Int64 = 0
    }

    /// The file hears of the same entry no more often.
    private static let secondsBetweenTouches: Int64 = 300

    private static let none = -1

    private var index: [CacheKey: Int] = [:]
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var newest = SieveShard.none
    private var oldest = SieveShard.none
    private var hand = SieveShard.none
    private let budget: Int
    private(set) var bytes = 0
    private(set) var count = 0

    init(budget: Int) {
        self.budget = budget
    }

    /// The only stored response of a key when it has no Vary: the common case, without allocation.
    mutating func single(_ key: CacheKey) -> StoredResponse? {
        guard let position = index[key] else { return nil }
        guard nodes[position].nextVariant == Self.none else { return nil }
        nodes[position].isVisited = true
        nodes[position].isTouched = true
        return nodes[position].response
    }

    /// Every stored response of a key, the earliest stored first.
    func variants(of key: CacheKey) -> [StoredResponse] {
        var found: [StoredResponse] = []
        var position = index[key] ?? Self.none
        while position != Self.none {
            if let response = nodes[position].response { found.append(response) }
            position = nodes[position].nextVariant
        }
        // The chain runs from the latest to the earliest.
        found.reverse()
        return found
    }

    mutating func markUsed(_ response: StoredResponse) {
        var position = index[response.primaryKey] ?? Self.none
        while position != Self.none {
            if nodes[position].response === response {
                nodes[position].isVisited = true
                nodes[position].isTouched = true
                return
            }
            position = nodes[position].nextVariant
        }
    }

    /// The names of what was used since the last call and is due to be told.
    mutating func takeTouched(now: Int64) -> [EntryName] {
        var names: [EntryName] = []
        for position in nodes.indices where nodes[position].isTouched {
            guard let response = nodes[position].response else { continue }
            let told = nodes[position].toldAt
            guard now < told || now - told >= Self.secondsBetweenTouches else { continue }
            nodes[position].isTouched = false
            nodes[position].toldAt = now
            names.append(response.name)
        }
        return names
    }

    /// Adds a response in place of the one of the same key and variant; evicts what no longer fits.
    ///
    /// One larger than a quarter of the shard is not admitted (it would push out too many), but
    /// still removes what it replaces.
    ///
    /// - Parameter isUse: it was read from the file because somebody asked for it.
    mutating func insert(
        _ response: StoredResponse, variantLimit: Int, isUse: Bool = false
    ) {
        remove(response.primaryKey, variant: response.variant.key)
        guard response.cost <= budget / 4 else { return }
        while bytes > budget - response.cost, evictOne() {}
        dropSurplusVariants(of: response.primaryKey, limit: variantLimit)
        let position = allocate(response)
        nodes[position].nextVariant = index[response.primaryKey] ?? Self.none
        nodes[position].isTouched = isUse
        // The file knows when it was stored.
        nodes[position].toldAt = response.entry.responseTime
        index[response.primaryKey] = position
        pushNewest(position)
        bytes += response.cost
        count += 1
    }

    mutating func remove(_ key: CacheKey, variant: Digest?) {
        var position = index[key] ?? Self.none
        while position != Self.none {
            let next = nodes[position].nextVariant
            if nodes[position].response?.variant.key == variant {
                release(position)
                return
            }
            position = next
        }
    }

    /// Removes this very object, if it is still there.
    mutating func remove(_ response: StoredResponse) {
        var position = index[response.primaryKey] ?? Self.none
        while position != Self.none {
            if nodes[position].response === response {
                release(position)
                return
            }
            position = nodes[position].nextVariant
        }
    }

    private mutating func dropSurplusVariants(of key: CacheKey, limit: Int) {
        // The chain runs from the latest stored to the earliest: the last ones go.
        var position = index[key] ?? Self.none
        var seen = 0
        while position != Self.none {
            let next = nodes[position].nextVariant
            seen += 1
            if seen >= limit { release(position) }
            position = next
        }
    }

    private mutating func evictOne() -> Bool {
        if hand == Self.none { hand = oldest }
        while hand != Self.none, nodes[hand].isVisited {
            nodes[hand].isVisited = false
            hand = nodes[hand].newer == Self.none ? oldest : nodes[hand].newer
        }
        guard hand != Self.none else { return false }
        release(hand)
        return true
    }

    private mutating func allocate(_ response: StoredResponse) -> Int {
        if let position = free.popLast() {
            nodes[position] = Node(response: response)
            return position
        }
        nodes.append(Node(response: response))
        return nodes.count - 1
    }

    private mutating func pushNewest(_ position: Int) {
        nodes[position].older = newest
        nodes[position].newer = Self.none
        if newest != Self.none { nodes[newest].newer = position }
        newest = position
        if oldest == Self.none { oldest = position }
    }

    private mutating func release(_ position: Int) {
        guard let response = nodes[position].response else { return }
        unlinkVariant(position, key: response.primaryKey)
        let newer = nodes[position].newer
        let older = nodes[position].older
        if newer == Self.none { newest = older } else { nodes[newer].older = older }
        if older == Self.none { oldest = newer } else { nodes[older].newer = newer }
        if hand == position { hand = newer }
        nodes[position] = Node()
        free.append(position)
        bytes -= response.cost
        count -= 1
    }

    private mutating func unlinkVariant(_ position: Int, key: CacheKey) {
        let next = nodes[position].nextVariant
        guard var previous = index[key] else { return }
        if previous == position {
            index[key] = next == Self.none ? nil : next
            return
        }
        while previous != Self.none {
            if nodes[previous].nextVariant == position {
                nodes[previous].nextVariant = next
                return
            }
            previous = nodes[previous].nextVariant
        }
    }
}
