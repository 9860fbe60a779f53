import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// A connection to the Cache API's listener.
extension ConnectionHandler {
    func begin(_ head: GatedHead, _ cacheAPI: CacheAPIResponder) {
        guard cacheAPI.admits(head) else { return refuse(.forbidden, isHead: nil) }
        switch cacheAPI.plan(head) {
        case .atEnd: contentMode = .none
        case .refuse(let error): refuse(error)
        case .streamed(let start):
            contentMode = .streaming
            startAnswer(start)
            continueLater(head)
        }
    }

    /// Workers may copy `Expect` into a key, and their runtime, which does not wait, takes a 100 for
    /// an answer: only who really waits gets one.
    private func continueLater(_ head: GatedHead) {
        guard head.expectsContinue, head.hasContent else { return }
        let bound = NIOLoopBound(self, eventLoop: loop.loop)
        loop.loop.scheduleTask(in: Self.continuePause) { [number = exchangeNumber] in
            let handler = bound.value
            guard handler.exchangeNumber == number, handler.awaitsFirstContent,
                !handler.isClosing
            else { return }
            handler.sendContinue()
        }
    }

    private static let continuePause = TimeAmount.milliseconds(50)

    func respond(_ head: GatedHead, _ cacheAPI: CacheAPIResponder) {
        switch cacheAPI.respond(head, now: loop.now) {
        case .stored(let stored, let selection):
            send(stored, status: CacheStatus(result: .hit), selection)
        case .reply(let reply): send(reply)
        case .source(let start): startAnswer(start)
        }
    }

    func send(_ reply: CacheReply) {
        closeUnlessRequestIsComplete()
        write(
            reply.rendered(
                keepsAlive: state.keepsAlive, isHTTP10: head?.isHTTP10 ?? false,
                isHead: head?.kind == .head))
        log(status: reply.status.code, result: reply.result)
        answerEnded()
    }

    /// What a client gets of a stored response.
    func selection(of stored: StoredResponse, for head: GatedHead) -> StoredSelection {
        cacheAPI == nil
            ? responder.selection(of: stored, for: head)
            : CacheAPIResponder.selection(of: stored, for: head)
    }
}
