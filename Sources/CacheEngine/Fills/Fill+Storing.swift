import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// What becomes of an answer that may be stored.
extension Fill {
    func storagePlan(
        for facts: RequestFacts? = nil, status: Int, fields: HTTPFields, framing: OriginFraming,
        responseTime: EpochSeconds
    ) -> Result<StoragePlan, NoStoreReason> {
        if case .length(let length) = framing, length > engine.bodyLimit {
            return .failure(.bodyLimit)
        }
        let plan = Storability.decide(
            request: facts ?? request.facts, status: status, fields: fields,
            policy: request.route.storage, requestTime: requestTime, responseTime: responseTime,
            isCloseDelimited: framing == .closeDelimited)
        guard case .success(let decided) = plan else { return plan }
        let names = decided.vary
        // A value in the request that no key can be made of.
        guard names.isEmpty || engine.variantKey(of: request.fields, names: names) != nil else {
            return .failure(.unkeyed)
        }
        guard engine.generation(of: request.identity.uriKey) == generation,
            engine.groups.areCurrent(request.identity.groups(decided.groups), since: groupStamp)
        else { return .failure(.generation) }
        return plan
    }

    /// The answer to a HEAD says whether the stored answer to a GET is still good (RFC 9111 §4.3.5).
    func compareWithStored(_ head: HTTPResponse) {
        guard let stored = candidate, engine.isCurrent(stored) else { return }
        switch Validation.effect(
            ofHead: head.headerFields, status: head.status.code, stored: stored.entry.fields,
            completeLength: stored.entry.completeLength)
        {
        case .none: break
        case .makeStale: engine.discard(stored)
        case .freshen:
            if let fresh = freshened(stored, by: head.headerFields) {
                _ = engine.store(fresh, isFreshen: true, replacesRow: true)
            }
        }
    }

    /// The stored response with what a 304 or a HEAD brings; `nil` when it may not be kept so.
    private func freshened(_ stored: StoredResponse, by update: HTTPFields) -> StoredResponse? {
        let now = engine.clock.now()
        var entry = stored.entry
        entry.fields = Validation.freshened(
            stored: stored.entry.fields, by: update,
            setCookie: request.route.storage.setCookie
        ).dated(now)
        var facts = request.facts
        if facts.method == .head { facts.method = .get }
        let plan = storagePlan(
            for: facts, status: entry.statusOfWhole, fields: entry.fields, framing: .none,
            responseTime: now)
        guard case .success(let plan) = plan, plan.vary == stored.variant.names else { return nil }
        entry.fields = plan.fields.dated(now)
        entry.terms = plan.terms
        entry.requestTime = requestTime
        entry.responseTime = now
        return engine.makeResponse(
            entry, generation: generation, groupStamp: groupStamp, epoch: engine.currentEpoch)
    }

    /// A 304 to our validators: the stored response is fresh again (RFC 9111 §4.3.4).
    func freshen(_ stored: StoredResponse, by notModified: HTTPFields) {
        let now = engine.clock.now()
        let fields = freshenedFields(of: stored, by: notModified)
        var entry = stored.entry
        entry.fields = fields.dated(now)
        let plan = storagePlan(
            status: entry.statusOfWhole, fields: fields, framing: .none, responseTime: now)
        let stays = try? plan.get().vary == stored.variant.names
        guard case .success(let plan) = plan, stays == true else {
            // It may be answered once more, but not kept; what the 304 brought is for its client
            // only, unless nothing but an invalidation is against it.
            var isShared = false
            if case .failure(let why) = plan {
                isShared = why == .generation
                if !why.leavesStored { engine.discard(stored) }
                rememberUncacheable(because: why)
            } else {
                engine.discard(stored)
            }
            let once = engine.makeResponse(
                entry, generation: generation, groupStamp: groupStamp, epoch: engine.currentEpoch)
            return answer(
                stored: once, CacheStatus(result: .revalidated, forwardStatus: 304),
                isShared: isShared)
        }
        entry.fields = plan.fields.dated(now)
        entry.terms = plan.terms
        entry.requestTime = requestTime
        entry.responseTime = now
        let fresh = engine.makeResponse(
            entry, generation: generation, groupStamp: groupStamp, epoch: engine.currentEpoch)
        let outcome = engine.store(fresh, isFreshen: true, replacesRow: true)
        answer(
            stored: fresh,
            CacheStatus(
                result: .revalidated, forwardStatus: 304, isStored: outcome == .queued,
                ttl: plan.terms.ttl(at: now)))
    }

    /// The stored fields with those of a newer answer to the same request, and ours in Via.
    func freshenedFields(of stored: StoredResponse, by update: HTTPFields) -> HTTPFields {
        var fields = Validation.freshened(
            stored: stored.entry.fields, by: update,
            setCookie: request.route.storage.setCookie
        ).withReadableCacheStatus
        if update.contains(.via) {
            // It brought its own in place of the stored one, which had ours.
            fields.append(HTTPField(name: .via, value: "1.1 \(engine.configuration.viaName)"))
        }
        return fields
    }

    func store(_ collected: Collected, body: StoredBody) {
        let plan = collected.plan
        var entry = StoredEntry(
            identity: request.identity,
            variant: collected.variant,
            status: collected.status,
            fields: plan.fields.forwarded(
                via: engine.configuration.viaName, receivedAt: collected.responseTime),
            body: body, part: plan.part, terms: plan.terms, requestTime: requestTime,
            responseTime: collected.responseTime, requestContent: request.keptContent)
        if let received = collected.received, plan.part != nil {
            let newest = engine.newestResponse(for: request) ?? candidate
            // Somebody has stored the whole meanwhile.
            if let newest, newest.entry.part == nil {
                if let chunks = body.chunks { engine.writes.dropBody(chunks.id) }
                return
            }
            if let newest, let bytes = body.bytes,
                let union = union(
                    of: newest, and: received, bytes, responseTime: collected.responseTime),
                case .success = union.plan
            {
                entry = union.entry
            }
        }
        let response = engine.makeResponse(
            entry, generation: generation, groupStamp: groupStamp, epoch: engine.currentEpoch)
        let outcome = engine.store(response, isFreshen: false, replacesRow: replacesRow)
        // It varies otherwise than what it replaces, which would go on beside it.
        if let candidate, candidate.variant.key != response.variant.key,
            outcome == .queued || outcome == .shed
        {
            engine.discard(candidate)
        }
    }

    // MARK: Large bodies

    /// From here on the body is cut into chunk rows.
    func beginRows() {
        let writer = BodyWriter(engine: engine, loop: loop)
        bodyWriter = writer
        log.keep(.rows, body: writer.id)
        writer.onProgress = { [weak self] in self?.wrote($0) }
        writer.onFailure = { [weak self] in self?.giveUpStoring() }
    }

    /// Looks whether the next bytes may still be kept, and how.
    func makeRoom(for bytes: Int) {
        let end = log.update { $0.windowEnd } + Int64(bytes)
        if end > engine.bodyLimit {
            rememberUncacheable()
            giveUpStoring()
        } else if bodyWriter == nil, end > engine.inlineLimit {
            beginRows()
        }
    }

    private func wrote(_ committed: Int?) {
        if let committed { log.update { $0.committed(committed) } }
        if phase == .storing { storeWhenQueued() } else { pace() }
    }

    /// Queues the put behind the last chunk: all of them are visible together or none.
    func storeWhenQueued() {
        guard phase == .storing, let bodyWriter, let collected else { return }
        guard bodyWriter.isAllQueued else {
            guard pacing.become(.storing) else { return }
            let wait = engine.configuration.fillTimeouts.storing
            return pacing.set(
                deadline: loop.assumeIsolated().scheduleTask(in: wait) { self.giveUpStoring() })
        }
        let length = log.update { $0.windowEnd }
        store(
            collected,
            body: .chunked(
                ChunkedBody(
                    id: bodyWriter.id, length: length, chunkBytes: engine.logLimits.chunkBytes,
                    uncommitted: bodyWriter.window)))
        let (key, id) = (request.identity.primaryKey, bodyWriter.id)
        bodyWriter.finish(lost: { [engine] in engine.forget(key, body: id) })
        self.bodyWriter = nil
        end()
    }

    /// The answer goes on to its readers but is not stored.
    func giveUpStoring() {
        guard phase == .streaming || phase == .storing else { return }
        replaceCandidate(status: collected?.status.code ?? 0)
        collected = nil
        bodyWriter?.abandon()
        bodyWriter = nil
        leaveTable()
        log.update { $0.giveUpStoring() }
        if phase == .storing { return end() }
        attend()
    }
}
