import CacheEngine
import HTTPCaching
import NIOCore

/// Writing answers and what follows them.
extension ConnectionHandler {
    /// Writes without flushing: one flush for what belongs together.
    func write(_ bytes: ByteBuffer) {
        guard !isClosing, let context else { return }
        context.write(wrapOutboundOut(bytes), promise: nil)
        needsFlush = true
    }

    /// Flushes at the end of this turn of the loop, so that a head and the body that came with it
    /// leave in one system call.
    func flushSoon() {
        guard needsFlush, !isFlushScheduled else { return }
        isFlushScheduled = true
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        loop.loop.execute {
            bound.value.isFlushScheduled = false
            bound.value.flushIfNeeded()
        }
    }

    func flushIfNeeded() {
        guard needsFlush, !isInReadBurst else { return }
        needsFlush = false
        context?.flush()
    }

    /// The answer has been written whole.
    func answerEnded() {
        answer = nil
        perform(state.answerEnded())
        flushIfNeeded()
    }

    func perform(_ action: ExchangeState.Action) {
        switch action {
        case .wait: break
        case .next:
            head = nil
            awaitNextRequest()
            if loop.isDraining, !hasWaiting { return closeAfterFlush() }
            processWaiting()
        case .close:
            closeAfterFlush()
        }
    }

    /// Ends our side at once, the client's when it has seen that or after a little while.
    private func closeAfterFlush() {
        guard !isClosing, let context else { return }
        isClosing = true
        dropWaiting()
        context.flush()
        guard head?.stopsDecoder != true else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        deadline.set(.drain, at: loop.uptime + 2)
        isUploadHeld = false
        readOn()
    }

    func closeNow() {
        isClosing = true
        context?.close(promise: nil)
    }

    /// Shutdown: an idle connection ends now, a busy one after its answer.
    func drain() {
        state.keepsAlive = false
        if state.isIdle { closeAfterFlush() }
    }

    func enforceDeadline(_ uptime: Int64) {
        guard let expired = deadline.expired(at: uptime) else { return }
        switch expired {
        case .head where !isClosing && state.isIdle:
            state.requestBegan(keepsAlive: false)
            refuse(.headTimeout)
        case .body where isUploadHeld:
            // The origin is slow, not the client.
            deadline.extend(.body, to: uptime + loop.configuration.bodyTimeout)
        case .body where !isClosing && state.answer == .awaited:
            refuseMalformed(.bodyTimeout)
        default: closeNow()
        }
    }
}
