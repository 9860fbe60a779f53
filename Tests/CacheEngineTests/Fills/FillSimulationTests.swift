import CacheKeys
import CacheTestKit
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Random clients on several loops, a random origin, invalidations and a clock that moves: nobody
/// gets what is not his, everybody's answer ends, and nothing stays behind.
///
/// The seed decides who does what, not how the threads meet; it is in every failure.
@Suite struct FillSimulationTests {
    @Test(arguments: (1...10).map { UInt64($0) })
    func everybodyGetsWhatHeMay(seed: UInt64) async throws {
        let simulation = try FillSimulation(seed: seed)
        try await simulation.run()
        #expect(simulation.faults == [], "seed \(seed)")
    }
}

private final class FillSimulation: Sendable {
    let seed: UInt64
    let origin: SimulatedOrigin
    let store = FakeStore()
    let clock = ManualClock()
    let engine: Engine
    /// The clock moves, commits fail: then more requests are made than must be.
    let isRough: Bool
    private let found = Mutex<[String]>([])
    private let invalidations = Mutex<[String: Int]>([:])
    private let watched = Mutex<[Watch]>([])

    /// Notices on its loop when a source is gone.
    private struct Watch {
        var loop: any EventLoop
        var source: NIOLoopBoundBox<Watched>
    }

    var faults: [String] { found.withLock { Array(Set($0)).sorted() } }

    init(seed: UInt64) throws {
        self.seed = seed
        origin = SimulatedOrigin(seed: seed)
        isRough = seed % 2 == 0
        var configuration = EngineConfiguration()
        smallChunks(&configuration)
        configuration.memoryBudget = seed % 3 == 0 ? 0 : 16 << 20
        configuration.maxObjectBytes = 64 << 10
        let secret = try #require(CredentialSecret(bytes: [UInt8](repeating: 7, count: 32)))
        engine = Engine(
            configuration: configuration, store: store, origin: origin, clock: clock,
            renderer: NoRenderer(), secret: secret,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for asker in 0..<4 {
                group.addTask {
                    try await self.ask(SeededGenerator(seed: self.seed &* 100 &+ UInt64(asker)))
                }
            }
            group.addTask { await self.disturb(SeededGenerator(seed: self.seed &* 100 &+ 99)) }
            try await group.waitForAll()
        }
        try await eventually("what no client waits for ends too") {
            engine.budget.used == 0 && engine.writes.isEmpty
        }
        try await checkNothingStays()
        #expect(await engine.shutdown(timeout: .seconds(30)))
        try checkStore()
        checkCounts()
    }

    private func fault(_ text: String) { found.withLock { $0.append(text) } }

    // MARK: Who does what

    private func ask(_ start: SeededGenerator) async throws {
        var random = start
        for _ in 0..<25 {
            let target = SimulatedKind.targets.randomElement(using: &random) ?? ""
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let user = Int.random(in: 0..<5, using: &random)
                    let language = ["en", "de", "fr"].randomElement(using: &random) ?? ""
                    let seed = random.next()
                    group.addTask {
                        try await self.ask(target, user: user, language: language, seed: seed)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private func ask(_ target: String, user: Int, language: String, seed: UInt64) async throws {
        let kind = try #require(SimulatedKind(target: target))
        var own = Ask(
            target: target, lines: ["accept-language": [language]],
            forwarded: [.acceptLanguage: language, field("x-user"): "\(user)"])
        own.hasCredentials = kind == .known || kind == .open
        if kind != .calm, kind != .open, seed % 16 == 0 { own.cacheControl = ["no-cache"] }
        let fill = try own.fillRequest()
        let floor = origin.floor(of: target)
        let loop = Bench.loops[Int(seed >> 8 & 0xFF) % Bench.loops.count]
        let outcome = try await loop.flatSubmit { [self] in
            let client = SimulatedClient(loop: loop, seed: seed)
            client.begin { look(up: fill, for: client, on: loop) }
            let promise = client.whole
            let limit = loop.scheduleTask(in: .minutes(5)) { promise.fail(Stuck()) }
            promise.futureResult.whenComplete { _ in limit.cancel() }
            return promise.futureResult
        }.get()
        judge(outcome, kind, target, floor: floor, user: "\(user)", language: language)
    }

    private struct Stuck: Error {}

    private func look(
        up fill: FillRequest, for client: SimulatedClient, on loop: any EventLoop
    ) -> (any AnswerSource)? {
        let request = CacheRequest(
            primaryKey: fill.identity.primaryKey, facts: fill.facts, fields: fill.fields)
        let now = clock.now()
        let variantKey = { [engine] (names: [String]) in
            engine.variantKey(of: fill.fields, names: names)
        }
        var source: (any AnswerSource)?
        switch engine.lookup(request, variantKey: variantKey, now: now) {
        case .hit(let stored):
            source = answer(stored, .init(result: .hit), fill, client, loop)
        case .staleHit(let stored):
            engine.revalidate(stored, on: loop) { fill }
            source = answer(stored, .init(result: .stale), fill, client, loop)
        case .unresolved(let candidate, let reason):
            source = engine.resolve(
                fill, candidate: candidate, reason: reason, on: loop, receiver: client)
        case .onlyIfCached: client.answerFailed(.onlyIfCached)
        }
        guard let source else { return nil }
        let watch = Watched()
        watch.source = source
        let box = NIOLoopBoundBox(watch, eventLoop: loop)
        watched.withLock { $0.append(Watch(loop: loop, source: box)) }
        return source
    }

    private func answer(
        _ stored: StoredResponse, _ status: CacheStatus, _ fill: FillRequest,
        _ client: SimulatedClient, _ loop: any EventLoop
    ) -> (any AnswerSource)? {
        guard stored.entry.body.unreadChunks != nil else {
            client.answer(stored: stored, status: status)
            return nil
        }
        return engine.answer(stored, status: status, for: fill, on: loop, receiver: client)
    }

    /// Invalidates, moves the clock and lets commits fail.
    private func disturb(_ start: SeededGenerator) async {
        var random = start
        for _ in 0..<60 {
            let target = SimulatedKind.targets.randomElement(using: &random) ?? ""
            if Bool.random(using: &random), let version = origin.versions[target] {
                let new = version.value.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
                invalidations.withLock { $0[target, default: 0] += 1 }
                engine.invalidate(
                    surface: .proxy, scheme: "http", authority: Ask.authority, targets: [target])
                origin.floors[target]?.value.store(new, ordering: .releasing)
            }
            if isRough {
                clock.advance(Int64.random(in: 0...9, using: &random))
                if Int.random(in: 0..<8, using: &random) == 0 {
                    store.state.withLock { $0.commitErrors.append(.full) }
                }
            }
            for _ in 0..<Int.random(in: 0..<30, using: &random) { await Task.yield() }
            try? await Task.sleep(for: .microseconds(Int.random(in: 0...3_000, using: &random)))
        }
    }

    // MARK: What must be true

    private func judge(
        _ outcome: SimulatedClient.Outcome, _ kind: SimulatedKind, _ target: String, floor: Int,
        user: String, language: String
    ) {
        for text in outcome.faults { fault("\(target): \(text)") }
        if let failure = outcome.failure, kind != .failing {
            fault("\(target): failed with \(failure)")
        }
        guard !outcome.text.isEmpty else {
            if outcome.isComplete { fault("\(target): an empty answer") }
            return
        }
        guard let answer = SimulatedAnswer(outcome.text) else {
            if outcome.isComplete { fault("\(target): no line in \(outcome.text.prefix(40))") }
            return
        }
        if answer.target != target { fault("\(target): got \(answer.target)") }
        if answer.version < floor { fault("\(target): \(answer.version) is older than \(floor)") }
        if !kind.isForAll, answer.user != user { fault("\(target): another user's") }
        if kind == .varying, answer.language != language { fault("\(target): another language") }
        let text = answer.text
        if outcome.isComplete ? outcome.text != text : !text.hasPrefix(outcome.text) {
            fault("\(target): \(outcome.text.utf8.count) bytes of \(text.utf8.count) are wrong")
        }
    }

    private func checkNothingStays() async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        for watch in watched.withLock({ $0 }) {
            while try await watch.loop.submit({ watch.source.value.source != nil }).get() {
                try #require(ContinuousClock.now < deadline, "a source stays, seed \(seed)")
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        for body in store.bodies where engine.pins.contains(body) { fault("a body stays pinned") }
    }

    /// What the file holds is whole, of its own target and not invalidated; and nothing else is in it.
    private func checkStore() throws {
        _ = try store.tend(isIdle: true, pins: engine.pins)
        var named: Set<BodyID> = []
        for row in store.rows {
            let target = row.identity.target
            var text = row.text
            if let chunks = row.body.chunks {
                named.insert(chunks.id)
                text = store.state.withLock { state in
                    (0..<chunks.chunkCount).map {
                        state.chunks[chunks.id]?[$0].map { String(buffer: $0) } ?? "(missing)"
                    }.joined()
                }
            }
            guard let answer = SimulatedAnswer(text), answer.text == text else {
                fault("\(target): a row without its body")
                continue
            }
            if answer.target != target { fault("\(target): a row of \(answer.target)") }
            if answer.version < origin.floor(of: target) { fault("\(target): an old row") }
            let kind = SimulatedKind(target: target)
            if kind?.isForAll != true || kind == .huge { fault("\(target): stored") }
        }
        let left = store.state.withLock { Set($0.chunks.keys) }.subtracting(named)
        if !left.isEmpty { fault("chunks of \(left.count) bodies stay") }
    }

    private func checkCounts() {
        guard !isRough else { return }
        for target in SimulatedKind.targets where SimulatedKind(target: target) == .calm {
            // One for each generation, and one that saw the old one just before it ended.
            let most = 1 + 2 * (invalidations.withLock { $0[target] } ?? 0)
            let count = origin.requests(of: target)
            if count > most { fault("\(target): \(count) requests, \(most) would do") }
        }
    }
}
