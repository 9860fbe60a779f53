import CacheEngine
import HTTPCaching
import NIOCore

/// A match whose response is not at hand: it, or its content, is read from the file.
///
/// Confined to its connection's loop.
final class MatchExchange: AnswerSource {
    private let engine: Engine
    private let loop: any EventLoop
    private weak var answer: Answer?
    /// Sends the content once the response is found.
    private var reader: (any AnswerSource)?
    private var isPaused = false

    private init(_ responder: CacheAPIResponder, answer: Answer) {
        engine = responder.engine
        loop = responder.loop
        self.answer = answer
    }

    /// Looks for what is stored under an identity, in whatever variant.
    convenience init(
        _ responder: CacheAPIResponder, _ identity: EntryIdentity, answer: Answer
    ) {
        self.init(responder, answer: answer)
        let bound = NIOLoopBound(self, eventLoop: loop)
        engine.findCached(identity, choice: .any, fields: NoFields(), on: loop) { finding in
            bound.value.found(finding)
        }
    }

    /// Answers with what was found.
    convenience init(_ responder: CacheAPIResponder, _ stored: StoredResponse, answer: Answer) {
        self.init(responder, answer: answer)
        let bound = NIOLoopBound((self, stored), eventLoop: loop)
        loop.execute { bound.value.0.deliver(bound.value.1) }
    }

    private func found(_ finding: Engine.CacheFinding) {
        switch finding {
        case .fresh(let stored): deliver(stored)
        case .nothing(let reason): answer?.reply(.miss(reason))
        case .unreadable: answer?.reply(.miss(.miss, detail: "unreadable"))
        }
    }

    private func deliver(_ stored: StoredResponse) {
        guard let answer else { return }
        var segments: [BodySegment] = []
        if case .content(let pieces) = answer.use(of: stored) { segments = pieces }
        guard let chunks = stored.entry.body.unreadChunks, !segments.isEmpty else {
            return answer.answer(stored: stored, status: CacheStatus(result: .hit))
        }
        let reader = engine.read(
            stored, chunks: chunks, segments: segments, on: loop, receiver: answer)
        self.reader = reader
        if isPaused { reader.pause() }
    }

    func pause() {
        isPaused = true
        reader?.pause()
    }

    func resume() {
        isPaused = false
        reader?.resume()
    }

    func leave() {
        answer = nil
        reader?.leave()
    }
}
