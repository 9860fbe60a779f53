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
        var variant: Variant
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
    /// The file may hold a row that the answer replaces.
    private var replacesRow: Bool
    private var isPaused = false
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
        if isPaused { exchange?.pauseReading() }
    }

    private func storagePlan(
        status: Int, fields: HTTPFields, framing: OriginFraming, responseTime: EpochSeconds
    ) -> Result<StoragePlan, NoStoreReason> {
        if case .length(let length) = framing, length > engine.bodyLimit {
            return .failure(.bodyLimit)
        }
        let plan = Storability.decide(
            request: request.facts, status: status, fields: fields,
            policy: request.route.storage, requestTime: requestTime, responseTime: responseTime,
            isCloseDelimited: framing == .closeDelimited)
        guard case .success(let names) = plan.map(\.vary) else { return plan }
        // A value in the request that no key can be made of.
        guard names.isEmpty || engine.variantKey(of: request.fields, names: names) != nil else {
            return .failure(.unkeyed)
        }
        guard engine.generation(of: request.identity.uriKey) == generation else {
            return .failure(.generation)
        }
        return plan
    }

    /// A 304 to our validators: the stored response is fresh again (RFC 9111 §4.3.4).
    private func freshen(_ stored: StoredResponse, by notModified: HTTPFields) {
        let now = engine.clock.now()
        var fields = Validation.freshened(
            stored: stored.entry.fields, by: notModified,
            setCookie: request.route.storage.setCookie)
        if notModified.contains(.via) {
            // It brought its own in place of the stored one, which had ours.
            fields.append(HTTPField(name: .via, value: "1.1 \(engine.configuration.viaName)"))
        }
        var entry = stored.entry
        entry.fields = fields.dated(now)
        let plan = storagePlan(
            status: entry.status.code, fields: fields, framing: .none, responseTime: now)
        let stays = try? plan.get().vary == stored.variant.names
        guard case .success(let plan) = plan, stays == true else {
            // It may be answered once more, but not kept.
            if case .failure(let why) = plan, why.leavesStored {} else { engine.discard(stored) }
            let once = engine.makeResponse(
                entry, generation: generation, epoch: engine.currentEpoch)
            return answer(
                stored: once, CacheStatus(result: .revalidated, forwardStatus: 304))
        }
        entry.fields = plan.fields.dated(now)
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
            collected = Collected(
                plan: plan, variant: engine.variant(of: request, names: plan.vary),
                status: head.status, responseTime: now)
            status.isStored = true
            status.ttl = plan.terms.ttl(at: now)
        case .failure(let why):
            status.detail = why.rawValue
            if !why.leavesStored { replaceCandidate(status: head.status.code) }
            if client == nil { return abandon() }
        }
        client?.answer(
            head: head.forwarded(via: engine.configuration.viaName, receivedAt: now),
            framing: framing, status: status)
    }

    /// A full answer that is not stored still ends what it replaces (RFC 9111 §4.3.3); a server
    /// error does not, and what was asked under conditions or as HEAD says nothing about the whole.
    private func replaceCandidate(status: Int) {
        guard let stored = candidate, request.facts.method != .head, status < 500,
            ![206, 304, 412, 416].contains(status)
        else { return }
        engine.discard(stored)
    }

    private func store(_ collected: Collected) {
        let plan = collected.plan
        let entry = StoredEntry(
            identity: request.identity,
            variant: collected.variant,
            status: collected.status,
            fields: plan.fields.forwarded(
                via: engine.configuration.viaName, receivedAt: collected.responseTime),
            body: collected.body, terms: plan.terms, requestTime: requestTime,
            responseTime: collected.responseTime, requestContent: request.keptContent)
        let response = engine.makeResponse(
            entry, generation: generation, epoch: engine.currentEpoch)
        let outcome = engine.store(response, isFreshen: false, replacesRow: replacesRow)
        // It varies otherwise than what it replaces, which would go on beside it.
        if let candidate, candidate.variant.key != response.variant.key,
            outcome == .queued || outcome == .shed
        {
            engine.discard(candidate)
        }
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
            if (collected?.body.readableBytes ?? 0) + part.readableBytes > engine.bodyLimit {
                replaceCandidate(status: collected?.status.code ?? 0)
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
