package import CacheKeys
package import HTTPCaching
package import Logging
package import NIOCore
import NIOPosix
import Synchronization

/// Settings of the engine.
package struct EngineConfiguration: Sendable {
    /// Bytes of stored responses in memory, overhead included.
    package var memoryBudget = 256 << 20
    /// The largest body that is stored; larger ones stream through.
    package var maxObjectBytes = 512 << 20
    /// The largest body that is stored in one piece; larger ones are cut into chunks.
    package var inlineBytes = 256 << 10
    /// Bytes of a chunk.
    package var chunkBytes = 128 << 10
    /// Bytes of a large body that stay in memory for the clients that keep up with it.
    package var fillWindowBytes = 1 << 20
    /// Bytes of everything in flight: spooled requests, fills, the write queue, answers.
    package var inFlightBudget = 64 << 20
    /// How long a request waits for the head of a fetch that another one began.
    package var collapseTimeout = TimeAmount.seconds(30)
    package var fillTimeouts = FillTimeouts()
    package var queue = WriteQueue.Limits()
    /// Threads that read the file.
    package var readers = 2
    /// How long past its lifetime an answer may be served when the origin fails and the response
    /// itself says nothing (RFC 5861 §4), in seconds.
    package var staleIfError: Int64 = 0
    /// Lower-case names of credential fields besides the standard ones.
    package var credentialFields: [String] = []
    /// The pseudonym in Via (RFC 9110 §7.6.3).
    package var viaName = "larder"

    package init() {}
}

/// How long a fill lets itself be held back.
package struct FillTimeouts: Sendable {
    /// By the slowest of several clients, which then is cut off.
    package var slowReader = TimeAmount.seconds(5)
    /// By the writer; then the answer is not stored.
    package var storing = TimeAmount.seconds(10)

    package init() {}
}

/// Lookup, resolve, fills and invalidation over an ordered list of tiers: memory, pending writes,
/// the durable store, the origin.
///
/// `lookup` is synchronous and touches memory only; everything else may go to a reader thread or
/// to the origin and comes back to the loop it was called on.
package final class Engine: Sendable {
    package let configuration: EngineConfiguration
    package let memory: MemoryTier
    package let writes: WriteQueue
    package let counters = EngineCounters()
    package let budget: MemoryBudget
    let pins = BodyPins()
    let fills = FillTable()
    let origin: (any Origin)?
    let clock: any WallClock
    let renderer: any ResponseRenderer
    let secret: CredentialSecret
    let logger: Logger
    /// The largest body that is stored.
    let bodyLimit: Int
    /// The largest body that is stored in one piece.
    let inlineLimit: Int
    let logLimits: FillLogState.Limits
    let generations = Generations()
    let groups = GroupStamps()
    private let epoch = Atomic<UInt64>(0)
    let store: any EntryStore
    let storedKeys = StoredKeys()
    let originFailures = OriginFailureLog()
    private let writer: DeferredWriter
    private let readers: NIOThreadPool

    /// Starts the writer and reader threads at once.
    package init(
        configuration: EngineConfiguration, store: any EntryStore, origin: (any Origin)?,
        clock: any WallClock, renderer: any ResponseRenderer, secret: CredentialSecret,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.origin = origin
        self.clock = clock
        self.renderer = renderer
        self.secret = secret
        self.logger = logger
        // A buffer may keep twice its body allocated, and the queue takes a quarter of its bytes.
        inlineLimit = min(configuration.inlineBytes, configuration.queue.bytes / 8)
        bodyLimit = configuration.maxObjectBytes
        var limits = FillLogState.Limits()
        limits.chunkBytes = max(1, min(configuration.chunkBytes, configuration.queue.bytes / 16))
        limits.windowBytes = max(0, configuration.fillWindowBytes)
        logLimits = limits
        budget = MemoryBudget(limit: configuration.inFlightBudget)
        memory = MemoryTier(budget: configuration.memoryBudget)
        writes = WriteQueue(limits: configuration.queue, budget: budget)
        readers = NIOThreadPool(numberOfThreads: max(1, configuration.readers))
        writer = DeferredWriter(
            queue: writes, store: store, counters: counters, pins: pins, logger: logger)
        readers.start()
        writer.start(
            onNews: { [weak self] news in
                if news.foreignCommit { self?.bumpEpoch() }
            }, onTend: { [weak self] in self?.noteTouches() })
    }

    /// Writes what is queued, closes the store and ends the threads.
    ///
    /// - Returns: `false` when that was not done within `timeout`; the file is consistent anyway.
    package func shutdown(timeout: Duration) async -> Bool {
        let isDrained = await writer.drain(timeout: timeout)
        try? await readers.shutdownGracefully()
        return isDrained
    }

    // MARK: Hit path

    /// Looks in memory only.
    ///
    /// Who asks for the whole never hits a part; whether a part has the range that is asked for is
    /// the caller's to find out (`StoredAnswer`), and what it has not is to be resolved with the
    /// part as the candidate. Runs on the caller's loop: one shard lock, no call that can wait.
    package func lookup(
        _ request: borrowing CacheRequest, variantKey: ([String]) -> Digest?, now: EpochSeconds
    ) -> Lookup {
        guard
            let stored = memory.response(for: request.primaryKey, variantKey: variantKey),
            isCurrent(stored)
        else { return .unresolved(candidate: nil, .uriMiss) }
        let hasRange = request.facts.hasRange
        let isPartOfWhole = stored.entry.part != nil && !hasRange
        switch Reuse.decide(terms: stored.terms, request: request.facts.cacheControl, now: now) {
        case .fresh where isPartOfWhole, .staleWhileRevalidate where isPartOfWhole,
            .stale where isPartOfWhole:
            return .unresolved(candidate: stored, .partial)
        case .fresh: return .hit(stored)
        case .staleWhileRevalidate, .stale: return .staleHit(stored)
        case .mustForward(let reason): return .unresolved(candidate: stored, reason)
        case .gatewayTimeout: return .onlyIfCached(candidate: stored)
        }
    }

    /// Whether a response in memory may be answered without asking the file: its URI was not
    /// invalidated and no other process has committed to the file since.
    func isCurrent(_ stored: StoredResponse) -> Bool {
        generations.current(of: stored.uriKey) == stored.generation
            && epoch.load(ordering: .acquiring) == stored.epoch
            && (stored.groups.isEmpty
                || groups.areCurrent(stored.groups, since: stored.groupStamp))
    }

    // MARK: Resolve

    /// Finds or fetches what `lookup` did not have.
    ///
    /// Call on `loop`; `receiver` hears on it.
    package func resolve(
        _ request: FillRequest, candidate: StoredResponse?, reason: ForwardReason,
        on loop: any EventLoop, receiver: any AnswerReceiver
    ) -> any AnswerSource {
        let cursor = FillCursor(
            engine: self, request: request, candidate: candidate, reason: reason, loop: loop,
            client: receiver)
        cursor.start()
        return cursor
    }

    /// Answers with a stored response whose body must be read from the file.
    ///
    /// Call on `loop`; `receiver` hears on it. When the body proves unreadable before its first byte
    /// has left, `request` is resolved as a miss.
    package func answer(
        _ stored: StoredResponse, status: CacheStatus, for request: FillRequest,
        on loop: any EventLoop, receiver: any AnswerReceiver
    ) -> any AnswerSource {
        let cursor = FillCursor(
            engine: self, request: request, candidate: nil, reason: .miss, loop: loop,
            client: receiver)
        cursor.start(with: stored, status)
        return cursor
    }

    /// Sends a request through, uncached, and invalidates what its success makes untrue.
    package func pass(
        _ request: PassRequest, on loop: any EventLoop, receiver: any AnswerReceiver
    ) -> any AnswerSource {
        let pass = Passthrough(engine: self, request: request, loop: loop, client: receiver)
        pass.start()
        return pass
    }

    // MARK: Invalidation

    /// Drops every stored response of the URIs, of any method and variant (RFC 9111 §4.4).
    package func invalidate(
        surface: Surface, scheme: String, authority: String, targets: [String]
    ) {
        let hasher: KeyHasher
        do {
            hasher = try KeyHasher()
        } catch {
            logger.error(
                "an invalidation was lost: no key can be made", metadata: ["error": "\(error)"])
            return
        }
        let now = clock.now()
        for target in targets {
            guard
                let uri = hasher.uriKey(
                    surface: surface, cacheName: "", scheme: scheme, authority: authority,
                    target: target)
            else { continue }
            writes.invalidate(uri, at: now, generations: generations)
        }
    }

    /// Drops every stored response of the groups (RFC 9875 §3).
    package func invalidateGroups(scheme: String, authority: String, names: [String]) {
        guard !names.isEmpty else { return }
        let origin = CacheGroups.origin(scheme: scheme, authority: authority)
        writes.invalidateGroups(names.map { "\(origin) \($0)" }, at: clock.now(), groups: groups)
    }

    private func bumpEpoch() {
        epoch.wrappingAdd(1, ordering: .acquiringAndReleasing)
        storedKeys.forget()
        logger.info("the file was changed by another process: memory is confirmed anew")
    }

    /// Hands the last uses of what is in memory to the file, for its eviction.
    private func noteTouches() {
        let now = clock.now()
        for names in memory.takeTouched(now: now) { writes.touch(names, at: now) }
    }

    /// Wall time.
    package var now: EpochSeconds { clock.now() }

    // MARK: For fills

    func generation(of uri: URIKey) -> UInt64 { generations.current(of: uri) }

    var currentEpoch: UInt64 { epoch.load(ordering: .acquiring) }

    func makeResponse(
        _ entry: StoredEntry, generation: UInt64, groupStamp: UInt64, epoch: UInt64
    ) -> StoredResponse {
        StoredResponse(
            entry: entry, rendering: renderer.rendering(of: entry), generation: generation,
            groupStamp: groupStamp,
            epoch: epoch)
    }

    /// Makes a response readable at once and queues it for the file.
    func store(_ response: StoredResponse, isFreshen: Bool, replacesRow: Bool) -> PutOutcome {
        let outcome = writes.put(
            response, isFreshen: isFreshen, replacesRow: replacesRow, generations: generations,
            groups: groups)
        switch outcome {
        case .queued:
            storedKeys.add(response.name)
            memory.insert(response)
        case .shed:
            // Its chunks go with it.
            if response.entry.body.chunks == nil { memory.insert(response) }
            counters.shedPuts.add(1)
            if counters.shedPuts.current % 1000 == 1 {
                logger.warning(
                    "put shed: the write queue is full",
                    metadata: ["shed": "\(counters.shedPuts.current)"])
            }
        case .outdated, .closed: break
        }
        if outcome != .queued, !isFreshen, let body = response.entry.body.chunks {
            writes.dropBody(body.id)
        }
        return outcome
    }

    /// Forgets a stored response: it proved wrong or may not be kept any longer.
    func discard(_ response: StoredResponse) {
        memory.remove(response)
        writes.delete(response.name)
    }

    /// Takes what was read from the file into memory; returns what to answer with.
    func promote(_ response: StoredResponse) -> StoredResponse {
        guard isCurrent(response) else { return response }
        return memory.promote(response) { isCurrent($0) }
    }

    /// What a durable lookup brought back to the loop.
    enum DurableFinding: Sendable {
        case response(StoredResponse)
        case none(ForwardReason)
        /// Nobody knows whether there is a row.
        case unreadable
    }

    /// One short read on a reader thread; `done` is called on `loop`.
    func readDurably(
        _ query: EntryQuery, on loop: any EventLoop,
        done: @escaping @Sendable (DurableFinding) -> Void
    ) {
        // Both before the read: what changes meanwhile makes the result old.
        let since = Since(
            generation: generation(of: query.uriKey), groupStamp: groups.stamp,
            epoch: currentEpoch)
        readers.submit { [self] state in
            guard case .active = state else {
                loop.execute { done(.unreadable) }
                return
            }
            var finding = DurableFinding.unreadable
            for _ in 0..<Self.readAttempts {
                let batches = writes.finishedBatches
                finding = read(query, since: since)
                // A batch that ended between the read and the look at what is pending was seen by
                // neither.
                if writes.finishedBatches == batches { break }
            }
            loop.execute { [finding] in done(finding) }
        }
    }

    /// Runs on a reader thread; not at all once they have ended.
    func submitRead(
        _ work: @escaping @Sendable () -> Void, orElse: @escaping @Sendable () -> Void = {}
    ) {
        readers.submit { state in
            if case .active = state { work() } else { orElse() }
        }
    }

    private static let readAttempts = 3

    /// What was current when a read began.
    private struct Since {
        var generation: UInt64
        var groupStamp: UInt64
        var epoch: UInt64
    }

    private func read(_ query: EntryQuery, since: Since) -> DurableFinding {
        do {
            switch try store.find(query) {
            case .entry(let entry):
                let groups = entry.groups
                guard generation(of: query.uriKey) == since.generation,
                    self.groups.areCurrent(groups, since: since.groupStamp)
                else { return .none(.miss) }
                let name = EntryName(
                    uriKey: query.uriKey, primaryKey: query.primaryKey,
                    variantKey: entry.variant.key)
                switch writes.overlay(of: name, as: entry) {
                case .deleted: return .none(.miss)
                case .put(let newer): return .response(newer)
                case .none:
                    return .response(
                        makeResponse(
                            entry, generation: since.generation, groupStamp: since.groupStamp,
                            epoch: since.epoch))
                }
            case .varyMiss: return .none(.varyMiss)
            case .miss: return .none(.miss)
            case .uriMiss: return .none(.uriMiss)
            case .damaged(let name, let mark):
                counters.damagedRows.add(1)
                logger.error("a stored response failed its checks and is deleted")
                writes.delete(name, unreadable: mark)
                return .none(.miss)
            }
        } catch {
            counters.failedReads.add(1)
            logger.error("a durable lookup failed", metadata: ["error": "\(error)"])
            return .unreadable
        }
    }
}
