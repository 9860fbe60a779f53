import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// One client's way to its answer: it reads the log of the fill that it began or joined.
///
/// Confined to its client's loop; the fill may run on another.
final class FillCursor: AnswerSource {
    let engine: Engine
    private(set) var request: FillRequest
    let loop: any EventLoop
    private(set) var client: (any AnswerReceiver)?
    private var candidate: StoredResponse?
    private var reason: ForwardReason

    private var log: FillLog?
    private var place = 0
    /// It joined; the fill was begun for another request.
    private var isFollower = false
    /// It is among the followers that are bounded in all.
    private var isCounted = false
    /// The fill's body is being read by it.
    private var hasHead = false
    private var isPaused = false
    private var isAdvancing = false
    private var isReadingRow = false
    private var trailers: HTTPFields?
    /// Sends a stored body; then this cursor is only its handle.
    private var reader: StoredBodyReader?
    /// Where the answers vary by these fields, those who ask for the same values wait together.
    private var variesBy: [String] = []
    private var goesAlone: Bool
    private var attempts = 0
    private var patience: Scheduled<Void>?

    private static let attemptLimit = 4

    init(
        engine: Engine, request: FillRequest, candidate: StoredResponse?, reason: ForwardReason,
        loop: any EventLoop, client: any AnswerReceiver
    ) {
        self.engine = engine
        self.request = request
        self.candidate = candidate
        self.reason = reason
        self.loop = loop
        self.client = client
        goesAlone = !request.mayBeShared
        variesBy =
            candidate?.variant.names
            ?? engine.memory.variantNames(of: request.identity.primaryKey)
    }

    /// Begins or joins a fill.
    ///
    /// The client is not called before this has returned.
    func start() {
        attempts += 1
        let log = engine.makeLog(for: request, on: loop)
        let key = engine.fillKey(of: request, variesBy: variesBy)
        guard let key, !goesAlone, attempts < Self.attemptLimit else {
            return lead(log, key: nil)
        }
        let place = engine.fills.enter(
            key, log: log, cursor: self, generation: log.generation,
            mayJoin: engine.budget.level < .noJoining, now: engine.clock.now())
        switch place {
        case .lead: lead(log, key: key)
        case .alone: lead(log, key: nil, remembered: key)
        case .follow(let running, let place): follow(running, at: place)
        }
    }

    /// Sends a response that was found in memory and whose body must be read; when that fails, it is
    /// a miss.
    func start(with stored: StoredResponse, _ status: CacheStatus) {
        deliver(stored, status)
    }

    private func lead(_ log: FillLog, key: FillKey?, remembered: FillKey? = nil) {
        isFollower = false
        self.log = log
        place = log.attach(self, on: loop) ?? 0
        let fill = Fill(
            engine: engine, request: request, candidate: candidate, reason: reason, loop: loop,
            log: log, key: key)
        fill.leader = self
        fill.first = self
        fill.rememberedKey = remembered
        fill.start()
    }

    private func follow(_ running: FillLog, at place: Int) {
        isFollower = true
        isCounted = true
        engine.counters.collapsed.add(1)
        log = running
        self.place = place
        loop.assumeIsolated().execute { self.advance() }
        let wait = engine.configuration.collapseTimeout
        patience = loop.assumeIsolated().scheduleTask(in: wait) { self.lostPatience() }
    }

    /// The fill's head does not come.
    private func lostPatience() {
        guard isFollower, !hasHead, log != nil else { return }
        goesAlone = true
        restart()
    }

    func hear(informational head: HTTPResponse) {
        if !hasHead { client?.answer(informational: head) }
    }

    /// They go out behind the body, which may be on its way for a while yet.
    func hear(trailers: HTTPFields, of log: FillLog) {
        if log === self.log { self.trailers = trailers }
    }

    // MARK: Reading

    /// Goes on as far as the log and the client allow.
    func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while let log, let client, !isReadingRow {
            // Who is cut off hears of it although it takes no bytes.
            if hasHead, isPaused, !log.update({ $0.isCut(place) }) { return }
            switch log.next(place) {
            case .wait: return
            case .head(let head): take(head, client)
            case .stored(let stored, let status, let isShared):
                found(stored, status, isShared: isShared)
            case .bytes(let bytes): client.answer(body: bytes)
            case .row(let body, let sequence, let skip): read(sequence, of: body, skip: skip)
            case .end:
                let client = finish()
                if let trailers { client?.answer(trailers: trailers) }
                return client?.answerEnd() ?? ()
            case .failed(.abandoned) where isFollower && !hasHead: restart()
            case .failed(let failure):
                let client = finish()
                return client?.answerFailed(failure) ?? ()
            }
        }
    }

    private func take(_ head: FillHead, _ client: any AnswerReceiver) {
        hasHead = true
        guard isFollower else {
            return client.answer(head: head.head, framing: head.framing, status: head.status)
        }
        stopWaiting()
        guard head.isShared else { return release(head.refusal ?? .uncacheable) }
        if !head.variant.names.isEmpty,
            engine.variantKey(of: request.fields, names: head.variant.names) != head.variant.key
        {
            return release(.variesBy(head.variant.names))
        }
        var status = head.status
        status.result = .forwarded(reason)
        status.isCollapsed = true
        client.answer(head: head.head, framing: head.framing, status: status)
    }

    /// The answer is not for this client: it goes on at once, by itself or with those who may share
    /// another.
    private func release(_ refusal: FillRefusal) {
        switch refusal {
        case .uncacheable: goesAlone = true
        case .variesBy(let names):
            if names == variesBy { goesAlone = true }
            variesBy = names
            reason = .varyMiss
        case .outdated: break
        }
        restart()
    }

    private func restart() {
        leaveLog()
        hasHead = false
        isReadingRow = false
        guard client != nil else { return }
        start()
    }

    private func found(_ stored: StoredResponse, _ status: CacheStatus, isShared: Bool) {
        leaveLog()
        stopWaiting()
        guard isFollower else { return deliver(stored, status) }
        guard isShared else { return release(.uncacheable) }
        // It was found for another request: it must have what this one asks for, and be its
        // variant too.
        guard request.isAnswered(by: stored.entry) else { return release(.uncacheable) }
        if !stored.variant.names.isEmpty,
            engine.variantKey(of: request.fields, names: stored.variant.names)
                != stored.variant.key
        {
            return release(.variesBy(stored.variant.names))
        }
        var status = status
        status.isCollapsed = true
        deliver(stored, status)
    }

    private func deliver(_ stored: StoredResponse, _ status: CacheStatus) {
        guard let client else { return }
        let segments: [BodySegment]
        switch client.use(of: stored) {
        case .head: segments = []
        case .content(let pieces): segments = pieces
        case .forward(let why): return askOrigin(why)
        }
        guard let chunks = stored.entry.body.unreadChunks, !segments.isEmpty else {
            let client = finish()
            return client?.answer(stored: stored, status: status) ?? ()
        }
        let reader = StoredBodyReader(
            engine: engine, stored: stored, chunks: chunks, segments: segments, status: status,
            loop: loop, client: client)
        self.reader = reader
        reader.onUnreadable = { [weak self] in self?.unreadable(isLost: $0) }
        if isPaused { reader.pause() }
        reader.start()
    }

    /// What is stored does not do for this client.
    private func askOrigin(_ why: ForwardReason) {
        request.asksOrigin = true
        request.isExclusive = true
        goesAlone = true
        candidate = nil
        reason = why
        restart()
    }

    /// The file has not what it promised, which is not found again; or it cannot be read, and is not
    /// asked again.
    private func unreadable(isLost: Bool) {
        reader = nil
        if !isLost { request.asksOrigin = true }
        candidate = nil
        reason = .miss
        restart()
    }

    private func read(_ sequence: Int, of body: BodyID, skip: Int) {
        isReadingRow = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.readChunk(sequence, of: body, on: loop) { finding in
            bound.value.haveRead(finding, skip: skip)
        }
    }

    private func haveRead(_ finding: ChunkFinding, skip: Int) {
        guard isReadingRow, let log, let client else { return }
        isReadingRow = false
        guard case .bytes(var bytes) = finding, bytes.readableBytes > skip else {
            let client = finish()
            return client?.answerFailed(.unreadable) ?? ()
        }
        bytes.moveReaderIndex(forwardBy: skip)
        log.passed(place, bytes: bytes.readableBytes)
        client.answer(body: bytes)
        advance()
    }

    // MARK: Ending

    private func finish() -> (any AnswerReceiver)? {
        let client = client
        self.client = nil
        leaveLog()
        stopWaiting()
        reader = nil
        return client
    }

    private func leaveLog() {
        log?.leave(place, self)
        log = nil
        if isCounted { engine.fills.followerLeft() }
        isCounted = false
    }

    private func stopWaiting() {
        patience?.cancel()
        patience = nil
    }

    func pause() {
        isPaused = true
        reader?.pause()
    }

    func resume() {
        isPaused = false
        if let reader { reader.resume() } else { advance() }
    }

    func leave() {
        guard client != nil else { return }
        reader?.leave()
        _ = finish()
    }
}
