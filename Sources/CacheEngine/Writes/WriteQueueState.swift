import CacheKeys
import DequeModule
import NIOCore

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
        var batchEntries = 256
        var batchBytes = 1 << 20
    }

    struct Item {
        var sequence: UInt64
        var mutation: Mutation
        /// What a put or a chunk holds against its limit; 0 for the others.
        var bytes: Int
        var replacesRow: Bool

        var chunk: BodyChunk? {
            guard case .chunk(let chunk) = mutation else { return nil }
            return chunk
        }
    }

    enum Admission: Equatable { case accepted, shed, closed }

    let limits: Limits
    private(set) var waiting: Deque<Item> = []
    private(set) var committing: [Item] = []
    private(set) var putCount = 0
    private(set) var putBytes = 0
    /// Bytes of the chunks of large bodies, which have a limit of their own: small puts never wait
    /// for them.
    private(set) var chunkBytes = 0
    private(set) var isClosed = false
    private var nextSequence: UInt64 = 1
    /// Deletes of failed batches at the front of `waiting`.
    private var retries = 0
    private(set) var puts: [CacheKey: [PendingPut]] = [:]
    private var putURIs: [URIKey: Pending] = [:]
    private(set) var invalidations: [URIKey: Pending] = [:]
    private(set) var deletes: [EntryName: Pending] = [:]
    private(set) var groupInvalidations: [String: Pending] = [:]
    private(set) var unreadable: Set<RowMark> = []
    private(set) var supersessions: [CacheKey: [PendingSupersession]] = [:]

    struct PendingSupersession {
        var sequence: UInt64
        var others: Supersession
    }

    struct PendingPut {
        var sequence: UInt64
        var response: StoredResponse
    }

    /// What is not committed of one kind under one name.
    struct Pending {
        var count = 0
        /// The place in the queue of the latest.
        var last: UInt64 = 0
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

    /// A put or a freshen.
    ///
    /// When it is shed although an older row may exist, that row's delete is queued instead: the
    /// file must not answer with what was replaced.
    ///
    /// - Parameter keepsOlder: unless who puts hears of it and tries again.
    mutating func put(
        _ response: StoredResponse, isFreshen: Bool, replacesRow: Bool, keepsOlder: Bool = false
    ) -> Admission {
        guard !isClosed else { return .closed }
        guard putCount < limits.entries, response.cost <= limits.bytes - putBytes,
            response.cost <= limits.bytes / 4
        else {
            if replacesRow, !keepsOlder {
                delete(response.name)
            }
            return .shed
        }
        let sequence = append(
            isFreshen ? .freshen(response) : .put(response), bytes: response.cost,
            replacesRow: replacesRow)
        putCount += 1
        putBytes += response.cost
        puts[response.primaryKey, default: []].append(
            PendingPut(sequence: sequence, response: response))
        Self.note(sequence, of: response.uriKey, in: &putURIs)
        return .accepted
    }

    /// A chunk of a large body; `false` when the queue has its share of those.
    mutating func offer(_ chunk: BodyChunk) -> Bool {
        let bytes = chunk.bytes.readableBytes
        guard !isClosed, chunkBytes == 0 || bytes <= limits.bytes / 2 - chunkBytes else {
            return false
        }
        _ = append(.chunk(chunk), bytes: bytes)
        chunkBytes += bytes
        return true
    }

    /// Removes the chunks of a body; behind all of them that were offered before.
    mutating func dropBody(_ body: BodyID) {
        _ = append(.dropBody(body), bytes: 0)
    }

    /// Notes last uses, unless there is something better to do.
    mutating func touch(_ names: [EntryName], at time: Int64) {
        guard !isClosed, !names.isEmpty, putCount < limits.entries / 2 else { return }
        _ = append(.touch(names, at: time), bytes: 0)
    }

    mutating func delete(_ name: EntryName) {
        if let earlier = deletes[name], isWaiting(earlier.last) {
            let isCovered = (puts[name.primaryKey] ?? []).allSatisfy {
                $0.response.variant.key != name.variantKey || $0.sequence < earlier.last
            }
            if isCovered { return }
        }
        let sequence = append(.delete(name), bytes: 0)
        Self.note(sequence, of: name, in: &deletes)
    }

    /// Once for each mark: what it tells of is never stored again.
    mutating func delete(_ name: EntryName, unreadable mark: RowMark) {
        guard unreadable.insert(mark).inserted else { return }
        _ = append(.deleteUnreadable(name, mark), bytes: 0)
    }

    /// Behind the put.
    mutating func supersede(_ others: Supersession) {
        let sequence = append(.supersede(others), bytes: 0)
        supersessions[others.name.primaryKey, default: []].append(
            PendingSupersession(sequence: sequence, others: others))
    }

    mutating func invalidate(_ uri: URIKey, at time: Int64) {
        if let earlier = invalidations[uri], isWaiting(earlier.last),
            putURIs[uri].map({ $0.last < earlier.last }) ?? true
        {
            return
        }
        let sequence = append(.invalidate(uri, at: time), bytes: 0)
        Self.note(sequence, of: uri, in: &invalidations)
    }

    mutating func openCache(_ name: String, at time: Int64) {
        _ = append(.openCache(name, at: time), bytes: 0)
    }

    mutating func invalidateGroups(_ names: [String], at time: Int64) {
        let sequence = append(.invalidateGroups(names, at: time), bytes: 0)
        for name in names { Self.note(sequence, of: name, in: &groupInvalidations) }
    }

    mutating func close() {
        isClosed = true
    }

    /// Hands out the next batch in order; its items stay readable until `finish`.
    mutating func takeBatch() -> [Mutation] {
        guard committing.isEmpty else { return committing.map(\.mutation) }
        var bytes = 0
        // Deletes that failed go alone: what the file refuses may be the puts.
        let limit = retries > 0 ? min(retries, limits.batchEntries) : limits.batchEntries
        while let item = waiting.first, committing.count < limit,
            committing.isEmpty || bytes + item.bytes <= limits.batchBytes
        {
            bytes += item.bytes
            committing.append(item)
            waiting.removeFirst()
        }
        waitingBytes -= bytes
        retries = max(0, retries - committing.count)
        return committing.map(\.mutation)
    }

    /// The batch was committed; returns its chunks.
    @discardableResult
    mutating func finishBatch() -> [BodyChunk] {
        let chunks = committing.compactMap(\.chunk)
        for item in committing { forget(item) }
        committing = []
        return chunks
    }

    /// The batch failed: its puts are dropped, its deletes are the next one.
    ///
    /// Returns how many puts were lost, and the chunks that were.
    mutating func failBatch() -> (puts: Int, chunks: [BodyChunk]) {
        var lost = 0
        let chunks = committing.compactMap(\.chunk)
        let failed = committing
        committing = []
        for item in failed.reversed() {
            switch item.mutation {
            case .delete, .deleteUnreadable, .supersede, .invalidate, .invalidateGroups, .dropBody,
                .openCache:
                waiting.prepend(item)
                retries += 1
            case .chunk, .touch:
                forget(item)
            case .put(let response), .freshen(let response):
                forget(item)
                lost += 1
                if case .put = item.mutation, let body = response.entry.body.chunks {
                    // Its chunks may be in the file already; nothing will ever name them.
                    retry(.dropBody(body.id), at: item.sequence)
                }
                guard item.replacesRow else { continue }
                Self.note(item.sequence, of: response.name, in: &deletes)
                retry(.delete(response.name), at: item.sequence)
            }
        }
        return (lost, chunks)
    }

    private mutating func retry(_ mutation: Mutation, at sequence: UInt64) {
        waiting.prepend(
            Item(sequence: sequence, mutation: mutation, bytes: 0, replacesRow: false))
        retries += 1
    }

    /// The place in the queue of the first put that the batch would lose.
    var firstPutOfBatch: UInt64? {
        committing.first { item in
            switch item.mutation {
            case .put, .freshen: true
            default: false
            }
        }?.sequence
    }

    /// The batch is given up: the file was replaced by an empty one, there is nothing to delete.
    @discardableResult
    mutating func dropBatch() -> [BodyChunk] { finishBatch() }

    /// The place in the queue of the last change that was taken in.
    var lastSequence: UInt64 { nextSequence &- 1 }

    /// Whether a change is in the file, or was dropped for good.
    func isOver(_ sequence: UInt64) -> Bool {
        (committing.first.map { $0.sequence > sequence } ?? true)
            && (waiting.first.map { $0.sequence > sequence } ?? true)
    }

    // MARK: Bookkeeping

    /// Returns the place in the queue.
    private mutating func append(
        _ mutation: Mutation, bytes: Int, replacesRow: Bool = false
    ) -> UInt64 {
        let sequence = nextSequence
        waiting.append(
            Item(sequence: sequence, mutation: mutation, bytes: bytes, replacesRow: replacesRow))
        nextSequence &+= 1
        waitingBytes += bytes
        return sequence
    }

    /// Whether no batch has taken this place yet.
    private func isWaiting(_ sequence: UInt64) -> Bool {
        waiting.first.map { sequence >= $0.sequence } ?? false
    }

    private static func note<Name>(
        _ sequence: UInt64, of name: Name, in pending: inout [Name: Pending]
    ) {
        let known = pending[name] ?? Pending()
        pending[name] = Pending(count: known.count + 1, last: max(known.last, sequence))
    }

    private static func forget<Name>(_ name: Name, in pending: inout [Name: Pending]) {
        guard let known = pending[name], known.count > 1 else {
            pending[name] = nil
            return
        }
        pending[name]?.count -= 1
    }

    private mutating func forget(_ item: Item) {
        switch item.mutation {
        case .put(let response), .freshen(let response):
            putCount -= 1
            putBytes -= item.bytes
            var rest = puts[response.primaryKey] ?? []
            rest.removeAll { $0.sequence == item.sequence }
            puts[response.primaryKey] = rest.isEmpty ? nil : rest
            Self.forget(response.uriKey, in: &putURIs)
        case .delete(let name):
            Self.forget(name, in: &deletes)
        case .deleteUnreadable(_, let mark): unreadable.remove(mark)
        case .supersede(let others):
            let key = others.name.primaryKey
            supersessions[key]?.removeAll { $0.sequence == item.sequence }
            if supersessions[key]?.isEmpty == true { supersessions[key] = nil }
        case .invalidate(let uri, _):
            Self.forget(uri, in: &invalidations)
        case .invalidateGroups(let names, _):
            for name in names { Self.forget(name, in: &groupInvalidations) }
        case .chunk: chunkBytes -= item.bytes
        case .dropBody, .touch, .openCache: break
        }
    }
}
