import CacheEngine
import HTTPTypes
import NIOCore
import Testing

@testable import OriginClient

@Suite("Bodies from a file")
struct SpooledBodyTests {
    private static let ok = OriginStep.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    private static func post(
        _ content: HeldContent, isRetryable: Bool = true
    ) -> OriginRequest {
        .make(.post, body: .spooled(content), isRetryable: isRetryable)
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 131_072, 5 << 20])
    func goWholeAndTheConnectionIsKept(_ size: Int) async throws {
        let origin = try await ScriptedOrigin { _ in [Self.ok] }
        let harness = try Harness(origin)
        for _ in 1...2 {
            let seen = try await harness.answer(to: Self.post(HeldContent(count: size)))
            #expect(seen.ends == 1 && seen.early == 0)
        }
        for request in origin.requests {
            #expect(request.head.contains("Content-Length: \(size)\r\n"))
            #expect(!request.head.lowercased().contains("transfer-encoding"))
            #expect(request.body == HeldContent.pattern(size))
        }
        #expect(origin.requests.count == 2 && origin.connectionCount == 1)
        await origin.stop()
    }

    @Test(arguments: [true, false])
    func goAgainFromTheStartWhenAReusedConnectionWasDead(_ isRetryable: Bool) async throws {
        let origin = try await ScriptedOrigin { request in
            request.connection == 0 && request.index == 1 ? [.close] : [Self.ok]
        }
        let harness = try Harness(origin)
        _ = try await harness.answer()
        let content = HeldContent(count: 1 << 20)
        let seen = try await harness.answer(to: Self.post(content, isRetryable: isRetryable))
        #expect(seen.ends == (isRetryable ? 1 : 0))
        #expect(seen.errors == (isRetryable ? [] : [.closed]))
        #expect(content.bytesRead == (isRetryable ? 2 << 20 : 1 << 20))
        if isRetryable { #expect(origin.requests.last?.body == HeldContent.pattern(1 << 20)) }
        await origin.stop()
    }

    @Test("a reused connection that dies in mid-body")
    func goAgainFromTheMiddle() async throws {
        let origin = try await ScriptedOrigin { _ in [Self.ok] }
        let harness = try Harness(origin)
        _ = try await harness.answer()
        // The connection dies while a part from the middle is being read.
        let content = HeldContent(count: 1 << 20, lostAt: 262_144)
        let running = try await harness.start(Self.post(content))
        await eventually { content.bytesRead > 262_144 }
        try await origin.perform([.reset], on: 0)
        let seen = await running.recorder.over()
        #expect(seen.ends == 1 && seen.errors.isEmpty)
        #expect(origin.requests.last?.connection == 1)
        #expect(origin.requests.last?.body == HeldContent.pattern(1 << 20))
        await origin.stop()
    }

    @Test func areReadNoFasterThanTheOriginTakesThem() async throws {
        let size = 32 << 20
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in [] }
        let harness = try Harness(origin)
        let content = HeldContent(count: size)
        let running = try await harness.start(Self.post(content))
        await eventually { origin.requests.count == 1 && content.reads > 1 }
        var before = -1
        while content.bytesRead != before {
            before = content.bytesRead
            try await Task.sleep(for: .milliseconds(100))
        }
        // What the sockets of both sides take.
        #expect(before < size / 2)
        try await origin.startReading(on: 0)
        await eventually { origin.bodyBytes == size }
        #expect(content.bytesRead == size)
        try await running.on { $0.cancel() }
        await origin.stop()
    }

    @Test func anEarlyAnswerEndsTheSending() async throws {
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in
            [.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")]
        }
        let harness = try Harness(origin)
        let content = HeldContent(count: 32 << 20)
        let seen = try await harness.answer(to: Self.post(content))
        #expect(seen.head?.status.code == 413 && seen.ends == 1)
        let reads = content.reads
        try await origin.startReading(on: 0)
        await eventually { origin.closedCount == 1 }
        #expect(content.reads == reads && content.bytesRead < 32 << 20)
        await origin.stop()
    }

    @Test func cancelInMidBodyClosesAndLetsGo() async throws {
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in [] }
        let harness = try Harness(origin)
        weak var content: HeldContent?
        let running: Running
        do {
            let held = HeldContent(count: 16 << 20)
            content = held
            running = try await harness.start(Self.post(held))
        }
        await eventually { origin.requests.count == 1 }
        try await running.on { $0.cancel() }
        try await origin.startReading(on: 0)
        await eventually { origin.closedCount == 1 && content == nil }
        #expect(running.recorder.seen.ends + running.recorder.seen.errors.count == 0)
        await origin.stop()
    }

    @Test(arguments: [0, 131_072, 262_144])
    func thatCannotBeReadFailTheExchange(_ place: Int64) async throws {
        let origin = try await ScriptedOrigin { _ in [Self.ok] }
        let harness = try Harness(origin)
        _ = try await harness.answer()
        let content = HeldContent(count: 1 << 20, failsAt: place)
        let seen = try await harness.answer(to: Self.post(content))
        // Not sent again: it would fail again.
        #expect(seen.errors == [.contentUnreadable])
        #expect(origin.requests.count == 1)
        await eventually { origin.closedCount == 1 }
        await origin.stop()
    }

    @Test func aSlowDiskIsNotTheOriginsFault() async throws {
        let origin = try await ScriptedOrigin { _ in [Self.ok] }
        let harness = try Harness(origin) {
            $0.sweepInterval = .milliseconds(10)
            $0.betweenBytesTimeout = .milliseconds(50)
            $0.firstByteTimeout = .seconds(60)
        }
        let content = HeldContent(count: 400_000, delay: .milliseconds(200))
        let seen = try await harness.answer(to: Self.post(content))
        #expect(seen.ends == 1 && seen.errors.isEmpty)
        await origin.stop()
    }

    @Test func anOriginThatTakesNothingTimesOut() async throws {
        let origin = try await ScriptedOrigin(readsBodies: false) { _ in [] }
        let harness = try Harness(origin) {
            $0.sweepInterval = .milliseconds(10)
            $0.betweenBytesTimeout = .milliseconds(200)
        }
        let seen = try await harness.answer(to: Self.post(HeldContent(count: 32 << 20)))
        #expect(seen.errors == [.betweenBytesTimeout])
        await origin.stop()
    }
}
