import CacheEngine
import HTTPCaching
import NIOCore
import NIOHTTP1

/// Taking a request: its head, and what answers it.
extension ConnectionHandler {
    /// The decoder gave up on what came: 400 if no answer has begun, and the end.
    func refuseMalformed(_ error: RequestError) {
        if state.isIdle { state.requestBegan(keepsAlive: false) }
        guard state.answer == .awaited else { return closeNow() }
        answer?.leave()
        dropContent()
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
        awaitsFirstContent = head.hasContent
        exchangeNumber &+= 1
        if head.stopsDecoder { gate.shut() }
        if let cacheAPI { return begin(head, cacheAPI) }
        switch responder.plan(head) {
        case .lookup:
            contentMode = .none
        case .keyed:
            guard let content = loop.takeContent() else {
                return stream(head, reason: .bypass, detail: "key")
            }
            contentMode = .keyed(content)
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

    func respond(keyed content: WholeContent?) {
        guard let head else { return closeNow() }
        if let cacheAPI { return respond(head, cacheAPI) }
        let outcome = responder.respond(
            head, keyed: content, clientAddress: peerAddress, now: loop.now)
        switch outcome {
        case .stored(let stored, let status, let selection):
            send(stored, status: status, selection)
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

    func startAnswer(_ start: (Answer) -> any AnswerSource) {
        let answer = Answer(connection: self)
        self.answer = answer
        answer.source = start(answer)
    }

    private func sendContinue(_ head: GatedHead) {
        guard head.expectsContinue, head.hasContent else { return }
        sendContinue()
    }

    func sendContinue() {
        write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
        flushIfNeeded()
    }
}
