import HTTPCaching
import NIOCore

/// Sends a stored response whose body is in chunk rows: one short read for each, verified before its
/// first byte leaves; the next is read while the client takes the one before.
///
/// Confined to its client's loop.
final class StoredBodyReader {
    private let engine: Engine
    private let stored: StoredResponse
    private let chunks: ChunkedBody
    private let status: CacheStatus
    private let loop: any EventLoop
    private var client: (any AnswerReceiver)?
    /// The first chunk cannot be read: nothing has been sent.
    var onUnreadable: (() -> Void)?

    private var nextToRead = 0
    private var ready: CircularBuffer<ByteBuffer> = []
    private var sent = 0
    private var isReading = false
    private var isPaused = false
    private var isAdvancing = false
    /// What it became when all of it was read, for memory.
    private var collected: ByteBuffer?
    /// Its share of the budget.
    private let charge: Int

    private static let readAhead = 2

    init(
        engine: Engine, stored: StoredResponse, chunks: ChunkedBody, status: CacheStatus,
        loop: any EventLoop, client: any AnswerReceiver
    ) {
        self.engine = engine
        self.stored = stored
        self.chunks = chunks
        self.status = status
        self.loop = loop
        self.client = client
        // The chunks read ahead and the one that the channel holds.
        var charge = (Self.readAhead + 1) * chunks.chunkBytes
        if engine.memory.admits(bodyBytes: chunks.length), engine.budget.level == .free {
            let length = Int(clamping: chunks.length)
            collected = ByteBufferAllocator().buffer(capacity: length)
            charge += length
        }
        self.charge = charge
        engine.pins.pin(chunks.id)
        engine.budget.charge(charge)
    }

    func start() { readAhead() }

    private func readAhead() {
        guard client != nil, !isReading, nextToRead < chunks.chunkCount,
            ready.count < Self.readAhead
        else { return }
        isReading = true
        let sequence = nextToRead
        nextToRead += 1
        if let bytes = chunks.uncommitted?.chunk(sequence) {
            let bound = NIOLoopBound(self, eventLoop: loop)
            return loop.execute { bound.value.haveRead(.bytes(bytes), sequence) }
        }
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.readChunk(sequence, of: chunks.id, on: loop) { finding in
            bound.value.haveRead(finding, sequence)
        }
    }

    private func haveRead(_ finding: ChunkFinding, _ sequence: Int) {
        isReading = false
        guard client != nil else { return }
        guard case .bytes(let bytes) = finding,
            bytes.readableBytes == chunks.length(ofChunk: sequence)
        else { return failed(sequence) }
        ready.append(bytes)
        readAhead()
        advance()
    }

    /// The row is gone or damaged: a miss if nothing was sent, else the answer must not look whole.
    private func failed(_ sequence: Int) {
        engine.discard(stored)
        let client = end()
        if sequence == 0, let onUnreadable { return onUnreadable() }
        client?.answerFailed(.unreadable)
    }

    private func advance() {
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while let client, !isPaused || sent == 0, let bytes = ready.popFirst() {
            if sent == 0 { client.answer(headOf: stored, status: status) }
            sent += 1
            if collected != nil { collected?.writeImmutableBuffer(bytes) }
            client.answer(body: bytes)
            readAhead()
            guard sent == chunks.chunkCount, self.client != nil else { continue }
            if let collected { engine.remember(stored, body: collected, chunks: chunks) }
            let client = end()
            client?.answerEnd()
        }
    }

    private func end() -> (any AnswerReceiver)? {
        guard let client else { return nil }
        self.client = nil
        ready.removeAll()
        collected = nil
        engine.pins.unpin(chunks.id)
        engine.budget.release(charge)
        return client
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        advance()
    }

    func leave() { _ = end() }
}
