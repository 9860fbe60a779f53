import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization

/// Notices when an object of the engine is gone; only touched on its loop.
final class Watched {
    weak var source: (any AnswerSource)?
}

/// What a client was told.
enum Heard: Equatable, Sendable {
    case stored(String, CacheStatus)
    case informational(Int)
    case head(Int, CacheStatus)
    case body(String)
    case end
    case failed(AnswerFailure)
    case wantsBody
}

/// A client of the engine: writes down what it hears, and whether it hears what it must not.
final class Client: AnswerReceiver, Sendable {
    struct State {
        var heard: [Heard] = []
        var fields: HTTPFields = [:]
        var stored: StoredResponse?
        /// What is stored does not do for it.
        var forwards: ForwardReason?
        var isStarting = false
        var hasLeft = false
        /// Calls after it left, after the end, or from within the call that started the answer.
        var offences: [String] = []
        var isOver = false
        /// Leaves from within the next call.
        var leavesNext = false
    }

    let state = Mutex(State())
    let loop: any EventLoop
    let source: NIOLoopBoundBox<(any AnswerSource)?>
    let watched: NIOLoopBoundBox<Watched>

    init(loop: any EventLoop) {
        self.loop = loop
        watched = NIOLoopBoundBox.makeBoxSendingValue(Watched(), eventLoop: loop)
        source = NIOLoopBoundBox.makeEmptyBox(valueType: (any AnswerSource).self, eventLoop: loop)
    }

    var heard: [Heard] { state.withLock { $0.heard } }
    var offences: [String] { state.withLock { $0.offences } }
    var fields: HTTPFields { state.withLock { $0.fields } }
    var isOver: Bool { state.withLock { $0.isOver } }

    /// The status of the one head or stored answer.
    var status: CacheStatus? {
        for case .stored(_, let status) in heard { return status }
        for case .head(_, let status) in heard { return status }
        return nil
    }

    /// The body as far as it came.
    var text: String {
        heard.reduce("") { text, heard in
            switch heard {
            case .stored(let body, _), .body(let body): text + body
            default: text
            }
        }
    }

    private func hear(_ heard: Heard, isLast: Bool = false) {
        let leaves = state.withLock { state in
            if state.isStarting { state.offences.append("re-entrant: \(heard)") }
            if state.hasLeft { state.offences.append("after leaving: \(heard)") }
            if state.isOver { state.offences.append("after the end: \(heard)") }
            state.heard.append(heard)
            if isLast { state.isOver = true }
            defer { state.leavesNext = false }
            if state.leavesNext { state.hasLeft = true }
            return state.leavesNext
        }
        if leaves { source.value?.leave() }
        if leaves || isLast { source.value = nil }
    }

    func answer(stored: StoredResponse, status: CacheStatus) {
        state.withLock {
            $0.stored = stored
            $0.fields = stored.entry.fields
        }
        hear(.stored(stored.entry.text, status), isLast: true)
    }

    func use(of stored: StoredResponse) -> StoredUse {
        if let reason = state.withLock({ $0.forwards }) { return .forward(reason) }
        return .content([.stored(0..<stored.entry.body.length)])
    }

    func answer(headOf stored: StoredResponse, status: CacheStatus) {
        state.withLock {
            $0.stored = stored
            $0.fields = stored.entry.fields
        }
        hear(.head(stored.entry.status.code, status))
    }

    func answer(informational head: HTTPResponse) { hear(.informational(head.status.code)) }

    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus) {
        state.withLock { $0.fields = head.headerFields }
        hear(.head(head.status.code, status))
    }

    func answer(body: ByteBuffer) { hear(.body(String(buffer: body))) }

    func answerEnd() { hear(.end, isLast: true) }

    func answerFailed(_ failure: AnswerFailure) { hear(.failed(failure), isLast: true) }

    func answerWantsRequestBody() { hear(.wantsBody) }
}
