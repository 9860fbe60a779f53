import CacheEngine
import HTTPTypes
import NIOCore
import Synchronization

/// An origin in memory that answers as it is told and keeps what it was asked.
final class ScriptedOrigin: Origin {
    /// What it answers to one request.
    struct Reply: Sendable {
        var status = 200
        var reason = "OK"
        var fields: [(String, String)] = [("Cache-Control", "max-age=60")]
        var parts: [String] = ["hello"]
        /// `nil` announces the length of all parts.
        var framing: OriginFraming?
        var trailers: [(String, String)] = []
        var informational: [Int] = []
        /// After the parts, or instead of an answer.
        var failure: OriginError?
        var hasHead = true
        /// Says nothing of its own; the test plays it.
        var isManual = false
        /// Takes one part of content at a time.
        var isReluctant = false

        static func failing(_ error: OriginError) -> Reply {
            Reply(failure: error, hasHead: false)
        }
    }

    /// A request as it came.
    struct Seen: Sendable {
        var method: String
        var target: String
        var authority: String
        var fields: [(name: String, value: String)]
        /// `nil` when it is streamed.
        var body: String?
        /// When it is in a file.
        var spooled: (any SpooledContent)?
        var isRetryable: Bool

        func values(_ name: String) -> [String] {
            fields.filter { $0.name.lowercased() == name }.map(\.value)
        }
    }

    private struct State {
        var seen: [Seen] = []
        var exchanges: [NIOLoopBound<ScriptedExchange>] = []
        var reply: @Sendable (Seen) -> Reply = { _ in Reply() }
    }

    private let state = Mutex(State())

    var seen: [Seen] { state.withLock { $0.seen } }
    var exchanges: [NIOLoopBound<ScriptedExchange>] { state.withLock { $0.exchanges } }

    /// Lets go of everything it was sent.
    func forget() {
        state.withLock { state in
            state.seen = []
            state.exchanges = []
        }
    }

    func reply(_ reply: @escaping @Sendable (Seen) -> Reply) {
        state.withLock { $0.reply = reply }
    }

    func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange {
        var seen = Seen(
            method: request.method.rawValue, target: request.target,
            authority: request.clientAuthority,
            fields: request.fields.map { ($0.name.rawName, $0.value) }, body: nil,
            isRetryable: request.isRetryable)
        var isStreamed = false
        switch request.body {
        case .none: seen.body = ""
        case .buffered(let bytes): seen.body = String(buffer: bytes)
        case .streamed: isStreamed = true
        case .spooled(let content): seen.spooled = content
        }
        let asked = seen
        let reply = state.withLock { state in
            state.seen.append(asked)
            return state.reply
        }(asked)
        let exchange = ScriptedExchange(reply: reply, loop: loop, receiver: receiver)
        let bound = NIOLoopBound(exchange, eventLoop: loop)
        state.withLock { $0.exchanges.append(bound) }
        if !isStreamed || !reply.hasHead, !reply.isManual { loop.execute { bound.value.play() } }
        return exchange
    }
}

/// One running exchange with the scripted origin; confined to its loop.
final class ScriptedExchange: OriginExchange {
    let isSecondAttempt = false
    private enum Event {
        case informational(Int)
        case head(HTTPResponse, OriginFraming)
        case body(ByteBuffer)
        case trailers(HTTPFields)
        case end
        case failure(OriginError)
    }

    private let reply: ScriptedOrigin.Reply
    private let loop: any EventLoop
    private var receiver: (any OriginReceiver)?
    private var events: [Event] = []
    private(set) var received = ByteBuffer()
    private(set) var isFinished = false
    private(set) var isCancelled = false
    private(set) var isPaused = false
    private(set) var emptyParts = 0
    /// Whether further content is welcome.
    var acceptsContent = true

    init(reply: ScriptedOrigin.Reply, loop: any EventLoop, receiver: any OriginReceiver) {
        self.reply = reply
        acceptsContent = !reply.isReluctant
        self.loop = loop
        self.receiver = receiver
    }

    func play() {
        events += reply.informational.map { .informational($0) }
        if reply.hasHead { playHead() }
        playBody(reply.parts)
        if let failure = reply.failure { events.append(.failure(failure)) } else { playEnd() }
        drain()
    }

    func playHead() {
        var fields = HTTPFields()
        for (name, value) in reply.fields {
            if let name = HTTPField.Name(name) {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        let total = reply.parts.reduce(0) { $0 + $1.utf8.count }
        events.append(
            .head(
                HTTPResponse(
                    status: .init(code: reply.status, reasonPhrase: reply.reason),
                    headerFields: fields),
                reply.framing ?? .length(Int64(total))))
        drain()
    }

    func playBody(_ parts: [String]) {
        guard reply.hasHead else { return }
        events += parts.map { .body(ByteBuffer(string: $0)) }
        drain()
    }

    func playEnd() {
        guard reply.hasHead else { return }
        var trailers = HTTPFields()
        for (name, value) in reply.trailers {
            if let name = HTTPField.Name(name) {
                trailers.append(HTTPField(name: name, value: value))
            }
        }
        if !trailers.isEmpty { events.append(.trailers(trailers)) }
        events.append(.end)
        drain()
    }

    func playFailure(_ error: OriginError) {
        events.append(.failure(error))
        drain()
    }

    func takeContentAgain(isReluctant: Bool = false) {
        acceptsContent = !isReluctant
        receiver?.originWritabilityChanged(true)
    }

    private func drain() {
        while !isPaused, !events.isEmpty, let receiver {
            switch events.removeFirst() {
            case .informational(let code):
                receiver.originInformational(HTTPResponse(status: .init(code: code)))
            case .head(let head, let framing): receiver.originHead(head, framing: framing)
            case .body(let part): receiver.originBody(part)
            case .trailers(let fields): receiver.originTrailers(fields)
            case .end:
                self.receiver = nil
                receiver.originEnd()
            case .failure(let error):
                self.receiver = nil
                receiver.originFailed(error)
            }
        }
    }

    func write(_ part: ByteBuffer) -> Bool {
        received.writeImmutableBuffer(part)
        if part.readableBytes == 0 { emptyParts += 1 }
        return acceptsContent
    }

    func finishBody() {
        isFinished = true
        if !reply.isManual { loop.assumeIsolated().execute { self.play() } }
    }

    func pauseReading() { isPaused = true }

    func resumeReading() {
        isPaused = false
        loop.assumeIsolated().execute { self.drain() }
    }

    func cancel() {
        isCancelled = true
        receiver = nil
    }
}

@available(*, unavailable)
extension ScriptedExchange: Sendable {}
