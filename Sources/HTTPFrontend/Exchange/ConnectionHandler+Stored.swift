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

    /// The hit: prepared head, what is of this moment, body; one flush.
    func send(_ stored: StoredResponse, status: CacheStatus, _ selection: StoredSelection) {
        guard let head else { return closeNow() }
        loop.scratch.clear()
        writeHead(of: stored, status: status, selection, isHTTP10: head.isHTTP10)
        if case .full = selection {
            if head.kind != .head, let body = stored.wholeBody { writeBehindHead(body) }
        } else if selection.hasContent(for: head.kind) {
            guard writeSegments(of: stored, selection) else { return abort() }
        }
        if loop.scratch.readableBytes > 0 { write(loop.scratch) }
        if loop.configuration.logsExchanges {
            log(status: selection.status(of: stored.entry), result: status)
        }
        answerEnded()
    }

    private func writeHead(
        of stored: StoredResponse, status: CacheStatus, _ selection: StoredSelection, isHTTP10: Bool
    ) {
        if cacheAPI != nil {
            loop.scratch.writeMatchHead(
                of: selection, stored, now: loop.now, keepsAlive: state.keepsAlive,
                isHTTP10: isHTTP10)
        } else if case .full = selection {
            loop.scratch.writeHitHead(
                stored, status: status, now: loop.now, keepsAlive: state.keepsAlive,
                isHTTP10: isHTTP10)
        } else {
            loop.scratch.writeHead(
                of: selection, stored, status: status, now: loop.now,
                keepsAlive: state.keepsAlive, isHTTP10: isHTTP10)
        }
    }

    /// Small pieces go into one buffer with what is before them; large ones are not copied.
    private func writeBehindHead(_ bytes: ByteBuffer) {
        if bytes.readableBytes <= Self.copiedBodyLimit {
            loop.scratch.writeImmutableBuffer(bytes)
        } else {
            if loop.scratch.readableBytes > 0 { write(loop.scratch) }
            loop.scratch.clear()
            write(bytes)
        }
    }

    /// Pieces of a body that is in memory; `false` where it has not what the head promised.
    private func writeSegments(of stored: StoredResponse, _ selection: StoredSelection) -> Bool {
        guard let body = stored.entry.body.bytes else { return false }
        for segment in selection.segments(of: stored.entry) {
            switch segment {
            case .text(let text): writeBehindHead(text)
            case .stored(let range):
                guard
                    let slice = body.getSlice(
                        at: body.readerIndex + Int(clamping: range.lowerBound),
                        length: Int(clamping: range.upperBound - range.lowerBound))
                else { return false }
                writeBehindHead(slice)
            }
        }
        return true
    }

    /// The head of a hit whose pieces follow.
    func send(headOf stored: StoredResponse, status: CacheStatus, _ selection: StoredSelection) {
        guard let head else { return closeNow() }
        state.answerBegan()
        closeUnlessRequestIsComplete()
        loop.scratch.clear()
        writeHead(of: stored, status: status, selection, isHTTP10: head.isHTTP10)
        write(loop.scratch)
        flushSoon()
        log(status: selection.status(of: stored.entry), result: status)
    }

    func fail(_ failure: AnswerFailure) {
        if cacheAPI != nil { return send(.miss(.miss, detail: "unreadable")) }
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
        var document = ProblemDocument(error)
        if cacheAPI != nil { document.allow = CacheAPIResponder.allowedMethods }
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
                "client": "\(peerAddress() ?? "-")", "method": "\(head?.method.token ?? "-")",
                "host": "\(head?.authority ?? "-")", "target": "\(head?.target ?? "-")",
                "status": "\(status)", "cache": "\(result?.serialized() ?? "-")",
            ])
    }
}
