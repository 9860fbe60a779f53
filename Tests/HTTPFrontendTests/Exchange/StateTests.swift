import Testing

@testable import HTTPFrontend

@Suite("Exchange state")
struct ExchangeStateTests {
    @Test func requestThenAnswer() {
        var state = ExchangeState()
        #expect(state.isIdle)
        state.requestBegan(keepsAlive: true)
        #expect(!state.isIdle && state.answer == .awaited)
        #expect(state.requestEnded() == .wait)
        state.answerBegan()
        #expect(state.answer == .streaming)
        #expect(state.answerEnded() == .next)
        #expect(state.isIdle && state.keepsAlive && state.answer == .none)
    }

    @Test func answerBeforeTheEndOfItsRequestIsTheLast() {
        var state = ExchangeState()
        state.requestBegan(keepsAlive: true)
        state.answerBegan()
        #expect(state.answerEnded() == .close)
    }

    @Test func clientWhoWantsToCloseIsClosed() {
        var state = ExchangeState()
        state.requestBegan(keepsAlive: false)
        #expect(state.requestEnded() == .wait)
        #expect(state.answerEnded() == .close)
    }

    @Test func keepAliveIsPerRequest() {
        var state = ExchangeState()
        state.requestBegan(keepsAlive: true)
        _ = state.requestEnded()
        #expect(state.answerEnded() == .next)
        state.requestBegan(keepsAlive: false)
        _ = state.requestEnded()
        #expect(state.answerEnded() == .close)
    }

    @Test func endWithoutARequestIsNothing() {
        var state = ExchangeState()
        #expect(state.requestEnded() == .wait)
        #expect(state == ExchangeState())
    }
}

@Suite("Deadline")
struct DeadlineTests {
    @Test func expiresOnceAfterItsTime() {
        var deadline = Deadline()
        #expect(deadline.expired(at: .max) == nil)
        deadline.set(.head, at: 10)
        #expect(deadline.expired(at: 10) == nil)
        #expect(deadline.expired(at: 11) == .head)
        #expect(deadline.expired(at: 12) == nil && deadline.kind == nil)
    }

    @Test func extendsOnlyItsOwnKind() {
        var deadline = Deadline()
        deadline.set(.body, at: 10)
        deadline.extend(.write, to: 20)
        #expect(deadline.expired(at: 11) == .body)
        deadline.set(.body, at: 10)
        deadline.extend(.body, to: 20)
        #expect(deadline.expired(at: 20) == nil)
        #expect(deadline.expired(at: 21) == .body)
        deadline.extend(.body, to: 30)
        #expect(deadline.expired(at: 31) == nil)
    }

    @Test func clearedNeverExpires() {
        var deadline = Deadline()
        deadline.set(.drain, at: 1)
        deadline.clear()
        #expect(deadline.expired(at: .max) == nil && deadline == Deadline())
    }
}
