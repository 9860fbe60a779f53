import CacheEngine
import HTTPCaching
import HTTPTypes

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
            sendContinue(head)
        }
    }

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
