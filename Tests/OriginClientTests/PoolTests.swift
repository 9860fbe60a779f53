import CacheEngine
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

@testable import OriginClient

private let hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

@Suite("Pool")
struct PoolTests {
    @Test("one connection serves requests one after the other")
    func reuse() async throws {
        let origin = try await ScriptedOrigin { _ in [.send(hello)] }
        let harness = try Harness(origin)
        for count in 1...20 {
            let seen = try await harness.answer(to: .get("/\(count)"))
            #expect(seen.ends == 1)
        }
        #expect(origin.connectionCount == 1)
        #expect(origin.requests.map(\.index) == Array(0..<20))
        #expect(
            origin.requests.last?.head.hasPrefix("GET /20 HTTP/1.1\r\nHost: 127.0.0.1:") == true)
        await origin.stop()
    }

    @Test("no two requests share a connection, and the most recently used goes first")
    func lastUsedFirst() async throws {
        let origin = try await ScriptedOrigin { request in
            request.head.contains("/slow") ? [] : [.send(hello)]
        }
        let harness = try Harness(origin)
        let slow = try await harness.start(.get("/slow"))
        await eventually { origin.requests.count == 1 }
        #expect(try await harness.answer(to: .get("/fast")).ends == 1)
        #expect(origin.connectionCount == 2)
        try await origin.perform([.send(hello)], on: 0)
        await slow.recorder.over()
        for _ in 1...3 { #expect(try await harness.answer().ends == 1) }
        #expect(origin.requests.suffix(3).map(\.connection) == [0, 0, 0])
        await origin.stop()
    }

    @Test(
        "an unused connection that gets a byte or ends is never used again", arguments: [0, 1, 2])
    func idleByte(kind: Int) async throws {
        let origin = try await ScriptedOrigin { _ in [.send(hello)] }
        let harness = try Harness(origin)
        #expect(try await harness.answer().ends == 1)
        let step: OriginStep = [
            .send("\r"), .send(hello.replacing("hello", with: "evil!")), .close,
        ][kind]
        try await origin.perform([step], on: 0)
        await eventually { origin.closedCount == 1 }
        // The client may not have seen the end yet: that is what the second try is for.
        let seen = try await harness.answer(to: .get("/", isRetryable: kind == 2))
        #expect(String(decoding: seen.body, as: UTF8.self) == "hello")
        #expect(origin.connectionCount == 2)
        await origin.stop()
    }

    /// The first connection answers once and dies with the second request.
    private func dyingOrigin(reset: Bool) async throws -> ScriptedOrigin {
        try await ScriptedOrigin { request in
            request.connection == 0 && request.index > 0
                ? [reset ? .reset : .close] : [.send(hello)]
        }
    }

    @Test(
        "a retryable request survives the death of a reused connection", arguments: [false, true])
    func retry(reset: Bool) async throws {
        let origin = try await dyingOrigin(reset: reset)
        let harness = try Harness(origin)
        #expect(try await harness.answer().ends == 1)
        let body = OriginRequest.Body.buffered(ByteBuffer(string: "question"))
        let seen = try await harness.answer(to: .make(.post, body: body, isRetryable: true))
        #expect(seen.ends == 1)
        #expect(seen.errors == [])
        #expect(origin.requests.map(\.connection) == [0, 0, 1])
        #expect(origin.requests.last?.body == Array("question".utf8))
        await origin.stop()
    }

    @Test("others do not", arguments: [false, true])
    func noRetry(reset: Bool) async throws {
        let origin = try await dyingOrigin(reset: reset)
        let harness = try Harness(origin)
        #expect(try await harness.answer().ends == 1)
        let seen = try await harness.answer(to: .get("/", isRetryable: false))
        #expect(seen.errors == [.closed])
        #expect(origin.connectionCount == 1)
        await origin.stop()
    }

    @Test("a request is sent twice at most, and a fresh connection's death is final")
    func oneRetry() async throws {
        let origin = try await ScriptedOrigin { request in
            request.connection == 0 && request.index == 0 ? [.send(hello)] : [.close]
        }
        let harness = try Harness(origin)
        #expect(try await harness.answer().ends == 1)
        #expect(try await harness.answer().errors == [.closed])
        #expect(origin.requests.count == 3)
        await origin.stop()
    }

    @Test("past the greatest number of connections requests wait, and past that they fail")
    func waiting() async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let harness = try Harness(origin) {
            $0.maxConnectionsPerLoop = 1
            $0.maxWaitingPerLoop = 1
        }
        let first = try await harness.start(.get("/1"))
        let second = try await harness.start(.get("/2"))
        let third = try await harness.start(.get("/3"))
        guard case .connectFailed(.limit, _)? = await third.recorder.over().errors.first else {
            Issue.record("\(third.recorder.seen.errors)")
            return
        }
        #expect(third.recorder.seen.early == 0)
        await eventually { origin.requests.count == 1 }
        try await origin.perform([.send(hello)], on: 0)
        #expect(await first.recorder.over().ends == 1)
        await eventually { origin.requests.count == 2 }
        try await origin.perform([.send(hello)], on: 0)
        #expect(await second.recorder.over().ends == 1)
        #expect(origin.connectionCount == 1)
        await origin.stop()
    }

    @Test("a waiting request gets the slot of a connection that died, and gives up in time")
    func waitingSlot() async throws {
        let origin = try await ScriptedOrigin { request in
            request.connection == 0 ? [] : [.send(hello)]
        }
        let harness = try Harness(origin) { $0.maxConnectionsPerLoop = 1 }
        let first = try await harness.start(.get("/1"))
        let second = try await harness.start(.get("/2"))
        await eventually { origin.requests.count == 1 }
        try await first.on { $0.cancel() }
        #expect(await second.recorder.over().ends == 1)
        #expect(origin.connectionCount == 2)

        let silent = try await ScriptedOrigin { _ in [] }
        let stuck = try Harness(silent) {
            $0.maxConnectionsPerLoop = 1
            $0.connectTimeout = .seconds(2)
            $0.sweepInterval = .milliseconds(5)
        }
        let holder = try await stuck.start(.get("/1"))
        await eventually { silent.requests.count == 1 }
        #expect(try await stuck.answer(to: .get("/2")).errors == [.connectTimeout])
        #expect(holder.recorder.seen.errors == [])
        await silent.stop()
        await origin.stop()
    }

    @Test("unused connections are few and not kept for long")
    func idleLimits() async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let harness = try Harness(origin) {
            $0.maxIdlePerLoop = 2
            $0.idleTimeout = .milliseconds(200)
            $0.sweepInterval = .milliseconds(10)
        }
        var running: [Running] = []
        for count in 1...4 {
            running.append(try await harness.start(.get("/\(count)")))
            await eventually { origin.requests.count == count }
        }
        for count in 0..<4 {
            try await origin.perform([.send(hello)], on: count)
            #expect(await running[count].recorder.over().ends == 1)
        }
        await eventually { origin.closedCount == 4 }
        #expect(try await harness.start(.get("/5")).recorder.seen.early == 0)
        await eventually { origin.connectionCount == 5 }
        await origin.stop()
    }

    @Test("nobody listens: refused, and not before start has returned")
    func refused() async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let harness = try Harness(origin)
        await origin.stop()
        let seen = try await harness.answer()
        guard case .connectFailed(.refused, _)? = seen.errors.first else {
            Issue.record("\(seen.errors)")
            return
        }
        #expect(seen.early == 0)
        #expect(seen.errors.count == 1)
    }

    /// RFC 6761 §6.4: the name has no address, here or anywhere.
    @Test("a name without an address")
    func noAddress() async throws {
        let seen = try await Harness("http://larder.invalid:1").answer()
        guard case .connectFailed(.name, _)? = seen.errors.first else {
            Issue.record("\(seen.errors)")
            return
        }
    }

    @Test("a request that cannot be written fails, and not before start has returned")
    func unwritable() async throws {
        let harness = try Harness("http://127.0.0.1:1")
        let seen = try await harness.answer(to: .get("/a b"))
        #expect(seen.errors == [.malformed("target")])
        #expect(seen.early == 0)
    }

    @Test("an event loop of another group")
    func foreignLoop() async throws {
        let harness = try Harness("http://127.0.0.1:1")
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let recorder = Recorder()
        try await loop.submit { [client = harness.client] in
            _ = client.start(.get("/"), on: loop, receiver: recorder)
            recorder.started()
        }.get()
        #expect(await recorder.over().errors.count == 1)
    }

    @Test("cancel: the connection is closed and the receiver hears nothing more")
    func cancel() async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")]
        }
        let harness = try Harness(origin)
        let running = try await harness.start(.get("/"))
        await eventually { running.recorder.seen.bodyBytes == 5 }
        try await running.on { exchange in
            exchange.cancel()
            exchange.cancel()
            exchange.resumeReading()
            _ = exchange.write(ByteBuffer(string: "x"))
        }
        await eventually { origin.closedCount == 1 }
        #expect(running.recorder.seen.ends == 0)
        #expect(running.recorder.seen.errors == [])

        // Before there is a connection.
        let early = Recorder()
        try await harness.loop.submit { [client = harness.client, loop = harness.loop] in
            client.start(.get("/"), on: loop, receiver: early).cancel()
        }.get()
        await eventually { origin.connectionCount == 2 }
        #expect(origin.requests.count == 1)
        #expect(early.seen.errors == [])
        await origin.stop()
    }

    @Test("cancel from inside a call: what the same read brought is not handed on")
    func cancelInside() async throws {
        let origin = try await ScriptedOrigin { _ in [.send(hello)] }
        let harness = try Harness(origin)
        let exchange = Arc<NIOLoopBound<any OriginExchange>?>(nil)
        let recorder = Recorder { exchange.withLock { $0 }?.value.cancel() }
        try await harness.loop.submit { [client = harness.client, loop = harness.loop] in
            let started = client.start(.get("/"), on: loop, receiver: recorder)
            recorder.started()
            let bound = NIOLoopBound(started, eventLoop: loop)
            exchange.withLock { $0 = bound }
        }.get()
        await eventually { origin.closedCount == 1 }
        #expect(recorder.seen.head != nil)
        #expect(recorder.seen.body == [])
        #expect(recorder.seen.ends + recorder.seen.errors.count == 0)
        await origin.stop()
    }

    @Test("receivers and exchanges are let go", arguments: [true, false])
    func noLeak(isCancelled: Bool) async throws {
        let origin = try await ScriptedOrigin { _ in isCancelled ? [] : [.send(hello)] }
        let harness = try Harness(origin)
        weak var weakRecorder: Recorder?
        do {
            let running = try await harness.start(.get("/"))
            weakRecorder = running.recorder
            if isCancelled {
                await eventually { origin.requests.count == 1 }
                try await running.on { $0.cancel() }
            } else {
                await running.recorder.over()
            }
        }
        await eventually { weakRecorder == nil }
        await origin.stop()
    }

    @Test("shutdown ends unused connections at once and running requests after the grace")
    func shutdown() async throws {
        let origin = try await ScriptedOrigin { request in
            request.head.contains("/never") ? [] : [.send(hello)]
        }
        let harness = try Harness(origin)
        let running = try await harness.start(.get("/never"))
        await eventually { origin.requests.count == 1 }
        #expect(try await harness.answer().ends == 1)
        let graceful = harness.client.shutdown(gracePeriod: .hours(1))
        await eventually { origin.closedCount == 1 }
        #expect(running.recorder.seen.errors == [])
        #expect(try await harness.answer().errors == [.shuttingDown])
        let hard = harness.client.shutdown()
        #expect(await running.recorder.over().errors == [.shuttingDown])
        try await hard.get()
        try await graceful.get()
        await eventually { origin.closedCount == 2 }
        await origin.stop()
    }
}
