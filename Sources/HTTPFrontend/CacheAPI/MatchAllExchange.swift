import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// All stored responses that a query finds, one after the other, as parts of one multipart/mixed
/// content: each an HTTP response of its own (RFC 9112 §10.1), its URL in Content-Location.
///
/// Confined to its connection's loop.
final class MatchAllExchange: AnswerSource {
    private let responder: CacheAPIResponder
    private var rows: ArraySlice<CacheRow>
    private var walk: Engine.Walk
    private var isLastPage = false
    private let boundary: String
    private var answer: Answer?
    private var reader: (any AnswerSource)?
    private var isPaused = false
    private var isWaiting = false

    /// - Parameter rows: the first page of the walk.
    init(
        _ responder: CacheAPIResponder, _ rows: [CacheRow], _ walk: Engine.Walk, answer: Answer
    ) {
        self.responder = responder
        self.rows = rows[...]
        self.walk = walk
        self.answer = answer
        boundary =
            "larder-" + String(UInt64.random(in: 0 ... .max), radix: 36)
            + String(UInt64.random(in: 0 ... .max), radix: 36)
        var head = HTTPResponse(status: .ok)
        head.headerFields[.contentType] = "multipart/mixed; boundary=\(boundary)"
        head.headerFields[.cacheControl] = "no-store"
        answer.answer(head: head, framing: .chunked, status: CacheStatus(result: .hit))
        isPaused = answer.isPaused
        goOn()
    }

    /// One response at a time: the next is looked for when the one before is with the client.
    private func goOn() {
        guard let answer, !isPaused, !isWaiting, reader == nil else { return }
        guard let row = rows.popFirst() else {
            if !isLastPage { return turnPage() }
            answer.answer(body: ByteBuffer(string: "--\(boundary)--\r\n"))
            self.answer = nil
            return answer.answerEnd()
        }
        isWaiting = true
        let (engine, loop, cacheName) = (responder.engine, responder.loop, walk.cacheName)
        let bound = NIOLoopBound(self, eventLoop: loop)
        Task {
            do {
                let stored = try await engine.response(of: row, in: cacheName)
                loop.execute { bound.value.found(stored, row) }
            } catch {
                // The answer must not look whole without it.
                loop.execute { bound.value.partFailed(hasBegun: true) }
            }
        }
    }

    private func turnPage() {
        isWaiting = true
        let (engine, loop, walk) = (responder.engine, responder.loop, walk)
        let bound = NIOLoopBound(self, eventLoop: loop)
        Task {
            var walk = walk
            do {
                let page = try await engine.turn(&walk)
                loop.execute { [walk] in bound.value.turned(page, walk) }
            } catch {
                // What follows cannot be read: the answer must not look whole.
                loop.execute { bound.value.partFailed(hasBegun: true) }
            }
        }
    }

    private func turned(_ page: [CacheRow]?, _ walk: Engine.Walk) {
        isWaiting = false
        self.walk = walk
        rows = (page ?? [])[...]
        isLastPage = page == nil
        goOn()
    }

    private func found(_ stored: StoredResponse?, _ row: CacheRow) {
        isWaiting = false
        guard let answer else { return }
        // Deleted since.
        guard let stored else { return goOn() }
        let entry = stored.entry
        if let chunks = entry.body.unreadChunks {
            // Its head goes out when the first of its rows is verified.
            let part = Part(self, head: head(of: stored, row))
            let reader = responder.engine.read(
                stored, chunks: chunks, segments: [.stored(0..<chunks.length)],
                on: responder.loop, receiver: part)
            self.reader = reader
            if isPaused { reader.pause() }
            return
        }
        answer.answer(body: head(of: stored, row))
        if let bytes = entry.body.bytes { answer.answer(body: bytes) }
        endPart()
    }

    private func head(of stored: StoredResponse, _ row: CacheRow) -> ByteBuffer {
        // A key of a program's own may be any text.
        let name =
            row.url.isOwnKey
            ? "Larder-Key: \(JSONValue.string(row.url.text).serialized)"
            : "Content-Location: \(row.url.text)"
        var head = ByteBuffer(
            string: "--\(boundary)\r\nContent-Type: application/http; msgtype=response\r\n"
                + "\(name)\r\n\r\n")
        head.writeImmutableBuffer(stored.rendering)
        head.writeString("Age: \(stored.terms.age(at: responder.engine.now))\r\n\r\n")
        return head
    }

    fileprivate func send(_ bytes: ByteBuffer) { answer?.answer(body: bytes) }

    fileprivate func endPart() {
        reader = nil
        send(ByteBuffer(string: "\r\n"))
        let bound = NIOLoopBound(self, eventLoop: responder.loop)
        // Not deeper and deeper for many small ones.
        responder.loop.execute { bound.value.goOn() }
    }

    /// - Parameter hasBegun: a part was cut, which must not look whole.
    fileprivate func partFailed(hasBegun: Bool) {
        reader = nil
        guard hasBegun else { return goOn() }
        let answer = answer
        self.answer = nil
        answer?.answerFailed(.unreadable)
    }

    func pause() {
        isPaused = true
        reader?.pause()
    }

    func resume() {
        isPaused = false
        if let reader { reader.resume() } else { goOn() }
    }

    func leave() {
        answer = nil
        reader?.leave()
        reader = nil
    }
}

/// Receives one stored response as a part of many.
private final class Part: AnswerReceiver {
    private let exchange: MatchAllExchange
    private let head: ByteBuffer
    private var hasBegun = false

    init(_ exchange: MatchAllExchange, head: ByteBuffer) {
        self.exchange = exchange
        self.head = head
    }

    func use(of stored: StoredResponse) -> StoredUse {
        .content([.stored(0..<stored.entry.body.length)])
    }

    func answer(headOf stored: StoredResponse, status: CacheStatus) {
        hasBegun = true
        exchange.send(head)
    }

    func answer(body: ByteBuffer) { exchange.send(body) }

    func answerEnd() { exchange.endPart() }

    func answerFailed(_ failure: AnswerFailure) { exchange.partFailed(hasBegun: hasBegun) }

    // A stored response comes in no other way.
    func answer(stored: StoredResponse, status: CacheStatus) {}
    func answer(informational head: HTTPResponse) {}
    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus) {}
    func answerWantsRequestBody() {}
}
