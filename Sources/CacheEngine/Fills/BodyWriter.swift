import NIOCore

/// Writes a large body into chunk rows while it arrives, a bounded number of them at a time.
///
/// Confined to its fill's loop.
final class BodyWriter {
    let id: BodyID
    /// Chunks that are readable although their commit has not returned.
    let window = ChunkWindow()
    private let engine: Engine
    private let loop: any EventLoop
    private var backlog: CircularBuffer<FillLogState.Chunk> = []
    private var underway = 0
    private var isAbandoned = false
    private var retry: Scheduled<Void>?
    /// There is room again; with the number of a chunk when that is committed.
    var onProgress: ((_ committed: Int?) -> Void)?
    /// A chunk could not be written.
    var onFailure: (() -> Void)?

    /// Chunks of one fill on their way at a time: its share of the queue.
    private static let share = 8

    init(engine: Engine, loop: any EventLoop) {
        self.engine = engine
        self.loop = loop
        id = engine.store.makeBodyID()
    }

    /// The writer is behind: the origin waits.
    var mustWait: Bool { !backlog.isEmpty || underway >= Self.share }

    /// Every chunk that was given is in the queue.
    var isAllQueued: Bool { backlog.isEmpty }

    func write(_ chunks: [FillLogState.Chunk]) {
        guard !isAbandoned else { return }
        for chunk in chunks {
            window.insert(chunk.bytes, at: chunk.sequence)
            backlog.append(chunk)
        }
        offer()
    }

    private func offer() {
        while underway < Self.share, let chunk = backlog.first {
            let bound = NIOLoopBound(self, eventLoop: loop)
            let (loop, window, sequence) = (loop, window, chunk.sequence)
            let isTaken = engine.writes.offer(
                BodyChunk(body: id, sequence: sequence, bytes: chunk.bytes) { isCommitted in
                    if isCommitted { window.remove(sequence) }
                    loop.execute { bound.value.done(sequence, isCommitted) }
                })
            guard isTaken else { return offerLater() }
            backlog.removeFirst()
            underway += 1
        }
    }

    /// The queue is full; it says nothing when it is not any more.
    private func offerLater() {
        guard retry == nil, !isAbandoned else { return }
        retry = loop.assumeIsolated().scheduleTask(in: .milliseconds(20)) {
            self.retry = nil
            self.offer()
            self.onProgress?(nil)
        }
    }

    private func done(_ sequence: Int, _ isCommitted: Bool) {
        underway -= 1
        if isAbandoned {
            if !isCommitted { onFailure?() }
            return
        }
        if isCommitted {
            offer()
            onProgress?(sequence)
        } else {
            onFailure?()
        }
    }

    /// No put will name the body: what is written of it goes.
    func abandon() {
        guard stop() else { return }
        engine.writes.dropBody(id)
    }

    /// A put names the body: the rest is the queue's.
    ///
    /// - Parameter lost: called when one of the last chunks was not written after all.
    func finish(lost: @escaping () -> Void) {
        _ = stop()
        onFailure = lost
    }

    private func stop() -> Bool {
        guard !isAbandoned else { return false }
        isAbandoned = true
        backlog.removeAll()
        retry?.cancel()
        retry = nil
        onProgress = nil
        onFailure = nil
        return true
    }
}
