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
    private enum Phase { case reading, waiting, streaming, done }

    /// What of the answer is kept for storing.
    private struct Collected {
        var plan: StoragePlan
        var status: HTTPResponse.Status
        var responseTime: EpochSeconds
        var body = ByteBuffer()
    }

    private let engine: Engine
    private let request: FillRequest
    private let loop: any EventLoop
    private var client: (any AnswerReceiver)?
    private var exchange: (any OriginExchange)?
    private var phase = Phase.reading
    private var collected: Collected?
    /// Stale or to be validated; what a 304 freshens and what is served if the origin fails.
    private var candidate: StoredResponse?
    private var isValidating = false
    private var reason: ForwardReason
    private let generation: UInt64
    private var requestTime: EpochSeconds = 0
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
        guard !engine.writes.hasPendingInvalidation(of: request.identity.uriKey) else {
            return fetchSoon()
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.readDurably(engine.durableQuery(of: request), on: loop) { finding in
            bound.value.durablyRead(finding)
        }
    }

    /// The receiver is not called from within `resolve`.
    private func fetchSoon() {
        loop.assumeIsolated().execute { self.fetch() }
    }

    // MARK: Tiers

    private func durablyRead(_ finding: Engine.DurableFinding) {
        guard phase == .reading else { return }
        switch finding {
        case .response(let stored):
            if engine.isCurrent(stored) { engine.memory.insert(stored) }
            found(stored)
        case .none(let why):
            if reason == .uriMiss { reason = why }
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
        case .mustForward(let why):
            candidate = stored
            reason = why
            fetch()
        case .gatewayTimeout:
            fail(.onlyIfCached)
        }
    }

    // MARK: Origin

    private func fetch() {
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
        requestTime = engine.clock.now()
        exchange = origin.start(outgoing, on: loop, receiver: self)
    }

    private func storagePlan(
        status: Int, fields: HTTPFields, framing: OriginFraming, responseTime: EpochSeconds
    ) -> Result<StoragePlan, NoStoreReason> {
        if case .length(let length) = framing, length > engine.configuration.maxObjectBytes {
            return .failure(.bodyLimit)
        }
        return Storability.decide(
            request: request.facts, status: status, fields: fields,
            policy: request.route.storage, requestTime: requestTime, responseTime: responseTime,
            isCloseDelimited: framing == .closeDelimited)
    }

    /// A 304 to our validators: the stored response is fresh again (RFC 9111 §4.3.4).
    private func freshen(_ stored: StoredResponse, by notModified: HTTPFields) {
        let now = engine.clock.now()
        let fields = Validation.freshened(stored: stored.entry.fields, by: notModified)
        var entry = stored.entry
        entry.fields = fields
        let plan = storagePlan(
            status: entry.status.code, fields: fields, framing: .none, responseTime: now)
        guard case .success(let plan) = plan else {
            // It may be answered once more, but not kept.
            engine.discard(stored)
            let once = engine.makeResponse(
                entry, generation: generation, epoch: engine.currentEpoch)
            return answer(
                stored: once, CacheStatus(result: .revalidated, forwardStatus: 304))
        }
        entry.fields = plan.fields
        entry.terms = plan.terms
        entry.requestTime = requestTime
        entry.responseTime = now
        let fresh = engine.makeResponse(entry, generation: generation, epoch: engine.currentEpoch)
        let outcome = engine.store(fresh, isFreshen: true, replacesRow: true)
        answer(
            stored: fresh,
            CacheStatus(
                result: .revalidated, forwardStatus: 304, isStored: outcome == .queued,
                ttl: plan.terms.ttl(at: now)))
    }

    private func beginStreaming(_ head: HTTPResponse, framing: OriginFraming) {
        phase = .streaming
        var status = CacheStatus(result: .forwarded(reason), forwardStatus: head.status.code)
        let now = engine.clock.now()
        switch storagePlan(
            status: head.status.code, fields: head.headerFields, framing: framing,
            responseTime: now)
        {
        case .success(let plan):
            collected = Collected(plan: plan, status: head.status, responseTime: now)
            status.isStored = true
            status.ttl = plan.terms.ttl(at: now)
        case .failure(let why):
            status.detail = why.rawValue
            if let candidate { replaceCandidate(candidate, status: head.status.code) }
            if client == nil { return abandon() }
        }
        client?.answer(
            head: head.forwarded(via: engine.configuration.viaName, receivedAt: now), framing: framing,
            status: status)
    }

    /// A full answer that is not stored still ends what it replaces (RFC 9111 §4.3.3); a server
    /// error does not, and what was asked under conditions or as HEAD says nothing about the whole.
    private func replaceCandidate(_ stored: StoredResponse, status: Int) {
        guard status < 500, status != 304, status != 412, status != 206, status != 416,
            request.facts.method != .head
        else { return }
        engine.discard(stored)
    }

    private func store(_ collected: Collected) {
        let plan = collected.plan
        let entry = StoredEntry(
            identity: request.identity,
            variant: engine.variant(of: request, names: plan.vary),
            status: collected.status,
            fields: plan.fields.forwarded(
                via: engine.configuration.viaName, receivedAt: collected.responseTime),
            body: collected.body, terms: plan.terms, requestTime: requestTime,
            responseTime: collected.responseTime, requestContent: request.requestContent)
        guard plan.vary.isEmpty || entry.variant.key != nil else { return }
        let response = engine.makeResponse(
            entry, generation: generation, epoch: engine.currentEpoch)
        // Whatever the file holds under this name was looked at before: the row, if any, is stale.
        _ = engine.store(response, isFreshen: false, replacesRow: candidate != nil)
    }

    // MARK: Answering

    private func answer(stored: StoredResponse, _ status: CacheStatus) {
        let client = client
        end()
        client?.answer(stored: stored, status: status)
    }

    private func fail(_ failure: AnswerFailure) {
        let client = client
        end()
        client?.answerFailed(failure)
    }

    private func end() {
        phase = .done
        client = nil
        collected = nil
        exchange = nil
        onEnd?()
        onEnd = nil
    }

    private func abandon() {
        exchange?.cancel()
        end()
    }
}

extension Fill: OriginReceiver {
    func originInformational(_ head: HTTPResponse) {
        client?.answer(informational: head)
    }

    func originHead(_ head: HTTPResponse, framing: OriginFraming) {
        guard phase == .waiting else { return }
        let code = head.status.code
        if let candidate {
            if code == 304, isValidating {
                guard
                    Validation.matches(
                        stored: candidate.entry.fields, notModified: head.headerFields)
                else { return refetchUnconditionally(candidate) }
                return freshen(candidate, by: head.headerFields)
            }
            if [500, 502, 503, 504].contains(code), mayServeStale(candidate, isUnreachable: false) {
                exchange?.cancel()
                return serveStale(candidate, forwardStatus: code)
            }
        }
        beginStreaming(head, framing: framing)
    }

    func originBody(_ part: ByteBuffer) {
        guard phase == .streaming else { return }
        if collected != nil {
            if (collected?.body.readableBytes ?? 0) + part.readableBytes
                > engine.configuration.maxObjectBytes
            {
                collected = nil
                if client == nil { return abandon() }
            } else {
                collected?.body.writeImmutableBuffer(part)
            }
        }
        client?.answer(body: part)
    }

    func originEnd() {
        guard phase == .streaming else { return }
        // Stored before the client has its last byte: whoever asks next, even this client, hits.
        if let collected { store(collected) }
        let client = client
        end()
        client?.answerEnd()
    }

    func originFailed(_ error: OriginError) {
        guard phase != .done else { return }
        engine.logger.debug("origin failed", metadata: ["error": "\(error)"])
        if phase == .waiting, let candidate, mayServeStale(candidate, isUnreachable: true) {
            return serveStale(candidate, forwardStatus: nil)
        }
        fail(.origin(error))
    }

    func originWritabilityChanged(_ isWritable: Bool) {}

    private func mayServeStale(_ stored: StoredResponse, isUnreachable: Bool) -> Bool {
        // Never after an invalidation (RFC 9111 §4.2.4 and our own promise).
        engine.isCurrent(stored)
            && Reuse.mayServeOnError(
                terms: stored.terms, request: request.facts.cacheControl,
                now: engine.clock.now(),
                defaultStaleIfError: engine.configuration.staleIfError,
                isUnreachable: isUnreachable)
    }

    private func serveStale(_ stored: StoredResponse, forwardStatus: Int?) {
        answer(
            stored: stored,
            CacheStatus(
                result: .stale, forwardStatus: forwardStatus,
                ttl: stored.terms.ttl(at: engine.clock.now())))
    }

    /// The 304 names another representation than the stored one (RFC 9111 §4.3.4): ask again.
    private func refetchUnconditionally(_ stored: StoredResponse) {
        exchange?.cancel()
        engine.discard(stored)
        candidate = nil
        fetch()
    }
}

extension Fill {
    func pause() { exchange?.pauseReading() }

    func resume() { exchange?.resumeReading() }

    func leave() {
        guard phase != .done else { return }
        client = nil
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
