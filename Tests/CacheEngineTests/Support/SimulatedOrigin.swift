import CacheTestKit
import HTTPTypes
import NIOCore
import Synchronization

@testable import CacheEngine

/// An origin that answers by itself, at random speeds, with the version its resource has when the
/// request comes in.
final class SimulatedOrigin: Origin {
    private struct State {
        var requests: [String: Int] = [:]
        var count = 0
        var running = 0
    }

    private let seed: UInt64
    /// By target; risen before its invalidation.
    let versions: [String: Shared]
    /// By target: the version of the last invalidation that is over.
    let floors: [String: Shared]
    private let state = Mutex(State())

    init(seed: UInt64) {
        self.seed = seed
        versions = Dictionary(uniqueKeysWithValues: SimulatedKind.targets.map { ($0, Shared()) })
        floors = Dictionary(uniqueKeysWithValues: SimulatedKind.targets.map { ($0, Shared()) })
    }

    func requests(of target: String) -> Int { state.withLock { $0.requests[target] ?? 0 } }

    func floor(of target: String) -> Int { floors[target]?.value.load(ordering: .acquiring) ?? 0 }

    func version(of target: String) -> Int {
        versions[target]?.value.load(ordering: .acquiring) ?? 0
    }

    func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange {
        let number = state.withLock { state in
            state.requests[request.target, default: 0] += 1
            state.count += 1
            return state.count
        }
        let exchange = SimulatedExchange(
            request: request, loop: loop, receiver: receiver, number: number,
            version: version(of: request.target),
            random: SeededGenerator(seed: seed &* 31 &+ UInt64(number)))
        exchange.goOn()
        return exchange
    }
}

/// One of its exchanges; confined to its loop.
private final class SimulatedExchange: OriginExchange {
    private let loop: any EventLoop
    private var receiver: (any OriginReceiver)?
    private var random: SeededGenerator
    private let kind: SimulatedKind
    private let head: HTTPResponse
    private let answer: SimulatedAnswer
    private var rest: Substring
    /// Turns left until it fails, if it does.
    private var turnsToFailure: Int?
    private var hasHead = false
    private var isPaused = false
    private var isWaiting = false
    let isSecondAttempt = false

    init(
        request: OriginRequest, loop: any EventLoop, receiver: any OriginReceiver, number: Int,
        version: Int, random: SeededGenerator
    ) {
        self.loop = loop
        self.receiver = receiver
        var random = random
        let kind = SimulatedKind(target: request.target) ?? .calm
        self.kind = kind
        answer = SimulatedAnswer(
            target: request.target, version: version,
            language: request.fields[.acceptLanguage] ?? "none",
            user: request.fields[field("x-user")] ?? "none", number: number,
            length: Int.random(in: kind.sizes, using: &random))
        var fields = kind.fields
        fields[.eTag] = "\"\(request.target) \(version) \(answer.language)\""
        let isValid = request.fields[.ifNoneMatch] == fields[.eTag]
        head = HTTPResponse(status: isValid ? .notModified : .ok, headerFields: fields)
        rest = isValid ? "" : answer.text[...]
        if kind == .failing, Int.random(in: 0..<2, using: &random) == 0 {
            turnsToFailure = Int.random(in: 0...4, using: &random)
        }
        self.random = random
    }

    func goOn() {
        guard !isWaiting, !isPaused, receiver != nil else { return }
        isWaiting = true
        let turn = { @Sendable [bound = NIOLoopBound(self, eventLoop: loop)] in bound.value.turn() }
        if Int.random(in: 0..<4, using: &random) == 0 {
            let pause = Int64.random(in: 0...2_000, using: &random)
            loop.scheduleTask(in: .microseconds(pause), turn)
        } else {
            loop.execute(turn)
        }
    }

    private func turn() {
        isWaiting = false
        guard let receiver, !isPaused else { return }
        if let left = turnsToFailure {
            guard left > 0 else {
                self.receiver = nil
                return receiver.originFailed(
                    Bool.random(using: &random) ? .closed : .malformed("x"))
            }
            turnsToFailure = left - 1
        }
        if !hasHead {
            hasHead = true
            let isKnown = kind != .huge && Bool.random(using: &random)
            let length = OriginFraming.length(Int64(rest.utf8.count))
            receiver.originHead(
                head, framing: head.status == .notModified ? .none : isKnown ? length : .chunked)
        } else if rest.isEmpty {
            self.receiver = nil
            return receiver.originEnd()
        } else {
            let part = rest.prefix(Int.random(in: 1...5_000, using: &random))
            rest = rest.dropFirst(part.count)
            receiver.originBody(ByteBuffer(substring: part))
        }
        goOn()
    }

    func write(_ part: ByteBuffer) -> Bool { true }
    func finishBody() {}
    func pauseReading() { isPaused = true }

    func resumeReading() {
        isPaused = false
        goOn()
    }

    func cancel() { receiver = nil }
}
