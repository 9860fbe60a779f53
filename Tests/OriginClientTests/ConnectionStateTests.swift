import CacheEngine
import Testing

@testable import OriginClient

@Suite("Connection state")
struct ConnectionStateTests {
    private func active(
        _ request: ConnectionState.Request = .init(), reused: Bool = false
    ) -> ConnectionState {
        var state = ConnectionState()
        state.opened()
        if reused {
            _ = state.start(.init())
            state.started()
            _ = state.received(bytes: 40)
            _ = state.head(status: 204, framing: .none, keepsAlive: true)
            _ = state.end()
            _ = state.readCompleted()
        }
        _ = state.start(request)
        state.started()
        return state
    }

    @Test("a whole answer goes back to the pool once its read is over")
    func wholeAnswer() {
        var state = active()
        #expect(state.received(bytes: 100) == .pass)
        let head = state.head(status: 200, framing: .length(3), keepsAlive: true)
        #expect(head == .respond(.length(3)))
        #expect(state.readCompleted() == .nothing)
        #expect(state.body(bytes: 3) == .pass)
        #expect(state.end() == .finish)
        #expect(state.start(.init()) == false)
        #expect(state.readCompleted() == .release)
        #expect(state.isReused)
        #expect(state.start(.init()) == true)
    }

    @Test("a byte where none is due closes", arguments: [0, 1, 2])
    func unsolicited(stage: Int) {
        var state = ConnectionState()
        if stage > 0 { state.opened() }
        if stage > 1 {
            state = active()
            _ = state.received(bytes: 1)
            _ = state.head(status: 200, framing: .none, keepsAlive: true)
            #expect(state.end() == .finish)
        }
        #expect(state.received(bytes: 1) == .close)
        #expect(state.phase == .closed)
        #expect(state.start(.init()) == false)
    }

    @Test("bytes that were there before the request count as a dead connection")
    func bytesBeforeRequest() {
        var state = ConnectionState()
        state.opened()
        _ = state.start(.init(isRetryable: true))
        #expect(state.received(bytes: 9) == .fail(.closed))
    }

    @Test(
        "only a silent death of a reused connection is worth a second try",
        arguments: [
            (true, true, false, true), (true, true, true, false), (true, false, false, false),
            (false, true, false, false),
        ])
    func retry(reused: Bool, retryable: Bool, hasAnswered: Bool, isRetried: Bool) {
        var state = active(.init(isRetryable: retryable), reused: reused)
        if hasAnswered { _ = state.received(bytes: 1) }
        #expect(state.broke(.closed) == (isRetried ? .retry : .fail(.closed)))
        #expect(state.broke(.closed) == .nothing)
    }

    @Test("shutting down is no reason to try again")
    func shutdownIsNoRetry() {
        var state = active(.init(isRetryable: true), reused: true)
        #expect(state.broke(.shuttingDown) == .fail(.shuttingDown))
    }

    @Test(
        "informational heads",
        arguments: [
            (100, ConnectionAction.nothing), (102, .pass), (103, .pass), (104, .pass),
            (101, .fail(.malformed("101, or too many informational heads"))), (199, .pass),
        ])
    func informational(status: Int, action: ConnectionAction) {
        var state = active()
        _ = state.received(bytes: 10)
        #expect(state.head(status: status, framing: .none, keepsAlive: true) == action)
    }

    @Test("ten informational heads are enough")
    func tenInformational() {
        var state = active()
        _ = state.received(bytes: 10)
        for _ in 1...10 {
            #expect(state.head(status: 103, framing: .none, keepsAlive: true) == .pass)
        }
        let eleventh = state.head(status: 103, framing: .none, keepsAlive: true)
        #expect(eleventh == .fail(.malformed("101, or too many informational heads")))
    }

    @Test(
        "what ends the answer and the connection",
        arguments: [
            (OriginFraming.length(4), true, ConnectionAction.finish),
            (.length(5), true, .fail(.closed)), (.chunked, true, .finish),
            (.chunked, false, .finishAndClose), (.closeDelimited, true, .finishAndClose),
        ])
    func ends(framing: OriginFraming, keepsAlive: Bool, action: ConnectionAction) {
        var state = active()
        _ = state.received(bytes: 100)
        _ = state.head(status: 200, framing: framing, keepsAlive: keepsAlive)
        _ = state.body(bytes: 4)
        #expect(state.end() == action)
    }

    @Test("the end of the connection ends an answer only where all of the request went out")
    func closeDelimitedWithUnsent() {
        var state = active()
        _ = state.received(bytes: 100)
        _ = state.head(status: 200, framing: .closeDelimited, keepsAlive: true)
        state.setUnsentBytes(true)
        #expect(state.end() == .fail(.closed))
    }

    @Test("an answer that overtakes its request ends the connection")
    func earlyAnswer() {
        var state = active(.init(isStreamed: true, remaining: 10))
        #expect(state.requestPart(bytes: 4) == .pass)
        _ = state.received(bytes: 100)
        _ = state.head(status: 413, framing: .length(0), keepsAlive: true)
        #expect(state.end() == .finishAndClose)
        #expect(state.requestPart(bytes: 6) == .nothing)
        #expect(state.requestFinished() == .nothing)
    }

    @Test("a body keeps to the length that was promised")
    func requestLength() {
        var long = active(.init(isStreamed: true, remaining: 3))
        #expect(long.requestPart(bytes: 3) == .pass)
        #expect(long.requestPart(bytes: 1) == .fail(.malformed("request longer than its length")))
        var short = active(.init(isStreamed: true, remaining: 3))
        _ = short.requestPart(bytes: 2)
        #expect(short.requestFinished() == .fail(.malformed("request shorter than its length")))
    }

    @Test("framing without content is bounded, before the head and behind it")
    func overhead() {
        var state = active()
        for _ in 0..<3 { #expect(state.received(bytes: 65_536) == .pass) }
        #expect(state.received(bytes: 1) == .fail(.malformed("more framing than content")))

        var chunked = active()
        _ = chunked.received(bytes: 100)
        _ = chunked.head(status: 200, framing: .chunked, keepsAlive: true)
        var reads = 0
        while chunked.received(bytes: 65_536) == .pass, reads < 1_000 { reads += 1 }
        #expect(reads < 50)
    }

    @Test("timeouts by phase")
    func timeouts() {
        let limits = ConnectionState.Limits(opening: 1, firstByte: 2, betweenBytes: 3, idle: 4)
        func ticks(_ state: ConnectionState) -> (Int, ConnectionAction) {
            var state = state
            for count in 1...10 {
                let action = state.tick(limits)
                if action != .nothing { return (count, action) }
            }
            return (0, .nothing)
        }
        var idle = ConnectionState()
        idle.opened()
        #expect(ticks(idle) == (5, .close))

        var state = active()
        #expect(ticks(state) == (3, .fail(.firstByteTimeout)))
        _ = state.received(bytes: 10)
        #expect(ticks(state) == (4, .fail(.betweenBytesTimeout)))
        _ = state.head(status: 103, framing: .none, keepsAlive: true)
        #expect(ticks(state) == (3, .fail(.firstByteTimeout)))
        _ = state.head(status: 200, framing: .chunked, keepsAlive: true)
        #expect(ticks(state) == (4, .fail(.betweenBytesTimeout)))
        state.isPaused = true
        #expect(ticks(state) == (0, .nothing))

        var upload = active(.init(isStreamed: true))
        #expect(ticks(upload) == (0, .nothing))
        upload.becameWritable(false)
        #expect(ticks(upload) == (4, .fail(.betweenBytesTimeout)))
    }
}
