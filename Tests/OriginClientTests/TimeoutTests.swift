import CacheEngine
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

@testable import OriginClient

@Suite("Timeouts")
struct TimeoutTests {
    /// Long where an answer has to come first, also on a busy machine.
    private func harness(
        _ origin: ScriptedOrigin, firstByte: TimeAmount, betweenBytes: TimeAmount = .seconds(60)
    ) throws -> Harness {
        try Harness(origin) {
            $0.firstByteTimeout = firstByte
            $0.betweenBytesTimeout = betweenBytes
            $0.sweepInterval = .milliseconds(5)
        }
    }

    @Test("no first byte")
    func firstByte() async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let harness = try harness(origin, firstByte: .milliseconds(50))
        #expect(try await harness.answer().errors == [.firstByteTimeout])
        await eventually { origin.closedCount == 1 }
        #expect(origin.requests.count == 1)
        await origin.stop()
    }

    @Test(
        "no next byte",
        arguments: ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"])
    func betweenBytes(wire: String) async throws {
        let origin = try await ScriptedOrigin { _ in [.send(wire)] }
        let harness = try harness(
            origin, firstByte: .seconds(60), betweenBytes: .milliseconds(50))
        #expect(try await harness.answer().errors == [.betweenBytesTimeout])
        await eventually { origin.closedCount == 1 }
        await origin.stop()
    }

    /// Half a status line for `/timer`, which takes one timeout; else half a body.
    private func halfOrigin() async throws -> ScriptedOrigin {
        try await ScriptedOrigin { request in
            let half = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"
            return [.send(request.head.contains("/timer") ? "HTTP/1.1 2" : half)]
        }
    }

    @Test("a pause of ours does not count, and time runs again after it")
    func paused() async throws {
        let origin = try await halfOrigin()
        let harness = try harness(
            origin, firstByte: .seconds(60), betweenBytes: .milliseconds(100))
        let exchange = Arc<NIOLoopBound<any OriginExchange>?>(nil)
        let recorder = Recorder { exchange.withLock { $0 }?.value.pauseReading() }
        let running = try await harness.start(.get("/"), recorder) { [loop = harness.loop] in
            let bound = NIOLoopBound($0, eventLoop: loop)
            exchange.withLock { $0 = bound }
        }
        await eventually { recorder.seen.bodyBytes == 5 }
        for _ in 1...3 {
            let timer = try await harness.answer(to: .get("/timer"))
            #expect(timer.errors == [.betweenBytesTimeout])
        }
        #expect(recorder.seen.errors == [])
        try await running.on { $0.resumeReading() }
        #expect(await recorder.over().errors == [.betweenBytesTimeout])
        exchange.withLock { $0 = nil }
        await origin.stop()
    }

    @Test("the client may take its time with a streamed body")
    func slowClient() async throws {
        let origin = try await halfOrigin()
        let harness = try harness(
            origin, firstByte: .seconds(60), betweenBytes: .milliseconds(100))
        let upload = try await harness.start(.make(.post, body: .streamed(length: 2))) {
            _ = $0.write(ByteBuffer(string: "a"))
        }
        for _ in 1...3 {
            let timer = try await harness.answer(to: .get("/timer"))
            #expect(timer.errors == [.betweenBytesTimeout])
        }
        #expect(upload.recorder.seen.errors == [])
        try await upload.on {
            _ = $0.write(ByteBuffer(string: "b"))
            $0.finishBody()
        }
        await eventually { upload.recorder.seen.bodyBytes == 5 }
        await origin.stop()
    }

    @Test("a handshake that never answers is part of the time to connect")
    func handshake() async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let harness = try Harness("https://127.0.0.1:\(origin.port)") {
            $0.connectTimeout = .milliseconds(50)
            $0.sweepInterval = .milliseconds(5)
        }
        #expect(try await harness.answer().errors == [.connectTimeout])
        await eventually { origin.closedCount == 1 }
        await origin.stop()
    }
}
