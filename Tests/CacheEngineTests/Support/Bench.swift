import CacheKeys
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CacheEngine

/// A clock that the test turns.
final class ManualClock: WallClock {
    private let time = Atomic<EpochSeconds>(start)

    func now() -> EpochSeconds { time.load(ordering: .relaxed) }

    func advance(_ seconds: EpochSeconds) { time.wrappingAdd(seconds, ordering: .relaxed) }
}

struct NoRenderer: ResponseRenderer {
    func rendering(of entry: StoredEntry) -> ByteBuffer { ByteBuffer() }
}

/// An engine between a fake store and a fake origin.
final class Bench: Sendable {
    let engine: Engine
    let store: FakeStore
    let origin = FakeOrigin()
    let clock = ManualClock()
    let loop = Bench.loops[0]
    private let clients = Mutex<[Client]>([])

    /// More than one, whatever the machine.
    static let loops = {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 3)
        return group.makeIterator().map { $0 }
    }()

    private init(
        store: FakeStore, hasOrigin: Bool, _ adjust: (inout EngineConfiguration) -> Void
    ) throws {
        var configuration = EngineConfiguration()
        configuration.memoryBudget = 16 << 20
        configuration.maxObjectBytes = 64
        // A busy machine is no reason; tests of these have their own.
        configuration.collapseTimeout = .hours(1)
        configuration.fillTimeouts.slowReader = .hours(1)
        configuration.fillTimeouts.storing = .hours(1)
        adjust(&configuration)
        self.store = store
        let secret = try #require(CredentialSecret(bytes: [UInt8](repeating: 7, count: 32)))
        engine = Engine(
            configuration: configuration, store: store, origin: hasOrigin ? origin : nil,
            clock: clock, renderer: NoRenderer(), secret: secret,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// Runs a test and looks for what must never be: a call to a client that left or was answered
    /// or is still starting; a fill, a charged byte or a pinned body that stays behind.
    static func run(
        store: FakeStore = FakeStore(), hasOrigin: Bool = true,
        _ adjust: (inout EngineConfiguration) -> Void = { _ in },
        _ location: SourceLocation = #_sourceLocation,
        _ body: (Bench) async throws -> Void
    ) async throws {
        let bench = try Bench(store: store, hasOrigin: hasOrigin, adjust)
        do {
            try await body(bench)
        } catch {
            store.release()
            _ = await bench.engine.shutdown(timeout: .seconds(10))
            throw error
        }
        store.release()
        #expect(await bench.engine.shutdown(timeout: .seconds(30)), sourceLocation: location)
        for client in bench.clients.withLock({ $0 }) {
            #expect(client.offences == [], sourceLocation: location)
        }
        try await bench.checkNothingStays(location)
    }

    private func checkNothingStays(_ location: SourceLocation) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while true {
            let left = try await remains()
            if left.isEmpty { return }
            try #require(ContinuousClock.now < deadline, "\(left)", sourceLocation: location)
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func remains() async throws -> [String] {
        var left: [String] = []
        for client in clients.withLock({ $0 }) {
            let stays = try await client.loop.submit { client.watched.value.source != nil }.get()
            if stays { left.append("a source stays: \(client.heard.suffix(3))") }
        }
        if engine.budget.used != 0 { left.append("\(engine.budget.used) bytes stay charged") }
        let pinned = store.bodies.filter { engine.pins.contains($0) }
        if !pinned.isEmpty { left.append("\(pinned.count) bodies stay pinned") }
        return left
    }

    // MARK: Asking

    func newClient(on loop: (any EventLoop)? = nil) -> Client {
        let client = Client(loop: loop ?? self.loop)
        clients.withLock { $0.append(client) }
        return client
    }

    /// Asks as the front end does: memory first, then the engine's slower ways.
    func ask(
        _ ask: Ask = Ask(), pausesAtOnce: Bool = false, forwards: ForwardReason? = nil,
        on loop: (any EventLoop)? = nil
    ) async throws -> Client {
        let client = newClient(on: loop)
        client.state.withLock { $0.forwards = forwards }
        let fill = try ask.fillRequest()
        try await client.loop.submit {
            self.look(up: fill, for: client)
            if pausesAtOnce { client.source.value?.pause() }
        }.get()
        return client
    }

    /// On the client's loop.
    func look(up fill: FillRequest, for client: Client) {
        let request = CacheRequest(
            primaryKey: fill.identity.primaryKey, facts: fill.facts, fields: fill.fields)
        let now = clock.now()
        let found = engine.lookup(
            request,
            variantKey: { names in
                guard let hasher = try? KeyHasher() else { return nil }
                return fill.fields.variantKey(
                    names: names, secret: self.engine.secret, credentialFields: [], hasher: hasher)
            }, now: now)
        switch found {
        case .hit(let stored) where !fill.isAnswered(by: stored.entry),
            .staleHit(let stored) where !fill.isAnswered(by: stored.entry):
            resolve(fill, stored, .partial, for: client)
        case .hit(let stored):
            let status = CacheStatus(result: .hit, ttl: stored.terms.ttl(at: now))
            guard stored.entry.body.unreadChunks != nil else {
                return client.answer(stored: stored, status: status)
            }
            begin(client) {
                engine.answer(stored, status: status, for: fill, on: client.loop, receiver: client)
            }
        case .staleHit(let stored):
            engine.revalidate(stored, on: client.loop) { fill }
            client.answer(
                stored: stored, status: CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now)))
        case .onlyIfCached(.some):
            client.answerFailed(.onlyIfCached)
        case .onlyIfCached(nil):
            resolve(fill, nil, .uriMiss, for: client)
        case .unresolved(let candidate, let reason):
            resolve(fill, candidate, reason, for: client)
        }
    }

    private func resolve(
        _ fill: FillRequest, _ candidate: StoredResponse?, _ reason: ForwardReason,
        for client: Client
    ) {
        begin(client) {
            engine.resolve(
                fill, candidate: candidate, reason: reason, on: client.loop, receiver: client)
        }
    }

    func pass(_ ask: Ask, isDeclared: Bool = false) async throws -> Client {
        let client = newClient()
        try await loop.submit {
            self.begin(client) {
                self.engine.pass(
                    ask.passRequest(isDeclared: isDeclared), on: self.loop, receiver: client)
            }
        }.get()
        return client
    }

    private func begin(_ client: Client, _ start: () -> any AnswerSource) {
        client.state.withLock { $0.isStarting = true }
        let source = start()
        client.state.withLock { $0.isStarting = false }
        client.source.value = source
        client.watched.value.source = source
    }

    func leave(_ client: Client) async throws {
        try await client.loop.submit {
            client.state.withLock { $0.hasLeft = true }
            client.source.value?.leave()
            client.source.value = nil
        }.get()
    }

    /// Calls the source that feeds a client.
    func control(
        _ client: Client, _ call: @escaping @Sendable (any AnswerSource) -> Void
    ) async throws {
        try await client.loop.submit { client.source.value.map(call) }.get()
    }

    /// Waits until a client has its whole answer.
    func finish(_ client: Client, _ location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the answer ends: \(client.heard)", location) { client.isOver }
    }

    // MARK: Shortcuts

    /// Waits until everything that was queued is in the file.
    func settle(_ location: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the queue is written", location) {
            engine.writes.depth.entries == 0 && engine.writes.isEmpty
        }
    }

    /// Asks, answers as the origin, and returns the client when all is over.
    @discardableResult
    func fetch(
        _ ask: Ask = Ask(), status: HTTPResponse.Status = .ok,
        _ fields: HTTPFields = [.cacheControl: "max-age=60"], body: String = "body",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> Client {
        let before = origin.count
        let client = try await self.ask(ask)
        try await origin.exchange(before, location).answer(status, fields, body: body)
        try await finish(client, location)
        return client
    }

    @discardableResult
    func fetch(
        _ fields: HTTPFields, body: String = "body",
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> Client {
        try await fetch(Ask(), fields, body: body, location)
    }

    /// What a successful unsafe request does.
    func invalidate(_ target: String) {
        engine.invalidate(
            surface: .proxy, scheme: "http", authority: Ask.authority, targets: [target])
    }

    /// Drops what is in memory of a request without Vary: the next one must ask further down.
    func forgetMemory(_ ask: Ask = Ask()) throws {
        let key = try ask.fillRequest().identity.primaryKey
        let stored = engine.memory.response(for: key) { _ in nil }
        engine.memory.remove(try #require(stored))
    }

    /// What is in memory of a request without Vary.
    func inMemory(_ ask: Ask = Ask()) throws -> StoredResponse? {
        engine.memory.response(for: try ask.fillRequest().identity.primaryKey) { _ in nil }
    }
}
