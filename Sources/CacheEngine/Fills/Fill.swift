import CacheKeys
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore

/// A fetch that may be stored: first the pending writes and the file, then the origin.
///
/// An object of its own, owned by no client: it has one origin reader and writes what arrives into
/// its log, which any number of cursors read. When they have left, a storable one goes on. Confined
/// to its loop.
final class Fill {
    /// Whose conditions the request to the origin carries.
    enum Validating {
        case none
        /// The stored response's.
        case own
        /// The client's tags and the stored one.
        case combined
        /// The rest of a stored part is asked for, if that is still what it was.
        case rest
    }

    enum Phase {
        case reading, waiting, streaming
        /// The rest of a stored part comes; its readers wait for both together.
        case completing
        /// All has come; the last chunks are on their way to the queue.
        case storing
        case done
    }

    /// What of the answer is kept for storing.
    struct Collected {
        var plan: StoragePlan
        var variant: Variant
        var status: HTTPResponse.Status
        var responseTime: EpochSeconds
        /// Of a 206.
        var received: ReceivedPart?
    }

    let engine: Engine
    let request: FillRequest
    let loop: any EventLoop
    let log: FillLog
    /// Under which others join it; `nil` when none may.
    private(set) var key: FillKey?
    /// It is known that answers to this key are not shared; forgotten when this one is.
    var rememberedKey: FillKey?
    /// Hears what comes before the head; until then only.
    var leader: FillCursor?
    /// The client that the request was made for, until it leaves.
    weak var first: FillCursor?
    var exchange: (any OriginExchange)?
    var phase = Phase.reading
    var collected: Collected?
    var bodyWriter: BodyWriter?
    /// Stale or to be validated; what a 304 freshens and what is served if the origin fails.
    var candidate: StoredResponse?
    var validation = Validating.none
    /// What has come of the rest of the candidate.
    var rest: RestOfPart?
    /// The origin did not give the rest alone.
    var isRestRefused = false
    /// What the file holds cannot be read: it may be the whole.
    var mayHideWhole = false
    /// The file may hold a row that the answer replaces.
    var replacesRow: Bool
    var reason: ForwardReason
    /// The URI's when the fill began; when it asks the origin, that of this moment.
    var generation: UInt64
    /// The same for cache groups.
    var groupStamp: UInt64
    var requestTime: EpochSeconds = 0
    /// A second request was made for those who waited for one that failed.
    var hasRetried = false
    var pacing = FillPacing()
    /// Called once, when the fill is over.
    var onEnd: (() -> Void)?

    init(
        engine: Engine, request: FillRequest, candidate: StoredResponse?, reason: ForwardReason,
        loop: any EventLoop, log: FillLog, key: FillKey?
    ) {
        self.engine = engine
        self.request = request
        self.candidate = candidate
        self.reason = reason
        self.loop = loop
        self.log = log
        self.key = key
        replacesRow = candidate != nil || request.asksOrigin
        generation = log.generation
        groupStamp = engine.groups.stamp
    }

    func start() {
        // Until its end: the log keeps the fill.
        let bound = NIOLoopBound(self, eventLoop: loop)
        log.onAttention { bound.value.attend() }
        guard candidate == nil, !request.asksOrigin else { return fetchSoon() }
        if let pending = engine.pendingResponse(for: request) {
            return loop.assumeIsolated().execute {
                guard self.phase == .reading else { return }
                self.found(pending)
            }
        }
        if reason == .uriMiss, engine.holdsOtherVariant(than: request) { reason = .varyMiss }
        guard !engine.writes.hasPendingInvalidation(of: request.identity.uriKey) else {
            return fetchSoon()
        }
        switch engine.expectation(of: request.identity) {
        case .response: readFile()
        case .uri:
            if reason == .uriMiss { reason = .miss }
            fetchSoon()
        case .nothing: fetchSoon()
        }
    }

    private func readFile() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.readDurably(engine.durableQuery(of: request), on: loop) { finding in
            bound.value.durablyRead(finding)
        }
    }

    /// Nobody is called from within `start`: what fails at once fails a little later.
    private func fetchSoon() {
        if engine.origin != nil, !request.facts.cacheControl.flags.contains(.onlyIfCached) {
            fetch()
        } else {
            loop.assumeIsolated().execute { self.fetch() }
        }
    }

    // MARK: Tiers

    private func durablyRead(_ finding: Engine.DurableFinding) {
        guard phase == .reading else { return }
        switch finding {
        case .response(let stored):
            found(engine.promote(stored))
        case .none(let why):
            if reason == .uriMiss { reason = why }
            fetch()
        case .unreadable:
            replacesRow = true
            mayHideWhole = true
            fetch()
        }
    }

    /// A response from the pending writes or the file: answered like one from memory.
    private func found(_ stored: StoredResponse) {
        let now = engine.clock.now()
        let directives = request.facts.cacheControl
        switch Reuse.decide(terms: stored.terms, request: directives, now: now) {
        case .mustForward(let why): fetch(instead: stored, because: why)
        case .gatewayTimeout: fail(.onlyIfCached)
        case _ where !request.isAnswered(by: stored.entry):
            fetch(instead: stored, because: .partial)
        case .fresh:
            answer(stored: stored, CacheStatus(result: .hit, ttl: stored.terms.ttl(at: now)))
        case .staleWhileRevalidate:
            let status = CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now))
            answer(stored: stored, status)
            engine.revalidate(stored, on: loop) { request }
        case .stale:
            answer(stored: stored, CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now)))
        }
    }

    private func fetch(instead stored: StoredResponse, because why: ForwardReason) {
        candidate = stored
        replacesRow = true
        reason = why
        fetch()
    }

    // MARK: Origin

    func fetch() {
        guard phase != .done else { return }
        guard !request.facts.cacheControl.flags.contains(.onlyIfCached) else {
            return fail(.onlyIfCached)
        }
        guard let origin = engine.origin else { return fail(.noOrigin) }
        var outgoing = request.origin
        validation = .none
        // Two requests for all who wait, however they fail.
        if hasRetried { outgoing.isRetryable = false }
        if let candidate { validation = ask(&outgoing, about: candidate) }
        phase = .waiting
        generation = engine.generation(of: request.identity.uriKey)
        log.generation = generation
        groupStamp = engine.groups.stamp
        requestTime = engine.clock.now()
        exchange = origin.start(outgoing, on: loop, receiver: self)
    }

    // MARK: Answering

    func answer(stored: StoredResponse, _ status: CacheStatus, isShared: Bool = true) {
        end()
        log.open(.stored(stored, status, isShared: isShared))
    }

    func fail(_ failure: AnswerFailure) {
        let hadHead = phase == .streaming
        end()
        if hadHead { log.end(.failed(failure)) } else { log.open(.failed(failure)) }
    }

    /// Nobody joins any more.
    func leaveTable() {
        if let key { engine.fills.leave(key, log: log) }
        key = nil
    }

    /// The same, if the reason holds for all who would wait; those with credentials wait for each
    /// other only.
    func rememberUncacheable(because why: NoStoreReason) {
        guard why.isLasting || why == .credentials && key?.isPersonal == true else { return }
        rememberUncacheable()
    }

    /// Who asks the same need not wait for each other for a while.
    func rememberUncacheable() {
        guard let key else { return }
        engine.fills.remember(uncacheable: key, now: engine.clock.now())
    }

    func end() {
        phase = .done
        leaveTable()
        bodyWriter?.abandon()
        bodyWriter = nil
        collected = nil
        rest = nil
        exchange = nil
        leader = nil
        pacing.end()
        log.onAttention(nil)
        onEnd?()
        onEnd = nil
    }

    func abandon() {
        exchange?.cancel()
        end()
        log.end(.failed(.abandoned))
    }

    /// Its readers moved on or left.
    func attend() {
        guard phase != .done else { return }
        if log.update({ $0.cursorCount }) == 0 {
            switch phase {
            // Nothing was asked of the origin yet, and nobody waits for it any more.
            case .reading: return abandon()
            case .waiting where request.isExclusive: return abandon()
            case .streaming where collected == nil: return abandon()
            case .waiting, .completing, .streaming, .storing, .done: break
            }
        }
        pace()
    }
}
