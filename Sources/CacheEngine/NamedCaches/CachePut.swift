import CacheKeys
package import HTTPCaching
package import HTTPTypes
package import NIOCore

/// What became of a put.
package enum CachePutResult: Sendable, Equatable {
    /// It is found from now on, for so many seconds.
    case stored(seconds: Int64)
    /// Nothing has changed; what was stored before is still there.
    case refused(NoStoreReason)
}

/// One response on its way into a named cache: takes its content as it comes, stores all of it or
/// nothing.
///
/// A put never waits for what is beyond its control: where memory, the queue or the disk is short for
/// long, the rest of the content is taken and dropped, so that two puts of one source cannot block
/// each other. Confined to its loop.
package final class CachePut {
    /// What is put, apart from its content.
    package struct Head: Sendable {
        package var identity: EntryIdentity
        package var variant: Variant
        package var requestFields: HTTPFields?
        package var status: HTTPResponse.Status
        package var plan: PutPlan
        /// Which other variants go: those that the request finds; all, where Vary selects nothing.
        package var supersedes: @Sendable (Variant) -> Bool

        package init(
            identity: EntryIdentity, variant: Variant = .none, requestFields: HTTPFields? = nil,
            status: HTTPResponse.Status, plan: PutPlan,
            supersedes: @escaping @Sendable (Variant) -> Bool = { _ in true }
        ) {
            self.identity = identity
            self.variant = variant
            self.requestFields = requestFields
            self.status = status
            self.plan = plan
            self.supersedes = supersedes
        }
    }

    /// When a put began: what is deleted from then on is newer than it.
    package struct Start: Sendable {
        fileprivate let generation: UInt64
        fileprivate let groupStamp: UInt64

        package init(_ identity: EntryIdentity, on engine: Engine) {
            generation = engine.generation(of: identity.uriKey)
            groupStamp = engine.groups.stamp
        }
    }

    private enum Phase {
        case inline(ByteBuffer)
        case rows(BodyWriter, rest: ByteBuffer, sequence: Int)
        case refused(NoStoreReason)
        case stored
    }

    private let engine: Engine
    private let head: Head
    private let loop: any EventLoop
    private let start: Start
    private let charge: BudgetCharge
    private var phase: Phase
    private var length: Int64 = 0
    /// Chunks that the file has.
    private var committed = 0
    /// All of the content has come; who waits for the result.
    private var done: ((CachePutResult) -> Void)?
    private var deadline: Scheduled<Void>?
    /// From `finish` on nobody else needs to hold it.
    private var itself: CachePut?
    /// More content may be written after `write` has returned `false`.
    package var onRoom: (() -> Void)?

    /// Pauses between two looks whether the queue has room again.
    private static let retryPause = TimeAmount.milliseconds(10)

    /// - Parameters:
    ///   - start: made before anything of the response was looked at.
    ///   - announced: bytes of the content, where that is known.
    package init(
        engine: Engine, head: Head, start: Start, announced: Int64? = nil, loop: any EventLoop
    ) {
        self.engine = engine
        self.head = head
        self.start = start
        self.loop = loop
        charge = BudgetCharge(engine.budget)
        if let announced, announced > Int64(engine.bodyLimit) {
            phase = .refused(.bodyLimit)
        } else if engine.budget.level >= .noStores {
            phase = .refused(.overload)
        } else {
            phase = .inline(ByteBuffer())
        }
    }

    /// Why nothing will be stored, as soon as that is known.
    package var refusal: NoStoreReason? {
        if case .refused(let reason) = phase { return reason }
        return nil
    }

    // MARK: Content

    /// Takes content; `false`: not more before `onRoom`.
    package func write(_ part: ByteBuffer) -> Bool {
        length += Int64(part.readableBytes)
        if refusal != nil { return true }
        if length > Int64(engine.bodyLimit) { return refuse(.bodyLimit) }
        if engine.budget.level == .noReading { return refuse(.overload) }
        append(part)
        return !waits()
    }

    private func append(_ part: ByteBuffer) {
        if case .inline(var bytes) = phase {
            phase = .refused(.incomplete)
            bytes.writeImmutableBuffer(part)
            if bytes.readableBytes <= engine.inlineLimit {
                charge.set(bytes.storageCapacity)
                phase = .inline(bytes)
                return
            }
            let writer = BodyWriter(engine: engine, loop: loop)
            writer.onProgress = { [weak self] in self?.wrote($0) }
            writer.onFailure = { [weak self] in self?.lost() }
            phase = .rows(writer, rest: ByteBuffer(), sequence: 0)
            return append(bytes)
        }
        guard case .rows(let writer, var rest, var sequence) = phase else { return }
        phase = .refused(.incomplete)
        rest.writeImmutableBuffer(part)
        let chunkBytes = engine.logLimits.chunkBytes
        var chunks: [FillLogState.Chunk] = []
        while let bytes = rest.readSlice(length: chunkBytes) {
            chunks.append(
                .init(sequence: sequence, bytes: ByteBuffer(bytes: bytes.readableBytesView)))
            sequence += 1
        }
        rest.discardReadBytes()
        phase = .rows(writer, rest: rest, sequence: sequence)
        charge.set(rest.storageCapacity + (sequence - committed) * chunkBytes)
        writer.write(chunks)
    }

    /// Whether the writer is behind; it has a bounded time to catch up.
    private func waits() -> Bool {
        guard case .rows(let writer, _, _) = phase, writer.mustWait else { return false }
        startDeadline()
        return true
    }

    private func startDeadline() {
        guard deadline == nil else { return }
        deadline = loop.assumeIsolated().scheduleTask(
            in: engine.configuration.fillTimeouts.storing
        ) {
            self.deadline = nil
            self.lost()
        }
    }

    private func endDeadline() {
        deadline?.cancel()
        deadline = nil
    }

    private func wrote(_ chunk: Int?) {
        guard case .rows(let writer, _, let sequence) = phase else { return }
        if chunk != nil {
            committed += 1
            charge.set(max(0, sequence - committed) * engine.logLimits.chunkBytes)
            // Slow, but not stuck.
            endDeadline()
        }
        if done != nil { return storeRows() }
        guard !writer.mustWait else { return startDeadline() }
        endDeadline()
        onRoom?()
    }

    /// The rest is taken and dropped: who was told to wait is told to go on.
    @discardableResult
    private func refuse(_ reason: NoStoreReason) -> Bool {
        if case .rows(let writer, _, _) = phase { writer.abandon() }
        phase = .refused(reason)
        end(.refused(reason))
        onRoom?()
        return true
    }

    private func end(_ result: CachePutResult) {
        endDeadline()
        charge.set(0)
        let done = done
        self.done = nil
        itself = nil
        done?(result)
    }

    /// A chunk was not written, or not in time.
    private func lost() {
        refuse(.overload)
    }

    // MARK: Ending

    /// The content is not what it should be, or breaks off: nothing is stored.
    package func cancel(because reason: NoStoreReason = .incomplete) {
        if case .stored = phase { return }
        done = nil
        refuse(reason)
    }

    /// All of the content has come; `done` is called once, on the loop, perhaps at once.
    package func finish(done: @escaping (CachePutResult) -> Void) {
        self.done = done
        itself = self
        switch phase {
        case .stored: break
        case .refused(let reason): refuse(reason)
        case .inline(let bytes): store(.whole(bytes))
        case .rows(let writer, let rest, let sequence):
            if rest.readableBytes > 0 {
                phase = .rows(writer, rest: ByteBuffer(), sequence: sequence + 1)
                writer.write([.init(sequence: sequence, bytes: rest)])
            }
            storeRows()
        }
    }

    /// Behind the last chunk in the queue: all of them are visible together or none.
    private func storeRows() {
        guard case .rows(let writer, _, _) = phase else { return }
        guard writer.isAllQueued else { return startDeadline() }
        store(
            .chunked(
                ChunkedBody(
                    id: writer.id, length: length, chunkBytes: engine.logLimits.chunkBytes,
                    uncommitted: writer.window)))
    }

    private func store(_ body: StoredBody) {
        guard done != nil else { return }
        let now = engine.clock.now()
        var terms = head.plan.terms
        // It took longer to come than it lives.
        guard terms.isFresh(at: now) else {
            refuse(.noLifetime)
            return
        }
        // The newest of several is the one whose put ended last.
        terms.dateValue = now
        let entry = StoredEntry(
            identity: head.identity, variant: head.variant, status: head.status,
            fields: head.plan.fields.dated(now), body: body, terms: terms,
            requestTime: now, responseTime: now, requestFields: head.requestFields)
        let response = engine.makeResponse(
            entry, generation: start.generation, groupStamp: start.groupStamp,
            epoch: engine.currentEpoch)
        switch engine.put(response, head.supersedes) {
        case .queued: stored(response)
        case .outdated: refuse(.generation)
        case .closed: refuse(.overload)
        case .shed:
            // Who puts waits: the queue is full for a moment only.
            startDeadline()
            loop.assumeIsolated().scheduleTask(in: Self.retryPause) { self.store(body) }
        }
    }

    private func stored(_ response: StoredResponse) {
        if case .rows(let writer, _, _) = phase {
            let (key, id) = (response.primaryKey, writer.id)
            writer.finish(lost: { [engine] in engine.forget(key, body: id) })
        }
        phase = .stored
        end(.stored(seconds: head.plan.lifetime))
    }
}

extension Engine {
    /// Makes what was put findable at once and queues it for the file.
    fileprivate func put(
        _ response: StoredResponse, _ supersedes: @escaping @Sendable (Variant) -> Bool
    ) -> PutOutcome {
        let identity = response.entry.identity
        let group = EntryGroup.path(
            scheme: identity.scheme, authority: identity.authority, target: identity.target,
            in: identity.cacheName)
        return writes.put(response, group: group, generations: generations, groups: groups) {
            let isNewKey = expectation(of: identity) != .response
            storedKeys.add(response.name)
            memory.insert(response)
            if isNewKey { return nil }
            let others = Supersession(by: response.name, selects: supersedes)
            for other in memory.responses(for: response.primaryKey)
            where others.covers(other.variant) {
                memory.remove(other)
            }
            return others
        }
    }
}
