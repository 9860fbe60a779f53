import CacheKeys
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore

/// What a fill does with the origin's answer.
extension Fill: OriginReceiver {
    func originInformational(_ head: HTTPResponse) {
        client?.answer(informational: head.withoutHopByHop)
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
        engine.originFailures.note(error, now: engine.clock.now(), logger: engine.logger)
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
            body: .whole(collected.body), terms: plan.terms, requestTime: requestTime,
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
}
