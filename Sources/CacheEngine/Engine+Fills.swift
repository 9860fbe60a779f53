import CacheKeys
import HTTPCaching
import Logging
package import NIOCore

/// What fills and readers of bodies ask of the engine.
extension Engine {
    /// What is in memory for a request, or on its way into the file.
    func newestResponse(for request: FillRequest) -> StoredResponse? {
        let held = memory.response(for: request.identity.primaryKey) {
            variantKey(of: request.fields, names: $0)
        }
        if let held, isCurrent(held) { return held }
        return pendingResponse(for: request)
    }

    func makeLog(for request: FillRequest, on loop: any EventLoop) -> FillLog {
        FillLog(
            loop: loop, budget: budget, pins: pins, limits: logLimits,
            generation: generation(of: request.identity.uriKey))
    }

    /// What a request shares a fetch under; `nil` where a field that the answers vary by has a value
    /// that no key can be made of.
    func fillKey(of request: FillRequest, variesBy names: [String]) -> FillKey? {
        var key = FillKey(
            primaryKey: request.identity.primaryKey, variantKey: nil,
            isPersonal: request.facts.method == .get
                && (request.facts.hasCredentials || request.facts.hasCookie))
        guard !names.isEmpty else { return key }
        guard let variant = variantKey(of: request.fields, names: names) else { return nil }
        key.variantKey = variant
        return key
    }

    /// Revalidates a stale response that was just served (RFC 5861 §3): one fill for each at a time,
    /// owned by no client.
    ///
    /// - Parameter request: made only when there is something to do.
    package func revalidate(
        _ stored: StoredResponse, on loop: any EventLoop, request: () -> FillRequest?
    ) {
        let key = FillKey(
            primaryKey: stored.primaryKey, variantKey: stored.variant.key, isPersonal: false)
        let now = clock.now()
        guard !fills.isRunning(key), !fills.isUncacheable(key, now: now),
            let request = request()?.revalidating(stored)
        else { return }
        let log = makeLog(for: request, on: loop)
        guard fills.lead(key, log: log) else { return }
        let fill = Fill(
            engine: self, request: request, candidate: stored, reason: .stale, loop: loop, log: log,
            key: key)
        // Whatever came of it: not again at once.
        fill.onEnd = { [self] in
            guard !memory.holdsFresher(than: stored) else { return }
            fills.remember(uncacheable: key, now: now, seconds: Self.revalidationPause)
        }
        fill.start()
    }

    private static let revalidationPause: Int64 = 2

    /// Reads one chunk on a reader thread; `done` is called on `loop`.
    func readChunk(
        _ sequence: Int, of body: BodyID, on loop: any EventLoop,
        done: @escaping @Sendable (ChunkFinding) -> Void
    ) {
        submitRead(
            { [self] in
                var finding = ChunkFinding.unreadable
                do {
                    finding = try store.chunk(sequence, of: body)
                } catch {
                    counters.failedReads.add(1)
                    logger.error("a chunk could not be read", metadata: ["error": "\(error)"])
                }
                if finding == .damaged {
                    counters.damagedRows.add(1)
                    logger.error("a chunk failed its checks; its response is deleted")
                }
                loop.execute { [finding] in done(finding) }
            }, orElse: { loop.execute { done(.unreadable) } })
    }

    /// A chunk of a body was lost after its put was queued, which the file refuses then.
    func forget(_ key: CacheKey, body: BodyID) {
        for stored in memory.responses(for: key) where stored.entry.body.chunks?.id == body {
            discard(stored, lostBody: body)
        }
    }

    /// Forgets a stored response whose body is gone or damaged; what was put in its place meanwhile
    /// stays.
    func discard(_ stored: StoredResponse, lostBody body: BodyID) {
        memory.remove(stored)
        writes.delete(stored.name, unreadable: .body(body))
    }

    /// Takes a body that was read whole into memory beside its rows.
    func remember(_ stored: StoredResponse, body: ByteBuffer, chunks: ChunkedBody) {
        guard isCurrent(stored) else { return }
        var entry = stored.entry
        entry.body = .cached(body, chunks)
        let response = StoredResponse(
            entry: entry, rendering: stored.rendering, generation: stored.generation,
            groupStamp: stored.groupStamp, epoch: stored.epoch)
        memory.replace(stored, by: response)
    }
}
