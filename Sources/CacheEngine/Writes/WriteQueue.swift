import CacheKeys
import Dispatch
import HTTPCaching
import Synchronization

/// The bounded queue between the loops and the one writer thread.
///
/// Loops append and return; the writer takes batches. Callable from any thread, but
/// `nextBatch` and what follows it by the writer alone.
package final class WriteQueue: Sendable {
    package struct Limits: Sendable, Equatable {
        /// Puts that may wait or be in a transaction.
        package var entries = 4096
        /// Bytes of those puts.
        package var bytes = 64 << 20

        package init(entries: Int = 4096, bytes: Int = 64 << 20) {
            self.entries = entries
            self.bytes = bytes
        }
    }

    /// What the writer is to do next.
    enum Work {
        case commit([Mutation])
        case idle
        case finished
    }

    enum WriterPhase { case running, sleeping, lingering }

    struct State {
        var queue: WriteQueueState
        /// What the writer does; a loop that wakes it sets `running`, so it signals once.
        var writer = WriterPhase.running
        var finishedBatches: UInt64 = 0
        /// Who wants to know when what is queued by now is in the file.
        var flushes: [Flush] = []
        /// Somebody waits for a commit: a batch does not linger.
        var isUrgent = false
        /// The writer has been told that there will be nothing more.
        var hasEnded = false
    }

    struct Flush {
        var sequence: UInt64
        /// A put that is lost with its batch is no success.
        var countsLosses: Bool
        var hasLost = false
        var done: @Sendable (_ isWritten: Bool) -> Void
    }

    let state: Mutex<State>
    let held: BudgetCharge
    let wake = DispatchSemaphore(value: 0)
    /// How long a batch waits for company after its first put.
    static let lingerMilliseconds = 15

    /// - Parameter budget: charged with the bytes of puts that wait.
    package init(limits: Limits = Limits(), budget: MemoryBudget = MemoryBudget(limit: .max)) {
        held = BudgetCharge(budget)
        state = Mutex(
            State(
                queue: WriteQueueState(
                    limits: .init(entries: limits.entries, bytes: limits.bytes))))
    }

    // MARK: Loops

    /// Queues a put unless the URI was invalidated since the response's fill began; that check and
    /// the place in the queue are one step, so no invalidation can slip in between.
    ///
    func put(
        _ response: StoredResponse, isFreshen: Bool, replacesRow: Bool, generations: Generations,
        groups: GroupStamps
    ) -> PutOutcome {
        put(response, generations: generations, groups: groups) { queue in
            queue.put(response, isFreshen: isFreshen, replacesRow: replacesRow)
        }
    }

    /// The same for a program's put: when it is shed, the row that it replaces stays.
    ///
    /// - Parameters:
    ///   - group: a further one that it belongs to while it is on its way in.
    ///   - whenQueued: called in the same step, so that of two puts the later one is the later one
    ///     everywhere; it must not call the queue. Returns what else goes.
    func put(
        _ response: StoredResponse, group: String, generations: Generations, groups: GroupStamps,
        whenQueued: () -> Supersession?
    ) -> PutOutcome {
        put(response, generations: generations, groups: groups) { queue in
            guard groups.areCurrent([group], since: response.groupStamp) else { return nil }
            let admission = queue.put(
                response, isFreshen: false, replacesRow: true, keepsOlder: true)
            if admission == .accepted, let others = whenQueued() { queue.supersede(others) }
            return admission
        }
    }

    private func put(
        _ response: StoredResponse, generations: Generations, groups: GroupStamps,
        _ admit: (inout WriteQueueState) -> WriteQueueState.Admission?
    ) -> PutOutcome {
        let (outcome, signal) = state.withLock { state -> (PutOutcome, Bool) in
            guard generations.current(of: response.uriKey) == response.generation,
                groups.areCurrent(response.groups, since: response.groupStamp),
                let admission = admit(&state.queue)
            else { return (.outdated, false) }
            held.set(state.queue.putBytes)
            return (PutOutcome(admission), Self.shouldSignal(&state))
        }
        if signal { wake.signal() }
        return outcome
    }

    func delete(_ name: EntryName) {
        mutate { $0.delete(name) }
    }

    func delete(_ name: EntryName, unreadable mark: RowMark) {
        mutate { $0.delete(name, unreadable: mark) }
    }

    /// Bumps the URI's generation and queues the delete of its rows in one step: no put can check
    /// before and be queued behind, and no reader sees one without the other.
    func invalidate(_ uri: URIKey, at time: EpochSeconds, generations: Generations) {
        mutate {
            generations.bump(uri)
            $0.invalidate(uri, at: time)
        }
    }

    /// The same for one stored response of it, unless the generation is another than `expected`: an
    /// invalidation came since.
    func delete(
        _ name: EntryName, expected: UInt64, generations: Generations
    ) -> Bool {
        change(of: name.uriKey, expected: expected, generations: generations) { $0.delete(name) }
    }

    /// The same for several of one URI.
    func delete(
        _ names: Set<EntryName>, of uri: URIKey, expected: UInt64, generations: Generations
    ) -> Bool {
        change(of: uri, expected: expected, generations: generations) { queue in
            for name in names { queue.delete(name) }
        }
    }

    /// The same for all of it.
    func invalidate(
        _ uri: URIKey, at time: EpochSeconds, expected: UInt64, generations: Generations
    ) -> Bool {
        change(of: uri, expected: expected, generations: generations) {
            $0.invalidate(uri, at: time)
        }
    }

    /// The same for what is on its way in alone.
    func outdate(_ uri: URIKey, expected: UInt64, generations: Generations) -> Bool {
        change(of: uri, expected: expected, generations: generations) { _ in }
    }

    private func change(
        of uri: URIKey, expected: UInt64, generations: Generations,
        _ change: (inout WriteQueueState) -> Void
    ) -> Bool {
        var isDone = false
        mutate { queue in
            guard generations.current(of: uri) == expected else { return }
            generations.bump(uri)
            change(&queue)
            isDone = true
        }
        return isDone
    }

    func openCache(_ name: String, at time: EpochSeconds) {
        mutate { $0.openCache(name, at: time) }
    }

    /// Calls `done` when everything that is queued by now is in the file or was dropped for good, on
    /// the writer thread or at once; with `false` when the writer has ended, and where it counts, when
    /// a put was dropped.
    func flush(
        countsLosses: Bool = true, done: @escaping @Sendable (_ isWritten: Bool) -> Void
    ) {
        let (isOver, signal) = state.withLock { state -> (Bool?, Bool) in
            let sequence = state.queue.lastSequence
            if state.queue.isOver(sequence) { return (true, false) }
            if state.hasEnded { return (false, false) }
            state.flushes.append(
                Flush(sequence: sequence, countsLosses: countsLosses, done: done))
            state.isUrgent = true
            return (nil, Self.shouldSignal(&state))
        }
        if let isOver { done(isOver) }
        if signal { wake.signal() }
    }

    /// The same for cache groups.
    func invalidateGroups(_ names: [String], at time: EpochSeconds, groups: GroupStamps) {
        mutate { queue in
            for name in names { groups.invalidate(name) }
            queue.invalidateGroups(names, at: time)
        }
    }

    /// Queues a chunk of a large body; `false` when it must be offered again later.
    func offer(_ chunk: BodyChunk) -> Bool {
        var isTaken = false
        mutate { isTaken = $0.offer(chunk) }
        return isTaken
    }

    func dropBody(_ body: BodyID) {
        mutate { $0.dropBody(body) }
    }

    func touch(_ names: [EntryName], at time: EpochSeconds) {
        mutate { $0.touch(names, at: time) }
    }

    /// The pending stored responses of a key, readable until their commit has returned.
    func pending(_ key: CacheKey) -> [StoredResponse] {
        state.withLock { $0.queue.pending(key) }
    }

    /// Whether what the file holds of this URI is about to be deleted.
    func hasPendingInvalidation(of uri: URIKey) -> Bool {
        state.withLock { $0.queue.hasPendingInvalidation(of: uri) }
    }

    /// What is pending about a row that was just read.
    func overlay(of name: EntryName, as entry: StoredEntry) -> WriteQueueState.Overlay {
        state.withLock { $0.queue.overlay(of: name, as: entry) }
    }

    /// The names of every put that is not committed.
    var pendingNames: [EntryName] {
        state.withLock { $0.queue.pendingNames }
    }

    /// The named caches that something is put into that is not committed, in the order of the queue.
    var pendingCacheNames: [String] {
        state.withLock { $0.queue.pendingCacheNames }
    }

    /// Rises when a batch is over: what was pending before may be in the file now.
    var finishedBatches: UInt64 { state.withLock { $0.finishedBatches } }

    /// Puts that wait or are in a transaction, and the bytes of them and of chunks.
    package var depth: (entries: Int, bytes: Int) {
        state.withLock { ($0.queue.putCount, $0.queue.putBytes + $0.queue.chunkBytes) }
    }

    /// Nothing waits and nothing is in a transaction.
    package var isEmpty: Bool {
        state.withLock { $0.queue.isEmpty }
    }

    /// No put is accepted from here on; the writer ends when what waits is written.
    package func close() {
        let signal = state.withLock { state -> Bool in
            state.queue.close()
            return Self.shouldSignal(&state, isClosing: true)
        }
        if signal { wake.signal() }
    }

    private func mutate(_ change: (inout WriteQueueState) -> Void) {
        let signal = state.withLock { state -> Bool in
            change(&state.queue)
            return Self.shouldSignal(&state)
        }
        if signal { wake.signal() }
    }

    static func shouldSignal(_ state: inout State, isClosing: Bool = false) -> Bool {
        switch state.writer {
        case .running: return false
        case .sleeping: guard isClosing || !state.queue.waiting.isEmpty else { return false }
        // It has work already: only a full batch or the end cuts the wait for company short.
        case .lingering:
            guard isClosing || state.isUrgent || state.queue.isBatchFull else { return false }
        }
        state.writer = .running
        return true
    }
}

/// What became of a put.
package enum PutOutcome: Sendable, Equatable {
    /// It is readable now and will be committed.
    case queued
    /// The queue was full: counted, the client is unaffected.
    case shed
    /// The URI was invalidated since the fill began.
    case outdated
    case closed

    init(_ admission: WriteQueueState.Admission) {
        switch admission {
        case .accepted: self = .queued
        case .shed: self = .shed
        case .closed: self = .closed
        }
    }
}
