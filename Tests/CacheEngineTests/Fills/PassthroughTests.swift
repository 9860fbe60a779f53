import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Requests that go through uncached, and what their success invalidates.
@Suite struct PassthroughTests {
    private static let lasting: HTTPFields = [.cacheControl: "max-age=60"]
    private static let targets = ["/a", "/made", "/content", "/other"]

    private func storeAll(_ bench: Bench) async throws {
        for target in Self.targets { try await bench.fetch(Ask(target: target), Self.lasting) }
        try await bench.settle()
    }

    private func stored(_ bench: Bench) -> Set<String> {
        Set(bench.store.rows.map(\.identity.target))
    }

    @Test func theAnswerIsPassedOnAndNotStored() async throws {
        try await Bench.run { bench in
            let client = try await bench.pass(Ask(method: .post))
            try await bench.origin.exchange(0).answer(Self.lasting)
            let status = CacheStatus(
                result: .forwarded(.method), forwardStatus: 200, detail: "why")
            #expect(client.heard == [.head(200, status), .body("body"), .end])
            #expect(client.fields[values: .via] == ["1.1 larder"])
            #expect(bench.engine.memory.count == 0)
        }
    }

    @Test func itsBodyGoesThroughAndWaitsWhereItMust() async throws {
        try await Bench.run { bench in
            let client = try await bench.pass(Ask(method: .put))
            let exchange = try await bench.origin.exchange(0)
            try await bench.control(client) { #expect($0.write(ByteBuffer(string: "one"))) }
            exchange.state.withLock { $0.takesMore = false }
            try await bench.control(client) { #expect(!$0.write(ByteBuffer(string: "two"))) }
            try await exchange.send { $0.originWritabilityChanged(true) }
            #expect(client.heard == [.wantsBody])
            try await bench.control(client) {
                $0.finishRequestBody()
                $0.pause()
            }
            #expect(exchange.isPaused)
            try await bench.control(client) { $0.resume() }
            #expect(!exchange.isPaused)
            let (written, isFinished) = exchange.state.withLock { ($0.written, $0.isBodyFinished) }
            #expect(written == ["one", "two"])
            #expect(isFinished)
            try await exchange.answer([:])
        }
    }

    @Test func successInvalidatesBeforeTheClientSeesIt() async throws {
        try await Bench.run { bench in
            try await storeAll(bench)
            bench.store.hold()
            let client = try await bench.pass(Ask(method: .delete))
            let exchange = try await bench.origin.exchange(4)
            try await exchange.send { receiver in
                let fields: HTTPFields = [
                    .location: "http://example.com/made", .contentLocation: "/content",
                ]
                receiver.originHead(
                    HTTPResponse(status: .ok, headerFields: fields), framing: .none)
                // On the loop: nothing can come between the head and this.
                #expect(client.heard.count == 1)
                for target in ["/a", "/made", "/content"] {
                    let known = try? bench.inMemory(Ask(target: target)).map {
                        bench.engine.isCurrent($0)
                    }
                    #expect(known == false)
                }
            }
            try await exchange.end()
            #expect(try await bench.ask(Ask(target: "/other")).status?.result == .hit)
            let again = try await bench.fetch(Self.lasting, body: "new")
            #expect(again.text == "new")
            bench.store.release()
            try await bench.settle()
            #expect(stored(bench) == ["/a", "/other"])
        }
    }

    @Test(
        arguments: [
            (HTTPRequest.Method.delete, 404, false), (.delete, 500, false), (.get, 200, false),
            (.options, 200, false), (.post, 200, true), (.delete, 204, true), (.put, 303, true),
        ])
    func whatInvalidates(method: HTTPRequest.Method, status: Int, invalidates: Bool) async throws {
        try await Bench.run { bench in
            try await storeAll(bench)
            let client = try await bench.pass(Ask(method: method))
            try await bench.origin.exchange(4).answer(
                HTTPResponse.Status(code: status), [.location: "/made"])
            #expect(client.isOver)
            try await bench.settle()
            #expect(stored(bench) == (invalidates ? ["/content", "/other"] : Set(Self.targets)))
        }
    }

    @Test func aDeclaredPostInvalidatesNothing() async throws {
        try await Bench.run { bench in
            try await storeAll(bench)
            _ = try await bench.pass(Ask(method: .post), isDeclared: true)
            try await bench.origin.exchange(4).answer([:])
            #expect(bench.engine.writes.isEmpty)
            #expect(try await bench.ask().status?.result == .hit)
        }
    }

    @Test func otherOriginsInItsLocationStay() async throws {
        try await Bench.run { bench in
            try await storeAll(bench)
            _ = try await bench.pass(Ask(method: .post, target: "/x"))
            try await bench.origin.exchange(4).answer(
                .created, [.location: "http://other.example/made"])
            try await bench.settle()
            #expect(stored(bench) == Set(Self.targets))
        }
    }

    @Test func aClientThatLeavesCancels() async throws {
        try await Bench.run { bench in
            let client = try await bench.pass(Ask(method: .post))
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([:])
            try await bench.leave(client)
            #expect(exchange.isCancelled)
        }
    }

    @Test func aFailureReachesTheClient() async throws {
        try await Bench.run { bench in
            let client = try await bench.pass(Ask(method: .post))
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head([:])
            try await exchange.fail(.betweenBytesTimeout)
            #expect(client.heard.last == .failed(.origin(.betweenBytesTimeout)))
        }
    }
}
