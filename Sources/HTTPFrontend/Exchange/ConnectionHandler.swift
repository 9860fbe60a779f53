import CacheEngine
import CacheKeys
import DequeModule
import HTTPCaching
import NIOCore
import NIOHTTP1

/// One client connection: takes decoded request parts in order, one exchange at a time, and writes
/// answers as bytes. Confined to its loop.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// What has come in and waits for the exchange before it.
    private enum Incoming {
        case part(HTTPServerRequestPart)
        case refused(RequestError)
    }

    /// What becomes of the current request's content.
    enum ContentMode {
        case none
        case keyed(KeyedContent)
        /// It goes to the running answer's source.
        case streaming
    }

    let loop: LoopContext
    let responder: ProxyResponder
    var state = ExchangeState()
    var contentMode = ContentMode.none
    var head: GatedHead?
    var answer: Answer?
    var context: ChannelHandlerContext?
    var deadline = Deadline()
    var needsFlush = false
    var isFlushScheduled = false
    var isUploadHeld = false
    /// No further request is taken; what still comes in is discarded.
    var isClosing = false
    private(set) var isInReadBurst = false
    private var waiting: Deque<Incoming> = []
    private var isProcessing = false
    private var isReadHeld = false
    private var discarded = 0
    private var clientAddress: String??

    private static let pipelineLimit = 200
    private static let discardLimit = 64 << 10

    init(loop: LoopContext, responder: ProxyResponder) {
        self.loop = loop
        self.responder = responder
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { connected() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        connected()
        context.fireChannelActive()
    }

    private func connected() {
        loop.add(self)
        deadline.set(.head, at: loop.uptime + loop.configuration.headTimeout)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        loop.remove(self)
        if case .keyed(let content) = contentMode { content.giveUp(loop) }
        contentMode = .none
        answer?.leave()
        answer = nil
        waiting.removeAll()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isClosing else { return discard(part) }
        isInReadBurst = true
        accept(.part(part))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isInReadBurst, state.isIdle, deadline.kind == .keepAlive {
            // Bytes came but no part: a head has begun, and must end in time.
            deadline.set(.head, at: loop.uptime + loop.configuration.headTimeout)
        }
        isInReadBurst = false
        flushIfNeeded()
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        // A client that sends ahead waits while its earlier request is answered.
        if isUploadHeld || waiting.count > 1 {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if deadline.kind == .write { deadline.clear() }
            if state.isIdle { awaitNextRequest() }
            answer?.resume()
        } else {
            deadline.set(.write, at: loop.uptime + loop.configuration.writeTimeout)
            answer?.pause()
        }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing else { return }
        if let error = error as? HTTPParserError {
            accept(.refused(RequestError(error)))
            flushIfNeeded()
        } else {
            closeNow()
        }
    }

    /// Between requests: the next head must begin within the keep-alive time.
    func awaitNextRequest() {
        deadline.set(.keepAlive, at: loop.uptime + loop.configuration.keepAliveTimeout)
    }

    var hasWaiting: Bool { !waiting.isEmpty }

    func dropWaiting() {
        waiting.removeAll()
    }

    /// Reads on, whatever held reading back.
    func readOn() {
        isReadHeld = false
        context?.read()
    }

    // MARK: Order

    private func accept(_ item: Incoming) {
        // Only the rest of the current request may go past what waits.
        if waiting.isEmpty, state.request != .complete {
            process(item)
        } else if waiting.count < Self.pipelineLimit {
            waiting.append(item)
        } else {
            closeNow()
        }
        processWaiting()
    }

    func processWaiting() {
        guard !isProcessing else { return }
        isProcessing = true
        while !isClosing, state.request != .complete, let item = waiting.popFirst() {
            process(item)
        }
        isProcessing = false
        if isReadHeld, !isUploadHeld, waiting.count <= 1, !isClosing {
            isReadHeld = false
            context?.read()
        }
    }

    /// After the last answer little more is read: so much that the client can take that answer
    /// before a reset could destroy it.
    private func discard(_ part: HTTPServerRequestPart) {
        if case .body(let bytes) = part { discarded += bytes.readableBytes }
        if discarded > Self.discardLimit { closeNow() }
    }

    private func process(_ item: Incoming) {
        switch item {
        case .refused(let error): refuseMalformed(error)
        case .part(.head(let head)): begin(head)
        case .part(.body(let part)): take(part)
        case .part(.end): endOfRequest()
        }
    }

    /// The client's IP address, looked up once.
    func peerAddress() -> String? {
        if let known = clientAddress { return known }
        let address = context?.channel.remoteAddress?.ipAddress
        clientAddress = .some(address)
        return address
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
