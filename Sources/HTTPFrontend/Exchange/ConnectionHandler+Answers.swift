import CacheEngine
import HTTPCaching
import NIOCore

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

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
        // The origin did not want the rest.
        dropContent()
        isUploadHeld = false
        perform(state.answerEnded())
        flushIfNeeded()
    }

    func perform(_ action: ExchangeState.Action) {
        switch action {
        case .wait: break
        case .next:
            head = nil
            awaitNextRequest()
            if loop.isDraining || isInputClosed, !hasWaiting { return closeAfterFlush() }
            processWaiting()
        case .close:
            closeAfterFlush()
        }
    }

    /// Ends our side when the client has taken all of it, the client's when it has seen that or
    /// after a little while.
    func closeAfterFlush() {
        guard !isClosing, let context else { return }
        isClosing = true
        dropWaiting()
        gate.shut()
        context.flush()
        watchWrites()
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.assumeIsolated().whenComplete { _ in self.outputClosed() }
        context.close(mode: .output, promise: closed)
    }

    private func outputClosed() {
        isOutputClosed = true
        if isInputClosed { return closeNow() }
        deadline.set(.drain, at: loop.uptime + 2)
        readOn()
    }

    /// The client must take some of what is written within the write time.
    func watchWrites() {
        untakenBytes = bufferedBytes
        deadline.set(.write, at: loop.uptime + loop.configuration.writeTimeout)
    }

    /// More content must come within the body time.
    func awaitContent() {
        deadline.set(.body, at: loop.uptime + loop.configuration.bodyTimeout)
    }

    private var bufferedBytes: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Cuts the connection so that the client sees a reset: the end of an answer that is delimited
    /// by the connection's must not look regular (RFC 9112 §8).
    func abort() {
        if let socket = context?.channel as? any SocketOptionProvider {
            _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        }
        closeNow()
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
        case .body where isUploadHeld || isReadHeld:
            // The origin or the disk is slow, or memory is short: not the client's fault.
            awaitContent()
        case .body where !isClosing && state.answer == .awaited:
            refuseMalformed(.bodyTimeout)
        case .write where bufferedBytes < untakenBytes, .keepAlive where bufferedBytes > 0:
            // Slow, but not stalled.
            watchWrites()
        default: closeNow()
        }
    }
}
