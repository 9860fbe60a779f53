import HTTPCaching
import NIOCore

/// Sends pieces of a stored response whose body is in chunk rows: one short read for each chunk that
/// they touch, verified before its first byte leaves; the next is read while the client takes the
/// one before.
///
/// Confined to its client's loop.
final class StoredBodyReader {
    private enum Source { case more, end, outside }

    private let engine: Engine
    private let stored: StoredResponse
    private let chunks: ChunkedBody
    private let status: CacheStatus
    private let loop: any EventLoop
    private var client: (any AnswerReceiver)?
    /// The first chunk cannot be read, and nothing has been sent; whether it is lost.
    var onUnreadable: ((_ isLost: Bool) -> Void)?

    private var cursor: SegmentCursor
    private var source = Source.more
    /// The chunk that was read last; two ranges may lie in it.
    private var latest: (sequence: Int, bytes: ByteBuffer)?
    private var ready: CircularBuffer<ByteBuffer> = []
    private var hasBegun = false
    private var isReading = false
    private var isPaused = false
    private var isAdvancing = false
    /// What it became when all of it was read, for memory.
    private var collected: ByteBuffer?
    /// Its share of the budget: what it holds, and the piece that the channel has.
    private let charge: BudgetCharge
    private let collectedBytes: Int

    /// Chunks that are read before the client asks for them; none while memory is short.
    private static let readAheadMax = 2
    /// Pieces up to this are copied: they would keep a whole chunk in memory until they are taken.
    private static let copiedBytes = 16 << 10

    init(
        engine: Engine, stored: StoredResponse, chunks: ChunkedBody, segments: [BodySegment],
        status: CacheStatus, loop: any EventLoop, client: any AnswerReceiver
    ) {
        self.engine = engine
        self.stored = stored
        self.chunks = chunks
        self.status = status
        self.loop = loop
        self.client = client
        cursor = SegmentCursor(segments, of: chunks)
        var collectedBytes = 0
        if cursor.isWhole, engine.memory.admits(bodyBytes: chunks.length),
            engine.budget.level == .free
        {
            collectedBytes = Int(clamping: chunks.length)
            collected = ByteBufferAllocator().buffer(capacity: collectedBytes)
        }
        self.collectedBytes = collectedBytes
        charge = BudgetCharge(engine.budget)
        engine.pins.pin(chunks.id)
        count()
    }

    private func count() {
        let held = ready.count + (isReading ? 1 : 0) + 1
        charge.set(held * chunks.chunkBytes + collectedBytes)
    }

    private var mayReadAhead: Bool {
        let limit = engine.budget.level == .free ? Self.readAheadMax : 1
        return ready.count < limit
    }

    /// The client is not called before this has returned.
    func start() {
        readAhead()
        if !isReading { loop.assumeIsolated().execute { self.advance() } }
    }

    // MARK: Reading

    private func readAhead() {
        defer { count() }
        while client != nil, !isReading, source == .more, mayReadAhead {
            switch cursor.next() {
            case .text(let text): ready.append(text)
            case .slice(let sequence, let range):
                if let latest, latest.sequence == sequence {
                    append(range, of: latest.bytes)
                } else {
                    read(sequence, range)
                }
            case .end: source = .end
            case .outside: source = .outside
            }
        }
    }

    private func read(_ sequence: Int, _ range: Range<Int>) {
        isReading = true
        let bound = NIOLoopBound(self, eventLoop: loop)
        if let bytes = chunks.uncommitted?.chunk(sequence) {
            return loop.execute { bound.value.haveRead(.bytes(bytes), sequence, range) }
        }
        engine.readChunk(sequence, of: chunks.id, on: loop) { finding in
            bound.value.haveRead(finding, sequence, range)
        }
    }

    private func haveRead(_ finding: ChunkFinding, _ sequence: Int, _ range: Range<Int>) {
        isReading = false
        guard client != nil else { return }
        guard case .bytes(let bytes) = finding,
            bytes.readableBytes == chunks.length(ofChunk: sequence)
        else { return failed(isLost: finding != .unreadable) }
        latest = (sequence, bytes)
        append(range, of: bytes)
        readAhead()
        advance()
    }

    private func append(_ range: Range<Int>, of chunk: ByteBuffer) {
        guard range.count < chunk.readableBytes else { return ready.append(chunk) }
        guard
            let slice = chunk.getSlice(
                at: chunk.readerIndex + range.lowerBound, length: range.count)
        else {
            source = .outside
            return
        }
        guard range.count <= Self.copiedBytes else { return ready.append(slice) }
        var copy = ByteBufferAllocator().buffer(capacity: range.count)
        copy.writeImmutableBuffer(slice)
        ready.append(copy)
    }

    /// A miss if nothing was sent, else the answer must not look whole.
    ///
    /// - Parameter isLost: the row is gone or damaged; otherwise the next who asks may have more luck.
    private func failed(isLost: Bool) {
        if isLost { engine.discard(stored, lostBody: chunks.id) }
        let client = end()
        if !hasBegun, let onUnreadable { return onUnreadable(isLost) }
        client?.answerFailed(.unreadable)
    }

    // MARK: Sending

    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        if !hasBegun, !begin() { return }
        while let client = self.client, !isPaused, let bytes = ready.popFirst() {
            if collected != nil { collected?.writeImmutableBuffer(bytes) }
            client.answer(body: bytes)
            readAhead()
        }
        finishIfDone()
    }

    /// Sends the head; text before the first part waits, too, until that has been read.
    private func begin() -> Bool {
        guard latest != nil || source != .more, let client else { return false }
        if source == .outside, latest == nil {
            failed(isLost: true)
            return false
        }
        hasBegun = true
        client.answer(headOf: stored, status: status)
        return true
    }

    private func finishIfDone() {
        guard client != nil, !isReading, ready.isEmpty else { return }
        switch source {
        case .more: break
        case .outside: failed(isLost: true)
        case .end:
            if let collected { engine.remember(stored, body: collected, chunks: chunks) }
            let client = end()
            client?.answerEnd()
        }
    }

    private func end() -> (any AnswerReceiver)? {
        guard let client else { return nil }
        self.client = nil
        ready.removeAll()
        latest = nil
        collected = nil
        engine.pins.unpin(chunks.id)
        charge.set(0)
        return client
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        advance()
    }

    func leave() { _ = end() }
}
