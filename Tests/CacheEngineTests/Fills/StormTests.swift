import CacheKeys
import CacheTestKit
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CacheEngine

/// Many loops, readers and the writer at once: whatever meets whatever, nobody is given what was
/// invalidated before he asked.
@Suite struct StormTests {
    @Test(arguments: [(0, UInt64(1)), (16 << 20, 2), (0, 3), (16 << 20, 4)])
    func nothingInvalidatedIsAnswered(memory: Int, seed: UInt64) async throws {
        let origin = VersionedOrigin()
        let store = FakeStore()
        var configuration = EngineConfiguration()
        configuration.memoryBudget = memory
        let secret = try #require(CredentialSecret(bytes: [UInt8](repeating: 7, count: 32)))
        let engine = Engine(
            configuration: configuration, store: store, origin: origin, clock: ManualClock(),
            renderer: NoRenderer(), secret: secret,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let asked = try await withThrowingTaskGroup(of: Int.self) { group in
            for reader in 0..<4 {
                group.addTask {
                    try await Self.read(engine, origin, seed: seed &* 100 &+ UInt64(reader))
                }
            }
            group.addTask {
                try await Self.invalidate(engine, origin, seed: seed &* 100 &+ 99)
                return 0
            }
            return try await group.reduce(0, +)
        }
        #expect(asked == 4 * 400)
        #expect(origin.answered.load(ordering: .relaxed) < asked, "some came from here")
        #expect(await engine.shutdown(timeout: .seconds(30)))
        #expect(engine.writes.isEmpty)
        for row in store.rows {
            let version = Int(row.text) ?? -1
            let floor = origin.floors[origin.number(of: row.identity.target)]
            #expect(version >= floor.value.load(ordering: .acquiring), "what stays in the file")
        }
    }

    private static func read(
        _ engine: Engine, _ origin: VersionedOrigin, seed: UInt64
    ) async throws -> Int {
        var random = SeededGenerator(seed: seed)
        var count = 0
        for _ in 0..<400 {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let target = Int.random(in: 0..<origin.floors.count, using: &random)
            let isForced = Int.random(in: 0..<8, using: &random) == 0
            let ask = Ask(target: "/\(target)", cacheControl: isForced ? ["no-cache"] : [])
            let fill = try ask.fillRequest()
            let floor = origin.floors[target].value.load(ordering: .acquiring)
            let answer = try await loop.flatSubmit {
                let client = OneAnswer(loop)
                let request = CacheRequest(
                    primaryKey: fill.identity.primaryKey, facts: fill.facts, fields: fill.fields)
                switch engine.lookup(request, variantKey: { _ in nil }, now: start) {
                case .hit(let stored), .staleHit(let stored):
                    client.whole.succeed(stored.entry.text)
                case .unresolved(let candidate, let reason):
                    client.source = engine.resolve(
                        fill, candidate: candidate, reason: reason, on: loop, receiver: client)
                case .onlyIfCached:
                    client.answerFailed(.onlyIfCached)
                }
                return client.whole.futureResult
            }.get()
            #expect(Int(answer) ?? -1 >= floor, "seed \(seed), answer \(count)")
            count += 1
        }
        return count
    }

    private static func invalidate(
        _ engine: Engine, _ origin: VersionedOrigin, seed: UInt64
    ) async throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let target = Int.random(in: 0..<origin.floors.count, using: &random)
            let version =
                origin.versions[target].value.wrappingAdd(1, ordering: .acquiringAndReleasing)
                .newValue
            engine.invalidate(
                surface: .proxy, scheme: "http", authority: Ask.authority, targets: ["/\(target)"])
            origin.floors[target].value.store(version, ordering: .releasing)
            // Let the readers in: as many turns as the seed says.
            for _ in 0..<Int.random(in: 0..<40, using: &random) { await Task.yield() }
        }
    }
}

/// A number that threads share.
final class Shared: Sendable {
    let value = Atomic<Int>(0)
}

/// An origin that answers with the version its resource has when the request comes in.
final class VersionedOrigin: Origin {
    let versions = (0..<3).map { _ in Shared() }
    /// The version of the last invalidation that is over.
    let floors = (0..<3).map { _ in Shared() }
    let answered = Atomic<Int>(0)

    func number(of target: String) -> Int { Int(target.dropFirst()) ?? 0 }

    func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange {
        answered.wrappingAdd(1, ordering: .relaxed)
        let version = versions[number(of: request.target)].value.load(ordering: .acquiring)
        let bound = NIOLoopBound(receiver, eventLoop: loop)
        loop.execute {
            bound.value.originHead(
                HTTPResponse(status: .ok, headerFields: [.cacheControl: "max-age=60"]),
                framing: .chunked)
            loop.execute {
                bound.value.originBody(ByteBuffer(string: "\(version)"))
                bound.value.originEnd()
            }
        }
        return NoControl()
    }
}

private final class NoControl: OriginExchange {
    let isSecondAttempt = false
    func write(_ part: ByteBuffer) -> Bool { true }
    func finishBody() {}
    func pauseReading() {}
    func resumeReading() {}
    func cancel() {}
}

/// A client that wants the body only.
private final class OneAnswer: AnswerReceiver {
    let whole: EventLoopPromise<String>
    var source: (any AnswerSource)?
    private var text = ""

    init(_ loop: any EventLoop) { whole = loop.makePromise() }

    func answer(stored: StoredResponse, status: CacheStatus) {
        source = nil
        whole.succeed(stored.entry.text)
    }

    func use(of stored: StoredResponse) -> StoredUse {
        .content([.stored(0..<stored.entry.body.length)])
    }
    func answer(headOf stored: StoredResponse, status: CacheStatus) {}
    func answer(informational head: HTTPResponse) {}
    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus) {}
    func answer(body: ByteBuffer) { text += String(buffer: body) }

    func answerEnd() {
        source = nil
        whole.succeed(text)
    }

    func answerFailed(_ failure: AnswerFailure) {
        source = nil
        whole.fail(failure)
    }

    func answerWantsRequestBody() {}
}
