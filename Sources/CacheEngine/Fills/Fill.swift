import CacheKeys
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore

/// A fetch that may be stored: first the pending writes and the file, then the origin.
///
/// An object of its own, owned by no client: it has one origin reader and hands what arrives to
/// the client that is attached; when that leaves, a storable fill goes on. Confined to its loop.
final class Fill: AnswerSource {
    enum Phase { case reading, waiting, streaming, done }

    /// What of the answer is kept for storing.
    struct Collected {
        var plan: StoragePlan
        var variant: Variant
        var status: HTTPResponse.Status
        var responseTime: EpochSeconds
        var body = ByteBuffer()
    }

    let engine: Engine
    let request: FillRequest
    let loop: any EventLoop
    var client: (any AnswerReceiver)?
    var exchange: (any OriginExchange)?
    var phase = Phase.reading
    var collected: Collected?
    /// Stale or to be validated; what a 304 freshens and what is served if the origin fails.
    var candidate: StoredResponse?
    var isValidating = false
    /// The file may hold a row that the answer replaces.
    var replacesRow: Bool
    private var isPaused = false
    var reason: ForwardReason
    /// The URI's when the fill began; when it asks the origin, that of this moment.
    var generation: UInt64
    var requestTime: EpochSeconds = 0
    /// Called once, when the fill is over.
    var onEnd: (() -> Void)?

    init(
        engine: Engine, request: FillRequest, candidate: StoredResponse?, reason: ForwardReason,
        loop: any EventLoop, client: (any AnswerReceiver)?
    ) {
        self.engine = engine
        self.request = request
        self.candidate = candidate
        self.reason = reason
        self.loop = loop
        self.client = client
        replacesRow = candidate != nil
        generation = engine.generation(of: request.identity.uriKey)
    }

    func start() {
        guard candidate == nil else { return fetchSoon() }
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
        case .response: break
        case .uri:
            if reason == .uriMiss { reason = .miss }
            return fetchSoon()
        case .nothing:
            return fetchSoon()
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.readDurably(engine.durableQuery(of: request), on: loop) { finding in
            bound.value.durablyRead(finding)
        }
    }

    /// The receiver is not called from within `resolve`: what fails at once fails a little later.
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
            fetch()
        }
    }

    /// A response from the pending writes or the file: answered like one from memory.
    private func found(_ stored: StoredResponse) {
        let now = engine.clock.now()
        let directives = request.facts.cacheControl
        switch Reuse.decide(terms: stored.terms, request: directives, now: now) {
        case .fresh:
            answer(stored: stored, CacheStatus(result: .hit, ttl: stored.terms.ttl(at: now)))
        case .staleWhileRevalidate:
            engine.revalidate(stored, request: request, on: loop)
            answer(stored: stored, CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now)))
        case .stale:
            answer(stored: stored, CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now)))
        case .mustForward(let why):
            candidate = stored
            replacesRow = true
            reason = why
            fetch()
        case .gatewayTimeout:
            fail(.onlyIfCached)
        }
    }

    // MARK: Origin

    func fetch() {
        guard phase != .done else { return }
        guard !request.facts.cacheControl.flags.contains(.onlyIfCached) else {
            return fail(.onlyIfCached)
        }
        guard let origin = engine.origin else { return fail(.noOrigin) }
        var outgoing = request.origin
        isValidating = false
        if let candidate, request.mayValidate {
            isValidating = outgoing.addValidators(of: candidate)
        }
        phase = .waiting
        generation = engine.generation(of: request.identity.uriKey)
        requestTime = engine.clock.now()
        exchange = origin.start(outgoing, on: loop, receiver: self)
        if isPaused { exchange?.pauseReading() }
    }

    // MARK: Answering

    func answer(stored: StoredResponse, _ status: CacheStatus) {
        let client = client
        end()
        client?.answer(stored: stored, status: status)
    }

    func fail(_ failure: AnswerFailure) {
        let client = client
        end()
        client?.answerFailed(failure)
    }

    func end() {
        phase = .done
        client = nil
        collected = nil
        exchange = nil
        onEnd?()
        onEnd = nil
    }

    func abandon() {
        exchange?.cancel()
        end()
    }
}

extension Fill {
    func pause() {
        isPaused = true
        exchange?.pauseReading()
    }

    func resume() {
        isPaused = false
        exchange?.resumeReading()
    }

    func leave() {
        guard phase != .done else { return }
        client = nil
        isPaused = false
        switch phase {
        // Nothing was asked of the origin yet, and nobody waits for it any more.
        case .reading: end()
        case .waiting where request.isExclusive: abandon()
        case .streaming where collected == nil: abandon()
        case .waiting, .streaming, .done: exchange?.resumeReading()
        }
    }

    func write(_ part: ByteBuffer) -> Bool { true }

    func finishRequestBody() {}
}
