import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// An answer that does not come from memory: writes what a fill or the origin gives, as HTTP/1.1
/// bytes, as it comes.
///
/// Confined to the connection's loop.
final class Answer: AnswerReceiver {
    private enum Framing { case none, length, chunked, untilClose }

    private weak var connection: ConnectionHandler?
    /// What makes the answer; let go of at its end.
    var source: (any AnswerSource)?
    private var framing = Framing.none
    private var hasHead = false
    private(set) var isPaused = false
    private var trailers: HTTPFields?
    /// Chosen once for each stored response: what is around its parts has a random boundary.
    private var selection = StoredSelection.full

    init(connection: ConnectionHandler) {
        self.connection = connection
    }

    // MARK: The connection's side

    func pause() {
        guard !isPaused else { return }
        isPaused = true
        source?.pause()
    }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        source?.resume()
    }

    func leave() {
        connection = nil
        source?.leave()
        source = nil
    }

    func write(_ part: ByteBuffer) -> Bool { source?.write(part) ?? true }

    func finishRequestBody() { source?.finishRequestBody() }

    // MARK: The source's side

    func use(of stored: StoredResponse) -> StoredUse {
        guard let connection, let head = connection.head else { return .head }
        selection = connection.selection(of: stored, for: head)
        return selection.use(of: stored.entry, for: head.kind)
    }

    func answer(stored: StoredResponse, status: CacheStatus) {
        source = nil
        connection?.send(stored, status: status, selection)
    }

    func answer(headOf stored: StoredResponse, status: CacheStatus) {
        guard let connection else { return }
        hasHead = true
        framing = .length
        connection.send(headOf: stored, status: status, selection)
        if !connection.isWritable {
            isPaused = true
            source?.pause()
        }
    }

    func answer(informational head: HTTPResponse) {
        // How many there are is counted where they come in.
        guard let connection, !hasHead, let request = connection.head,
            Informational.handling(
                status: head.status.code, count: 1, isClientHTTP10: request.isHTTP10) == .forward
        else { return }
        var bytes = ByteBuffer()
        bytes.writeStatusLine(head.status)
        bytes.writeFields(head.headerFields)
        bytes.writeStaticString("\r\n")
        connection.write(bytes)
        connection.flushSoon()
    }

    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus) {
        guard let connection, let request = connection.head else { return }
        hasHead = true
        connection.state.answerBegan()
        connection.closeUnlessRequestIsComplete()
        var bytes = ByteBufferAllocator().buffer(capacity: 512)
        bytes.writeStatusLine(head.status)
        bytes.writeFields(head.headerFields)
        writeFraming(framing, head: head, request: request, into: &bytes)
        // Whatever is in a match's result is the stored response's.
        if connection.cacheAPI == nil { bytes.writeStatus(status) }
        bytes.writeConnection(
            keepsAlive: connection.state.keepsAlive, isHTTP10: request.isHTTP10)
        bytes.writeStaticString("\r\n")
        connection.write(bytes)
        connection.flushSoon()
        // There may have been nothing to pause when the client stopped taking the answer before.
        if !connection.isWritable {
            isPaused = true
            source?.pause()
        }
        connection.log(status: head.status.code, result: status)
    }

    private func writeFraming(
        _ origin: OriginFraming, head: HTTPResponse, request: GatedHead,
        into bytes: inout ByteBuffer
    ) {
        switch origin {
        case .none:
            framing = .none
            // What a GET would have had (RFC 9110 §8.6); 204 has none.
            let lengths = head.headerFields[values: .contentLength]
            if head.status.code != 204, let length = lengths.first {
                bytes.writeField("Content-Length", length)
            }
        case .length(let length):
            framing = .length
            bytes.writeField("Content-Length", String(length))
        case .chunked, .closeDelimited:
            if request.isHTTP10 {
                framing = .untilClose
                connection?.state.keepsAlive = false
            } else {
                framing = .chunked
                bytes.writeStaticString("Transfer-Encoding: chunked\r\n")
            }
        }
    }

    func answer(body part: ByteBuffer) {
        guard let connection, part.readableBytes > 0 else { return }
        switch framing {
        case .none: return
        case .length, .untilClose: connection.write(part)
        case .chunked:
            var prefix = ByteBufferAllocator().buffer(capacity: 20)
            prefix.writeString(String(part.readableBytes, radix: 16))
            prefix.writeStaticString("\r\n")
            if part.readableBytes <= 4096 {
                prefix.writeImmutableBuffer(part)
                prefix.writeStaticString("\r\n")
                connection.write(prefix)
            } else {
                connection.write(prefix)
                connection.write(part)
                connection.write(ByteBuffer(staticString: "\r\n"))
            }
        }
        connection.flushSoon()
    }

    func answer(trailers: HTTPFields) {
        guard connection?.head?.acceptsTrailers == true else { return }
        self.trailers = Trailers.forwarded(trailers)
    }

    func answerEnd() {
        source = nil
        guard let connection else { return }
        if framing == .chunked {
            var end = ByteBuffer(staticString: "0\r\n")
            if let trailers { end.writeFields(trailers) }
            end.writeStaticString("\r\n")
            connection.write(end)
        }
        connection.answerEnded()
    }

    /// An answer of the Cache API in one piece.
    func reply(_ reply: CacheReply) {
        source = nil
        connection?.send(reply)
    }

    func answerFailed(_ failure: AnswerFailure) {
        source = nil
        guard let connection else { return }
        // A body that was cut must not look complete.
        if hasHead { return connection.abort() }
        connection.fail(failure)
    }

    func answerWantsRequestBody() {
        connection?.uploadMayGoOn()
    }
}
