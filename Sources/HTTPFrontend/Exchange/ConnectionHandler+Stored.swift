import CacheEngine
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// Answers that are one piece: stored responses and errors.
extension ConnectionHandler {
    /// Bodies up to this are copied behind their head: one buffer, one system call.
    private static let copiedBodyLimit = 16 << 10

    /// A response that a fill found or freshened; the client's own preconditions hold here too.
    func send(stored: StoredResponse, status: CacheStatus) {
        let isNotModified = head.map { responder.isNotModified(stored, $0) } ?? false
        send(stored, status: status, isNotModified: isNotModified)
    }

    /// The hit: prepared head, what is of this moment, body; one flush.
    func send(_ stored: StoredResponse, status: CacheStatus, isNotModified: Bool) {
        guard let head else { return closeNow() }
        loop.scratch.clear()
        if isNotModified {
            loop.scratch.writeNotModifiedHead(
                stored, status: status, now: loop.now, keepsAlive: state.keepsAlive,
                isHTTP10: head.isHTTP10)
            write(loop.scratch)
        } else {
            loop.scratch.writeHitHead(
                stored, status: status, now: loop.now, keepsAlive: state.keepsAlive,
                isHTTP10: head.isHTTP10)
            if head.kind == .head {
                write(loop.scratch)
            } else if let body = stored.entry.body.bytes {
                if body.readableBytes <= Self.copiedBodyLimit {
                    loop.scratch.writeImmutableBuffer(body)
                    write(loop.scratch)
                } else {
                    write(loop.scratch)
                    write(body)
                }
            }
        }
        log(status: isNotModified ? 304 : stored.entry.status.code, result: status)
        answerEnded()
    }

    /// The head of a hit whose body follows in parts.
    func send(headOf stored: StoredResponse, status: CacheStatus) {
        guard let head else { return closeNow() }
        state.answerBegan()
        closeUnlessRequestIsComplete()
        loop.scratch.clear()
        loop.scratch.writeHitHead(
            stored, status: status, now: loop.now, keepsAlive: state.keepsAlive,
            isHTTP10: head.isHTTP10)
        write(loop.scratch)
        flushSoon()
        log(status: stored.entry.status.code, result: status)
    }

    func fail(_ failure: AnswerFailure) {
        let document = ProblemDocument(failure)
        closeUnlessRequestIsComplete()
        write(
            document.rendered(
                keepsAlive: state.keepsAlive, isHTTP10: head?.isHTTP10 ?? false,
                isHead: head?.kind == .head))
        log(status: document.status.code, result: nil)
        answerEnded()
    }

    /// An error of the request: answered, and the connection ends.
    func refuse(_ error: RequestError, isHead: Bool? = nil) {
        state.keepsAlive = false
        let document = ProblemDocument(error)
        write(
            document.rendered(
                keepsAlive: false, isHTTP10: false, isHead: isHead ?? (head?.kind == .head)))
        log(status: document.status.code, result: nil)
        answerEnded()
    }

    /// An answer that overtakes its request is the last: it says so in its head.
    func closeUnlessRequestIsComplete() {
        if state.request != .complete { state.keepsAlive = false }
    }

    func log(status: Int, result: CacheStatus?) {
        guard loop.configuration.logsExchanges else { return }
        loop.logger.debug(
            "exchange",
            metadata: [
                "client": "\(peerAddress() ?? "-")", "method": "\(head?.method.rawValue ?? "-")",
                "host": "\(head?.authority ?? "-")", "target": "\(head?.target ?? "-")",
                "status": "\(status)", "cache": "\(result?.serialized() ?? "-")",
            ])
    }
}
