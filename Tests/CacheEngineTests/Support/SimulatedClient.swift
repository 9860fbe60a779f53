import CacheTestKit
import HTTPCaching
import HTTPTypes
import NIOCore

@testable import CacheEngine

/// A client of random speed that may leave; confined to its loop.
final class SimulatedClient: AnswerReceiver {
    /// How it ended.
    struct Outcome: Sendable {
        var text = ""
        var isComplete = false
        var hasLeft = false
        var failure: AnswerFailure?
        var status: CacheStatus?
        var faults: [String] = []
    }

    let whole: EventLoopPromise<Outcome>
    private let loop: any EventLoop
    private var random: SeededGenerator
    private var outcome = Outcome()
    private var source: (any AnswerSource)?
    private var isStarting = true
    private var isOver = false
    /// It leaves after so many calls, if it does.
    private var callsToLeaving: Int?
    private let isSlow: Bool

    init(loop: any EventLoop, seed: UInt64) {
        self.loop = loop
        whole = loop.makePromise()
        random = SeededGenerator(seed: seed)
        isSlow = Int.random(in: 0..<3, using: &random) == 0
        if Int.random(in: 0..<12, using: &random) == 0 {
            callsToLeaving = Int.random(in: 0...4, using: &random)
        }
    }

    /// Begins an answer with this source; the client must not be called before.
    func begin(_ start: () -> (any AnswerSource)?) {
        let source = start()
        isStarting = false
        guard let source, !isOver else { return }
        self.source = source
        if callsToLeaving == 0 { return leave() }
        if isSlow, Bool.random(using: &random) { rest() }
    }

    private func called(_ what: String) {
        if isStarting, what != "stored" { outcome.faults.append("\(what) from within the start") }
        if isOver { outcome.faults.append("\(what) after the end") }
    }

    private func goOn() {
        guard !isOver else { return }
        if let left = callsToLeaving {
            callsToLeaving = left - 1
            if left <= 1 { return leave() }
        }
        if isSlow, Int.random(in: 0..<3, using: &random) == 0 { rest() }
    }

    private func rest() {
        source?.pause()
        let bound = NIOLoopBound(self, eventLoop: loop)
        let pause = Int64.random(in: 0...3_000, using: &random)
        loop.scheduleTask(in: .microseconds(pause)) { bound.value.source?.resume() }
    }

    private func leave() {
        outcome.hasLeft = true
        source?.leave()
        end()
    }

    private func end() {
        isOver = true
        source = nil
        whole.succeed(outcome)
    }

    func answer(stored: StoredResponse, status: CacheStatus) {
        called("stored")
        outcome.status = status
        outcome.text = stored.entry.text
        outcome.isComplete = true
        end()
    }

    func use(of stored: StoredResponse) -> StoredUse {
        .content([.stored(0..<stored.entry.body.length)])
    }

    func answer(headOf stored: StoredResponse, status: CacheStatus) {
        called("head of a stored response")
        outcome.status = status
        goOn()
    }

    func answer(informational head: HTTPResponse) { called("informational") }

    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus) {
        called("head")
        if outcome.status != nil { outcome.faults.append("a second head") }
        outcome.status = status
        goOn()
    }

    func answer(body: ByteBuffer) {
        called("body")
        if outcome.status == nil { outcome.faults.append("a body before the head") }
        outcome.text += String(buffer: body)
        goOn()
    }

    func answerEnd() {
        called("end")
        outcome.isComplete = true
        end()
    }

    func answerFailed(_ failure: AnswerFailure) {
        called("failure")
        outcome.failure = failure
        end()
    }

    func answerWantsRequestBody() {}
}
