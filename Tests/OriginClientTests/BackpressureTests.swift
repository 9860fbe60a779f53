import CacheEngine
import HTTPTypes
import NIOCore
import Testing

@testable import OriginClient

@Suite("Backpressure")
struct BackpressureTests {
    @Test("a pause stops reading; the rest comes after it", arguments: [true, false])
    func pause(isPausedFirst: Bool) async throws {
        let size = 128 << 20
        let origin = try await ScriptedOrigin { request in
            guard request.head.contains("/big") else {
                return [.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]
            }
            let body = ByteBuffer(repeating: 7, count: size)
            return [.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n"), .bytes(body)]
        }
        let harness = try Harness(origin)
        let recorder = Recorder(keepsBody: false)
        let running = try await harness.start(.get("/big"), recorder) {
            if isPausedFirst {
                $0.pauseReading()
            } else {
                Self.pauseInTheBody($0, recorder, harness.loop)
            }
        }
        if !isPausedFirst {
            await eventually { recorder.seen.bodyBytes > 0 }
        }
        let before = try await running.on { _ in recorder.seen.bodyBytes }
        try #require(before < size)
        // The same loop turns many times meanwhile.
        for _ in 1...100 { #expect(try await harness.answer().ends == 1) }
        #expect(recorder.seen.bodyBytes <= before + (1 << 20))
        #expect(recorder.seen.ends == 0)
        try await running.on { $0.resumeReading() }
        #expect(await recorder.over().bodyBytes == size)
        #expect(recorder.seen.ends == 1)
        // Reading goes on for the next request.
        #expect(try await harness.answer().ends == 1)
        await origin.stop()
    }

    /// Pauses as soon as some of the body is there, however busy the test's own thread is.
    private static func pauseInTheBody(
        _ exchange: any OriginExchange, _ recorder: Recorder, _ loop: any EventLoop
    ) {
        guard recorder.seen.bodyBytes == 0 else { return exchange.pauseReading() }
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        loop.scheduleTask(in: .microseconds(100)) {
            pauseInTheBody(bound.value, recorder, loop)
        }
    }

    @Test("a paused exchange still can be cancelled")
    func cancelPaused() async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")]
        }
        let running = try await Harness(origin).start(.get("/"))
        try await running.on { $0.pauseReading() }
        await eventually { origin.requests.count == 1 }
        try await running.on { $0.cancel() }
        await eventually { origin.closedCount == 1 }
        #expect(running.recorder.seen.errors == [])
        await origin.stop()
    }

    @Test("a streamed body waits for an origin that does not read")
    func upload() async throws {
        let part = ByteBuffer(repeating: 7, count: 65_536)
        let parts = 1_024
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in [] }
        let harness = try Harness(origin)
        let length = Int64(parts * part.readableBytes)
        let first = Arc(true)
        let running = try await harness.start(.make(.post, body: .streamed(length: length))) {
            let isWritable = $0.write(part)
            first.withLock { $0 = isWritable }
        }
        let recorder = running.recorder
        // Too early: kept, and asked to wait.
        #expect(first.withLock { $0 } == false)
        await eventually { recorder.seen.writable == 1 }
        await eventually { origin.requests.count == 1 }

        var sent = 1
        while sent < parts, try await running.on({ $0.write(part) }) { sent += 1 }
        sent += 1
        #expect(sent < parts / 2)
        #expect(recorder.seen.writable == 1)
        try await origin.startReading(on: 0)
        await eventually { recorder.seen.writable == 2 }
        while sent < parts {
            let (writable, before) = try await running.on { exchange in
                let before = recorder.seen.writable
                return (exchange.write(part), before)
            }
            sent += 1
            if !writable { await eventually { recorder.seen.writable == before + 1 } }
        }
        try await running.on { $0.finishBody() }
        await eventually { origin.bodyBytes == parts * part.readableBytes }
        try await origin.perform([.send("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n")], on: 0)
        #expect(await recorder.over().head?.status.code == 201)
        await origin.stop()
    }

    @Test("a body of unknown length goes out in chunks")
    func chunkedUpload() async throws {
        let origin = try await ScriptedOrigin { _ in
            [.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]
        }
        let harness = try Harness(origin)
        for count in 1...2 {
            let running = try await harness.start(.make(.post, body: .streamed(length: nil)))
            try await running.on {
                _ = $0.write(ByteBuffer(string: "hello "))
                _ = $0.write(ByteBuffer())
                _ = $0.write(ByteBuffer(string: "world"))
                $0.finishBody()
                $0.finishBody()
            }
            #expect(await running.recorder.over().ends == 1)
            let body = try #require(origin.requests.last?.body)
            let wire = "6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n"
            #expect(String(decoding: body, as: UTF8.self) == wire)
            #expect(origin.requests.count == count)
        }
        #expect(origin.connectionCount == 1)
        await origin.stop()
    }

    @Test("an answer may come before the body is complete; the connection is not used again")
    func earlyAnswer() async throws {
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in
            [.send("HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno")]
        }
        let harness = try Harness(origin)
        let running = try await harness.start(.make(.post, body: .streamed(length: 100)))
        #expect(await running.recorder.over().head?.status.code == 413)
        #expect(running.recorder.seen.ends == 1)
        #expect(try await running.on { $0.write(ByteBuffer(string: "late")) })
        await eventually { origin.closedCount == 1 }
        await origin.stop()
    }

    @Test("no byte more, and none less, than was promised", arguments: ["abc", "a"])
    func wrongLength(body: String) async throws {
        let origin = try await ScriptedOrigin { _ in [] }
        let running = try await Harness(origin).start(.make(.post, body: .streamed(length: 2)))
        try await running.on {
            _ = $0.write(ByteBuffer(string: body))
            $0.finishBody()
        }
        guard case .malformed? = await running.recorder.over().errors.first else {
            Issue.record("\(running.recorder.seen.errors)")
            return
        }
        #expect(origin.requests.count == 0)
        await eventually { origin.closedCount == 1 }
        await origin.stop()
    }
}
