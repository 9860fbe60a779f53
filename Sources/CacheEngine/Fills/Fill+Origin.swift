import CacheKeys
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore

/// What a fill does with the origin's answer.
extension Fill: OriginReceiver {
    func originInformational(_ head: HTTPResponse) {
        leader?.hear(informational: head.withoutHopByHop)
    }

    func originHead(_ head: HTTPResponse, framing: OriginFraming) {
        guard phase == .waiting else { return }
        if let candidate {
            let isForClient =
                validation == .rest
                ? answers(head, insteadOfRestOf: candidate) : answers(head, instead: candidate)
            guard isForClient else { return }
        }
        beginStreaming(head, framing: framing)
    }

    /// Whether the origin's answer is the client's; else what it means for the stored response has
    /// been done (RFC 9111 §4.3.3).
    private func answers(_ head: HTTPResponse, instead stored: StoredResponse) -> Bool {
        let code = head.status.code
        var outcome = Validation.Outcome.replace
        if validation != .none {
            outcome = Validation.outcome(
                status: code, fields: head.headerFields, stored: stored.entry.fields)
        } else if Reuse.isFailure(status: code) {
            outcome = .failed
        }
        switch outcome {
        // Without a tag it may speak of the client's.
        case .freshen where validation == .combined && !head.headerFields.contains(.eTag):
            return true
        case .freshen:
            freshen(stored, by: head.headerFields)
            return false
        // The client's own tag was among those asked about: this is its 304.
        case .refetch where validation == .combined && code == 304: return true
        case .refetch:
            refetchUnconditionally(stored)
            return false
        case .failed where mayServeStale(stored, isUnreachable: false):
            exchange?.cancel()
            serveStale(stored, forwardStatus: code)
            return false
        case .failed, .replace: return true
        }
    }

    func originBody(_ part: ByteBuffer) {
        if phase == .completing { return take(rest: part) }
        guard phase == .streaming else { return }
        if collected != nil { makeRoom(for: part.readableBytes) }
        guard phase == .streaming else { return }
        log.append(part, now: engine.clock.now())
        // The whole of a small answer is kept anyhow: nobody's pace matters.
        guard phase == .streaming, bodyWriter != nil || collected == nil else { return }
        bodyWriter?.write(log.update { $0.takeChunks() })
        pace()
    }

    /// Only for the client that the request was made for: they are not stored, and whoever comes
    /// later must not see another answer than who comes first of all.
    func originTrailers(_ trailers: HTTPFields) {
        if phase == .streaming { first?.hear(trailers: trailers, of: log) }
    }

    func originEnd() {
        if phase == .completing { return complete() }
        guard phase == .streaming else { return }
        // RFC 9110 §14.4: it has not the bytes that its head says
        let length = log.update { $0.windowEnd }
        if let received = collected?.received, received.part.range.count != length {
            giveUpStoring()
            guard phase == .streaming else { return }
        }
        guard let collected else {
            end()
            return log.end(.complete)
        }
        guard let bodyWriter else {
            // Stored before the client has its last byte: whoever asks next, even this client, hits.
            store(collected, body: .whole(log.update { $0.whole() }))
            end()
            return log.end(.complete)
        }
        bodyWriter.write(log.update { $0.takeChunks(isLast: true) })
        phase = .storing
        exchange = nil
        pacing.end()
        storeWhenQueued()
        log.end(.complete)
    }

    func originFailed(_ error: OriginError) {
        guard phase == .waiting || phase == .completing || phase == .streaming else { return }
        engine.originFailures.note(error, now: engine.clock.now(), logger: engine.logger)
        let wasSecond = exchange?.isSecondAttempt ?? false
        exchange = nil
        // Nobody has heard of it yet.
        if phase == .completing { return fetchWithoutRest() }
        if phase == .waiting {
            if let candidate, mayServeStale(candidate, isUnreachable: true) {
                return serveStale(candidate, forwardStatus: nil)
            }
            if !wasSecond, mayRetry(after: error) {
                hasRetried = true
                return fetch()
            }
        }
        fail(.origin(error))
    }

    func originWritabilityChanged(_ isWritable: Bool) {}

    /// Others wait for what failed: one more request is made for all of them.
    ///
    /// After a timeout they
    /// have waited enough.
    private func mayRetry(after error: OriginError) -> Bool {
        switch error {
        case .connectTimeout, .firstByteTimeout, .betweenBytesTimeout, .shuttingDown: return false
        case .connectFailed, .closed, .malformed, .contentUnreadable: break
        }
        let own = leader?.client == nil ? 0 : 1
        return !hasRetried && key != nil && log.update { $0.cursorCount } > own
    }

    private func mayServeStale(_ stored: StoredResponse, isUnreachable: Bool) -> Bool {
        // Never after an invalidation (RFC 9111 §4.2.4 and our own promise).
        engine.isCurrent(stored) && request.isAnswered(by: stored.entry)
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
                result: .staleOnError, forwardStatus: forwardStatus,
                ttl: stored.terms.ttl(at: engine.clock.now())))
    }

    /// The 304 names another representation than the stored one (RFC 9111 §4.3.4): ask again.
    private func refetchUnconditionally(_ stored: StoredResponse) {
        exchange?.cancel()
        engine.discard(stored)
        candidate = nil
        fetch()
    }

    private func beginStreaming(_ head: HTTPResponse, framing: OriginFraming) {
        phase = .streaming
        leader = nil
        var status = CacheStatus(result: .forwarded(reason), forwardStatus: head.status.code)
        let now = engine.clock.now()
        let plan = streamingPlan(head, framing: framing, responseTime: now)
        var opening = FillHead(
            head: head.forwarded(via: engine.configuration.viaName, receivedAt: now),
            framing: framing, status: status, isShared: false, variant: .none)
        switch plan {
        case .success(let plan):
            let variant = engine.variant(of: request, names: plan.vary)
            // Who waits asked for the whole.
            opening.isShared = head.status.code != 206
            opening.variant = variant
            status.ttl = plan.terms.ttl(at: now)
            if engine.budget.level >= .noStores {
                status.detail = NoStoreReason.overload.rawValue
                leaveTable()
            } else {
                collected = Collected(
                    plan: plan, variant: variant,
                    status: plan.status == head.status.code ? head.status : .ok,
                    responseTime: now, received: ReceivedPart(head))
                keep(framing)
                status.isStored = true
                forgetUncacheable()
            }
        case .failure(let why):
            status.detail = why.rawValue
            opening.refusal = why == .generation ? .outdated : .uncacheable
            if request.facts.method == .head {
                compareWithStored(head)
            } else if !why.leavesStored {
                replaceCandidate(status: head.status.code)
            }
            // A failing origin says nothing about the answers to come.
            if head.status.code < 500 { rememberUncacheable(because: why) }
            leaveTable()
        }
        opening.status = status
        log.open(.head(opening), now: now)
        attend()
    }

    /// Decides how the body is kept, as far as its length is known.
    private func keep(_ framing: OriginFraming) {
        if case .length(let length) = framing, length > Int64(engine.inlineLimit) {
            beginRows()
        } else {
            log.keep(.whole)
        }
    }

    private func forgetUncacheable() {
        guard let rememberedKey else { return }
        engine.fills.remember(uncacheable: rememberedKey, now: engine.clock.now(), seconds: 0)
    }

    /// A full answer that is not stored still ends what it replaces (RFC 9111 §4.3.3); a server
    /// error does not, and what was asked under conditions or as HEAD says nothing about the whole.
    func replaceCandidate(status: Int) {
        guard let stored = candidate, request.facts.method != .head, status < 500,
            ![206, 304, 412, 416].contains(status)
        else { return }
        engine.discard(stored)
    }
}
