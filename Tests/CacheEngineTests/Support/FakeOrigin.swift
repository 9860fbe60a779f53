import CacheEngine
import HTTPTypes
import NIOCore
import Synchronization
import Testing

/// An origin whose answers the test makes, step by step.
final class FakeOrigin: Origin {
    private let started = Mutex<[FakeExchange]>([])

    var count: Int { started.withLock { $0.count } }

    func started(_ number: Int) -> FakeExchange? {
        started.withLock { $0.indices.contains(number) ? $0[number] : nil }
    }

    func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange {
        let exchange = FakeExchange(request: request, loop: loop, receiver: receiver)
        started.withLock { $0.append(exchange) }
        return exchange
    }

    /// The exchange of this number, as soon as the engine has started it.
    func exchange(
        _ number: Int, _ location: SourceLocation = #_sourceLocation
    ) async throws -> FakeExchange {
        try await eventually("exchange \(number) with the origin", location) { count > number }
        return started.withLock { $0[number] }
    }
}

final class FakeExchange: OriginExchange, Sendable {
    struct State {
        var isCancelled = false
        var isPaused = false
        var written: [String] = []
        var isBodyFinished = false
        var takesMore = true
    }

    let request: OriginRequest
    let state = Mutex(State())
    private let loop: any EventLoop
    private let receiver: NIOLoopBoundBox<(any OriginReceiver)?>

    init(request: OriginRequest, loop: any EventLoop, receiver: any OriginReceiver) {
        self.request = request
        self.loop = loop
        self.receiver = NIOLoopBoundBox(receiver, eventLoop: loop)
    }

    /// What the engine is told; set by the test.
    let isSecond = Atomic<Bool>(false)
    var isSecondAttempt: Bool { isSecond.load(ordering: .relaxed) }

    var isCancelled: Bool { state.withLock { $0.isCancelled } }
    var isPaused: Bool { state.withLock { $0.isPaused } }

    // MARK: The engine's side

    func write(_ part: ByteBuffer) -> Bool {
        state.withLock {
            $0.written.append(String(buffer: part))
            return $0.takesMore
        }
    }

    func finishBody() { state.withLock { $0.isBodyFinished = true } }

    func pauseReading() { state.withLock { $0.isPaused = true } }

    func resumeReading() { state.withLock { $0.isPaused = false } }

    func cancel() {
        state.withLock { $0.isCancelled = true }
        receiver.value = nil
    }

    // MARK: The test's side

    /// Calls the receiver, unless it was told that nothing more comes.
    func send(isLast: Bool = false, _ call: @escaping @Sendable (any OriginReceiver) -> Void)
        async throws
    {
        try await loop.submit {
            guard let receiver = self.receiver.value else { return }
            if isLast { self.receiver.value = nil }
            call(receiver)
        }.get()
    }

    func head(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, framing: OriginFraming = .chunked
    ) async throws {
        try await send {
            $0.originHead(HTTPResponse(status: status, headerFields: fields), framing: framing)
        }
    }

    func head(_ fields: HTTPFields, framing: OriginFraming = .chunked) async throws {
        try await head(.ok, fields, framing: framing)
    }

    func body(_ text: String) async throws {
        try await send { $0.originBody(ByteBuffer(string: text)) }
    }

    func end() async throws { try await send(isLast: true) { $0.originEnd() } }

    func fail(_ error: OriginError = .closed) async throws {
        try await send(isLast: true) { $0.originFailed(error) }
    }

    /// A whole answer.
    func answer(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, body text: String = "body"
    ) async throws {
        try await head(status, fields, framing: .length(Int64(text.utf8.count)))
        try await body(text)
        try await end()
    }

    func answer(_ fields: HTTPFields, body text: String = "body") async throws {
        try await answer(.ok, fields, body: text)
    }
}
