import CacheEngine
import CacheKeys
import HTTPCaching
import NIOCore
import NIOHTTP1

/// Taking a request: head, content, end.
extension ConnectionHandler {
    /// The decoder gave up on what came: 400 if no answer has begun, and the end.
    func refuseMalformed(_ error: RequestError) {
        if state.isIdle { state.requestBegan(keepsAlive: false) }
        guard state.answer == .awaited else { return closeNow() }
        answer?.leave()
        if case .keyed(let content) = contentMode { content.giveUp(loop) }
        contentMode = .none
        refuse(error)
    }

    func begin(_ received: HTTPRequestHead) {
        guard state.isIdle else { return closeNow() }
        deadline.clear()
        let head: GatedHead
        switch loop.gate.check(received) {
        case .failure(let error):
            state.requestBegan(keepsAlive: false)
            return refuse(error, isHead: received.method == .HEAD)
        case .success(let gated): head = gated
        }
        self.head = head
        state.requestBegan(keepsAlive: head.keepsAlive && !loop.isDraining)
        if head.hasContent { awaitContent() }
        if head.stopsDecoder { gate.shut() }
        switch responder.plan(head) {
        case .lookup:
            contentMode = .none
        case .keyed:
            guard let digester = loop.takeDigester() else {
                return stream(head, reason: .bypass, detail: "key")
            }
            contentMode = .keyed(KeyedContent(digester: digester))
            sendContinue(head)
        case .pass(let reason, let detail):
            stream(head, reason: reason, detail: detail)
        }
    }

    /// Sends the request on before its content is here.
    private func stream(_ head: GatedHead, reason: ForwardReason, detail: String?) {
        let pass = responder.passRequest(
            head, reason: reason, detail: detail, clientAddress: peerAddress())
        contentMode = .streaming
        startAnswer { responder.engine.pass(pass, on: loop.loop, receiver: $0) }
        sendContinue(head)
    }

    func take(_ part: ByteBuffer) {
        deadline.extend(.body, to: loop.uptime + loop.configuration.bodyTimeout)
        switch contentMode {
        case .none: break
        case .streaming: sendUpstream(part)
        case .keyed(var content):
            contentMode = .none
            if content.bytes.readableBytes + part.readableBytes
                > loop.configuration.maxKeyBodyBytes
            {
                return streamKeyed(content, part)
            }
            content.append(part)
            contentMode = .keyed(content)
        }
    }

    /// Content outgrew what may be part of a key: what is here goes first, the rest as it comes.
    private func streamKeyed(_ content: KeyedContent, _ part: ByteBuffer) {
        content.giveUp(loop)
        guard let head else { return closeNow() }
        let pass = responder.passRequest(
            head, reason: .bypass, detail: "body-limit", clientAddress: peerAddress())
        contentMode = .streaming
        startAnswer { responder.engine.pass(pass, on: loop.loop, receiver: $0) }
        sendUpstream(content.bytes)
        sendUpstream(part)
    }

    private func sendUpstream(_ part: ByteBuffer) {
        // An empty part could be taken for the end of chunked content.
        guard let answer, part.readableBytes > 0 else { return }
        if !answer.write(part), !isClosing { isUploadHeld = true }
    }

    /// The origin takes content again.
    func uploadMayGoOn() {
        guard isUploadHeld else { return }
        isUploadHeld = false
        processWaiting()
    }

    func endOfRequest() {
        if deadline.kind == .body { deadline.clear() }
        let mode = contentMode
        contentMode = .none
        perform(state.requestEnded())
        switch mode {
        case .none: if state.answer == .awaited, answer == nil { respond(keyed: nil) }
        case .keyed(let content): respond(keyed: content)
        case .streaming: answer?.finishRequestBody()
        }
    }

    private func respond(keyed content: KeyedContent?) {
        guard let head else { return closeNow() }
        var keyed: (bytes: ByteBuffer, digest: Digest, length: UInt64)?
        if let content {
            guard let digest = content.finish(loop) else {
                return refuse(.malformed(.syntax))
            }
            keyed = (content.bytes, digest.digest, digest.length)
        }
        let outcome = responder.respond(
            head, keyed: keyed, clientAddress: peerAddress, now: loop.now)
        switch outcome {
        case .stored(let stored, let status, let isNotModified):
            send(stored, status: status, isNotModified: isNotModified)
        case .resolve(let fill, let candidate, let reason):
            startAnswer {
                responder.engine.resolve(
                    fill, candidate: candidate, reason: reason, on: loop.loop, receiver: $0)
            }
        case .stream(let fill, let stored, let status):
            startAnswer {
                responder.engine.answer(
                    stored, status: status, for: fill, on: loop.loop, receiver: $0)
            }
        case .failure(let failure): fail(failure)
        case .refuse(let error): refuse(error)
        }
    }

    private func startAnswer(_ start: (Answer) -> any AnswerSource) {
        let answer = Answer(connection: self)
        self.answer = answer
        answer.source = start(answer)
    }

    private func sendContinue(_ head: GatedHead) {
        guard head.expectsContinue, head.hasContent else { return }
        write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        flushIfNeeded()
    }
}
