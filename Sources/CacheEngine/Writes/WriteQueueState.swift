import CacheKeys
import DequeModule

/// The deferred puts and deletes on their way to the file, as a state machine without I/O.
///
/// Order in the queue is order in the file. Puts are bounded by count and bytes and shed when
/// full (the newest goes); deletes are never shed, but equal ones that still wait are one. What
/// was handed out stays readable until its batch is finished.
struct WriteQueueState {
    struct Limits: Sendable, Equatable {
        /// A put that would make the queue longer than this is shed.
        var entries = 4096
        /// Bytes of queued and committing puts.
        var bytes = 64 << 20
        /// A batch closes at this many puts or bytes, whichever comes first.
        var batchEntries = 64
        var batchBytes = 1 << 20
    }

    struct Item {
        var sequence: UInt64
        var mutation: Mutation
        /// What a put holds against `Limits.bytes`; 0 for deletes.
        var bytes: Int
        var replacesRow: Bool
    }

    enum Admission: Equatable { case accepted, shed, closed }

    let limits: Limits
    private(set) var waiting: Deque<Item> = []
    private(set) var committing: [Item] = []
    private(set) var putCount = 0
    private(set) var putBytes = 0
    private(set) var isClosed = false
    private var nextSequence: UInt64 = 1
    private var puts: [CacheKey: [StoredResponse]] = [:]
    /// How many invalidations of a URI have not been committed.
    private var invalidations: [URIKey: Int] = [:]
    private var deletes: [EntryName: Int] = [:]

    struct EntryName: Hashable {
        var primaryKey: CacheKey
        var variantKey: Digest?
    }

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    var isEmpty: Bool { waiting.isEmpty && committing.isEmpty }
    var isBatchFull: Bool {
        waiting.count >= limits.batchEntries || waitingBytes >= limits.batchBytes
    }
    /// Bytes of the puts that no batch has taken yet.
    private var waitingBytes = 0

    // MARK: Events

    /// A put or a freshen. When it is shed although an older row may exist, that row's delete is
    /// queued instead: the file must not answer with what was replaced.
    mutating func put(_ response: StoredResponse, isFreshen: Bool, replacesRow: Bool) -> Admission {
        guard !isClosed else { return .closed }
        guard putCount < limits.entries, response.cost <= limits.bytes - putBytes,
            response.cost <= limits.bytes / 4
        else {
            if replacesRow {
                delete(response.primaryKey, variantKey: response.variant.key)
            }
            return .shed
        }
        append(
            isFreshen ? .freshen(response) : .put(response), bytes: response.cost,
            replacesRow: replacesRow)
        putCount += 1
        putBytes += response.cost
        puts[response.primaryKey, default: []].append(response)
        return .accepted
    }

    mutating func delete(_ primaryKey: CacheKey, variantKey: Digest?) {
        let name = EntryName(primaryKey: primaryKey, variantKey: variantKey)
        if case .delete(primaryKey, let variant)? = waiting.last?.mutation, variant == variantKey {
            return
        }
        deletes[name, default: 0] += 1
        append(.delete(primaryKey: primaryKey, variantKey: variantKey), bytes: 0)
    }

    mutating func invalidate(_ uri: URIKey, at time: Int64) {
        if case .invalidate(uri, _)? = waiting.last?.mutation { return }
        invalidations[uri, default: 0] += 1
        append(.invalidate(uri, at: time), bytes: 0)
    }

    mutating func close() {
        isClosed = true
    }

    /// Hands out the next batch in order; its items stay readable until `finish`.
    mutating func takeBatch() -> [Mutation] {
        guard committing.isEmpty else { return committing.map(\.mutation) }
        var bytes = 0
        while let item = waiting.first, committing.count < limits.batchEntries,
            committing.isEmpty || bytes + item.bytes <= limits.batchBytes
        {
            bytes += item.bytes
            committing.append(item)
            waiting.removeFirst()
        }
        waitingBytes -= bytes
        return committing.map(\.mutation)
    }

    /// The batch was committed.
    mutating func finishBatch() {
        for item in committing { forget(item) }
        committing = []
    }

    /// The batch failed: its puts are dropped, its deletes go first in the next one. Returns how
    /// many puts were lost.
    mutating func failBatch() -> Int {
        var lost = 0
        let failed = committing
        committing = []
        for item in failed.reversed() {
            switch item.mutation {
            case .delete, .invalidate:
                waiting.prepend(item)
            case .put(let response), .freshen(let response):
                forget(item)
                lost += 1
                guard item.replacesRow else { continue }
                let name = EntryName(
                    primaryKey: response.primaryKey, variantKey: response.variant.key)
                deletes[name, default: 0] += 1
                waiting.prepend(
                    Item(
                        sequence: item.sequence,
                        mutation: .delete(
                            primaryKey: response.primaryKey, variantKey: response.variant.key),
                        bytes: 0, replacesRow: false))
            }
        }
        return lost
    }

    /// The batch is given up: the file was replaced by an empty one, there is nothing to delete.
    mutating func dropBatch() {
        let dropped = committing
        committing = []
        for item in dropped { forget(item) }
    }

    // MARK: Reading what is pending

    /// The pending puts of a key, earliest first, without those that a later pending delete or
    /// invalidation covers.
    func pending(_ key: CacheKey) -> [StoredResponse] {
        guard let candidates = puts[key] else { return [] }
        guard !deletes.isEmpty || !invalidations.isEmpty else { return Self.latest(of: candidates) }
        var visible: [StoredResponse] = []
        for item in Array(committing) + Array(waiting) {
            switch item.mutation {
            case .put(let response), .freshen(let response):
                if response.primaryKey == key { visible.append(response) }
            case .delete(key, let variantKey):
                visible.removeAll { $0.variant.key == variantKey }
            case .invalidate(let uri, _):
                visible.removeAll { $0.uriKey == uri }
            case .delete:
                continue
            }
        }
        return Self.latest(of: visible)
    }

    /// Whether rows of this URI in the file are covered by an invalidation that is not committed.
    func hasPendingInvalidation(of uri: URIKey) -> Bool {
        invalidations[uri] != nil
    }

    /// Whether the file's row of this name is covered by a delete that is not committed.
    func hasPendingDelete(of primaryKey: CacheKey, variantKey: Digest?) -> Bool {
        deletes[EntryName(primaryKey: primaryKey, variantKey: variantKey)] != nil
    }

    private static func latest(of responses: [StoredResponse]) -> [StoredResponse] {
        guard responses.count > 1 else { return responses }
        var latest: [StoredResponse] = []
        for response in responses {
            latest.removeAll { $0.variant.key == response.variant.key }
            latest.append(response)
        }
        return latest
    }

    // MARK: Bookkeeping

    private mutating func append(_ mutation: Mutation, bytes: Int, replacesRow: Bool = false) {
        waiting.append(
            Item(
                sequence: nextSequence, mutation: mutation, bytes: bytes, replacesRow: replacesRow))
        nextSequence &+= 1
        waitingBytes += bytes
    }

    private mutating func forget(_ item: Item) {
        switch item.mutation {
        case .put(let response), .freshen(let response):
            putCount -= 1
            putBytes -= item.bytes
            var rest = puts[response.primaryKey] ?? []
            rest.removeAll { $0 === response }
            puts[response.primaryKey] = rest.isEmpty ? nil : rest
        case .delete(let primaryKey, let variantKey):
            let name = EntryName(primaryKey: primaryKey, variantKey: variantKey)
            deletes[name] = deletes[name].flatMap { $0 > 1 ? $0 - 1 : nil }
        case .invalidate(let uri, _):
            invalidations[uri] = invalidations[uri].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }
}
