import CacheEngine
import HTTPCaching
import NIOCore

/// Taking a request's content: streamed, or spooled until its key is known.
extension ConnectionHandler {
    func take(_ part: ByteBuffer) {
        awaitsFirstContent = false
        deadline.extend(.body, to: loop.uptime + loop.configuration.bodyTimeout)
        switch contentMode {
        case .none: break
        case .streaming: sendUpstream(part)
        case .keyed(let content):
            contentMode = .none
            let action = content.append(part, loop.spoolBounds)
            perform(action, content)
        case .pouring(var pour):
            contentMode = .none
            pour.append(part)
            contentMode = .pouring(pour)
        }
    }

    func endOfRequest() {
        awaitsFirstContent = false
        if deadline.kind == .body { deadline.clear() }
        // Who has all of it may never ask for more, and the next request is not to wait for that.
        isUploadHeld = false
        let mode = contentMode
        switch mode {
        case .none, .streaming: contentMode = .none
        case .keyed, .pouring: break
        }
        perform(state.requestEnded())
        switch mode {
        case .none: if state.answer == .awaited, answer == nil { respond(keyed: nil) }
        case .streaming: answer?.finishRequestBody()
        case .keyed(let content):
            contentMode = .none
            let action = content.end()
            perform(action, content)
        case .pouring(var pour):
            pour.end()
            contentMode = .pouring(pour)
        }
    }

    /// The exchange is over, or the client gone: nothing of its content is needed any more.
    func dropContent() {
        if case .keyed(let content) = contentMode { content.giveUp(loop) }
        contentMode = .none
    }

    // MARK: Spooling

    private func perform(_ action: SpoolState.Action, _ content: KeyedContent) {
        switch action {
        case .wait: contentMode = .keyed(content)
        case .write: write(content)
        case .whole: finish(content)
        case .divert(let why): divert(content, why)
        }
    }

    private func write(_ content: KeyedContent) {
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        let hasBegun = content.write(to: loop.spool, on: loop.loop) { file, failure in
            bound.value.wrote(file, failure)
        }
        guard hasBegun else {
            loop.noteSpoolTrouble(.files)
            let action = content.written(isDone: false, loop.spoolBounds)
            return perform(action, content)
        }
        contentMode = .keyed(content)
    }

    private func wrote(_ file: SpoolFile, _ failure: SpoolFile.Failure?) {
        guard case .keyed(let content) = contentMode, content.file === file else { return }
        contentMode = .none
        if let failure { loop.noteSpoolTrouble(failure) }
        let action = content.written(isDone: failure == nil, loop.spoolBounds)
        perform(action, content)
        processWaiting()
        flushIfNeeded()
    }

    /// All content is here.
    ///
    /// Of what is in a file the start is read again, for people who look at the database.
    private func finish(_ content: KeyedContent) {
        let kept = loop.configuration.keptContentBytes
        // Under memory pressure nothing is kept.
        guard let file = content.file, loop.configuration.keptContent != .off, kept > 0,
            !loop.isMemoryTight
        else { return look(content, start: nil) }
        contentMode = .keyed(content)
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        file.read(at: 0, count: kept, on: loop.loop) { start in
            let handler = bound.value
            guard case .keyed(let content) = handler.contentMode, content.file === file else {
                return
            }
            handler.look(content, start: start)
            handler.flushIfNeeded()
        }
    }

    private func look(_ content: KeyedContent, start: ByteBuffer?) {
        contentMode = .none
        guard let whole = content.whole(loop, start: start) else {
            return refuse(.malformed(.syntax))
        }
        respond(keyed: whole)
    }

    /// A read is over; what it brought of the content and is still here counts as memory in use.
    func contentStays() {
        guard case .keyed(let content) = contentMode else { return }
        contentMode = .none
        content.stay(responder.engine.budget)
        contentMode = .keyed(content)
    }

    func squeezeContent() {
        guard case .keyed(let content) = contentMode else { return }
        contentMode = .none
        let action = content.squeeze()
        perform(action, content)
    }

    /// Whether the content that comes must wait: for the disk, for the origin, for memory.
    func holdsContent() -> Bool {
        switch contentMode {
        case .none: false
        case .pouring: true
        // A put that finds no memory is taken and dropped; it never waits for others.
        case .streaming: cacheAPI == nil && !loop.mayRead(self)
        case .keyed(let content):
            content.state.holdsReads(loop.spoolBounds) || !loop.mayRead(self)
        }
    }

    // MARK: Forwarding

    /// The content cannot be part of a key: what is here goes first, the rest as it comes.
    private func divert(_ content: KeyedContent, _ why: SpoolState.Diversion) {
        guard let head else { return closeNow() }
        let pass = responder.passRequest(
            head, reason: .bypass, detail: why.rawValue, clientAddress: peerAddress())
        contentMode = .pouring(content.diverted(loop))
        startAnswer { responder.engine.pass(pass, on: loop.loop, receiver: $0) }
        pourOn(isWritable: true)
    }

    private func pourOn(isWritable: Bool) {
        guard case .pouring(var pour) = contentMode else { return }
        contentMode = .none
        let action = pour.next(isWritable: isWritable)
        contentMode = .pouring(pour)
        switch action {
        case .wait: break
        case .read(let offset, let count):
            guard let file = pour.file else { return }
            let bound = NIOLoopBound(self, eventLoop: loop.loop)
            file.read(at: offset, count: count, on: loop.loop) { part in
                bound.value.poured(file, part)
            }
        case .finished:
            contentMode = pour.hasEnded ? .none : .streaming
            sendUpstream(pour.rest)
            if pour.hasEnded { answer?.finishRequestBody() }
        case .failed: loseContent()
        }
    }

    private func poured(_ file: SpoolFile, _ part: ByteBuffer?) {
        guard case .pouring(var pour) = contentMode, pour.file === file else { return }
        let action = pour.read(part)
        contentMode = .pouring(pour)
        guard action != .failed, let part, let answer else { return loseContent() }
        pourOn(isWritable: answer.write(part))
        processWaiting()
        flushIfNeeded()
    }

    /// Half of the content is with the origin and the rest cannot be had: the exchange must fail,
    /// on both sides.
    private func loseContent() {
        contentMode = .none
        answer?.leave()
        if state.answer == .awaited { fail(.origin(.contentUnreadable)) } else { abort() }
    }

    private func sendUpstream(_ part: ByteBuffer) {
        // An empty part could be taken for the end of chunked content.
        guard let answer, part.readableBytes > 0 else { return }
        if !answer.write(part), !isClosing { isUploadHeld = true }
    }

    /// The origin takes content again.
    func uploadMayGoOn() {
        isUploadHeld = false
        pourOn(isWritable: true)
        processWaiting()
    }
}
