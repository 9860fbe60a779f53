/// Where one connection is between a request and its answer, as a state machine without I/O.
///
/// One exchange at a time: a further request waits until the answer before it is complete.
struct ExchangeState: Equatable {
    enum Request: Equatable {
        /// Between requests.
        case none
        /// Its head has come, its content is coming.
        case receiving
        case complete
    }

    enum Answer: Equatable {
        case none
        /// Nothing of it has been sent.
        case awaited
        case streaming
        case complete
    }

    enum Action: Equatable {
        /// Nothing to do yet.
        case wait
        /// The connection is free for the next request.
        case next
        case close
    }

    private(set) var request = Request.none
    private(set) var answer = Answer.none
    var keepsAlive = true

    var isIdle: Bool { request == .none }

    mutating func requestBegan(keepsAlive: Bool) {
        request = .receiving
        answer = .awaited
        self.keepsAlive = keepsAlive
    }

    mutating func requestEnded() -> Action {
        guard request == .receiving else { return .wait }
        request = .complete
        return answer == .complete ? finish() : .wait
    }

    mutating func answerBegan() {
        if answer == .awaited { answer = .streaming }
    }

    mutating func answerEnded() -> Action {
        answer = .complete
        // The rest of a request that is answered already must not be read as a request.
        if request != .complete { keepsAlive = false }
        return finish()
    }

    private mutating func finish() -> Action {
        request = .none
        answer = .none
        return keepsAlive ? .next : .close
    }
}
