import CacheEngine
import HTTPTypes
import NIOCore
import NIOHTTP1

/// One request and its answer, from `start` to the end, over one connection or, after a retry, two.
///
/// Confined to its event loop.
final class PooledExchange: OriginExchange {
    let head: HTTPRequestHead
    let facts: ConnectionState.Request
    /// Kept for a retry.
    private(set) var body: OriginRequest.Body
    /// `nil` once the exchange is over: nobody is called any more.
    private(set) var receiver: (any OriginReceiver)?
    /// `nil` while there is none yet, and after the end.
    var connection: OriginConnection?
    private(set) var isPaused = false
    var isSecondAttempt = false
    /// Sweeps spent waiting for a connection.
    var waitingTicks = 0

    private let loop: any EventLoop
    /// The caller is inside one of our functions: nobody is called back.
    private var isInCall = true
    /// Parts that came before there was a connection; one or few, as `write` said `false`.
    private var waitingParts: [ByteBuffer] = []
    private var isBodyFinished = false
    private var owesWritability = false

    init(
        request: OriginRequest, head: HTTPRequestHead, loop: any EventLoop,
        receiver: any OriginReceiver
    ) {
        self.head = head
        self.body = request.body
        self.facts = ConnectionState.Request(request)
        self.loop = loop
        self.receiver = receiver
    }

    var isOver: Bool { receiver == nil }

    /// Whether the body comes through `write`.
    private var isFed: Bool {
        if case .streamed = body { return true }
        return false
    }

    /// `start` returns to its caller.
    func started() {
        isInCall = false
    }

    /// A connection took the request: sends what came meanwhile.
    func connected() {
        let parts = waitingParts
        waitingParts = []
        for part in parts {
            guard let connection else { return }
            _ = connection.write(part)
        }
        if isBodyFinished { connection?.finishBody() }
        if connection?.isWritable == true { becameWritable() }
    }

    // MARK: From the connection

    func becameWritable() {
        guard owesWritability, let receiver else { return }
        owesWritability = false
        receiver.originWritabilityChanged(true)
    }

    func finish() {
        let receiver = release()
        receiver?.originEnd()
    }

    func fail(_ error: OriginError) {
        guard let receiver = release() else { return }
        guard isInCall else { return receiver.originFailed(error) }
        loop.assumeIsolated().execute { receiver.originFailed(error) }
    }

    private func release() -> (any OriginReceiver)? {
        let receiver = self.receiver
        self.receiver = nil
        body = .none
        waitingParts = []
        return receiver
    }

    // MARK: OriginExchange

    func write(_ part: ByteBuffer) -> Bool {
        guard !isOver, isFed, !isBodyFinished, part.readableBytes > 0 else { return true }
        guard let connection else {
            waitingParts.append(part)
            owesWritability = true
            return false
        }
        isInCall = true
        defer { isInCall = false }
        owesWritability = !connection.write(part) && !isOver
        return !owesWritability
    }

    func finishBody() {
        guard !isOver, isFed, !isBodyFinished else { return }
        isBodyFinished = true
        isInCall = true
        defer { isInCall = false }
        connection?.finishBody()
    }

    func pauseReading() {
        isPaused = true
        connection?.pauseReading()
    }

    func resumeReading() {
        isPaused = false
        connection?.resumeReading()
    }

    func cancel() {
        guard release() != nil else { return }
        connection?.cancel()
    }
}

@available(*, unavailable)
extension PooledExchange: Sendable {}

extension ConnectionState.Request {
    init(_ request: OriginRequest) {
        isHead = request.method == .head
        isRetryable = request.isRetryable
        switch request.body {
        case .none, .buffered: break
        case .spooled(let content):
            isStreamed = true
            remaining = content.length
        case .streamed(let length):
            isStreamed = true
            isRetryable = false
            remaining = length
        }
    }
}
