import CacheEngine
import CacheKeys
import DequeModule
import HTTPCaching
import NIOCore
import NIOHTTP1

/// One client connection: takes decoded request parts in order, one exchange at a time, and writes
/// answers as bytes.
///
/// Confined to its loop.
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
        /// It was to be part of a key; what is here goes to the running answer's source first.
        // Boxed: it is large, and rare.
        indirect case pouring(ContentPour)
        /// It goes to the running answer's source.
        case streaming
    }

    let loop: LoopContext
    let responder: ProxyResponder
    /// Of the Cache API's listener.
    let cacheAPI: CacheAPIResponder?
    let gate: ByteGate
    var state = ExchangeState()
    var contentMode = ContentMode.none
    var head: GatedHead?
    var answer: Answer?
    var context: ChannelHandlerContext?
    var deadline = Deadline()
    var needsFlush = false
    var isFlushScheduled = false
    var isUploadHeld = false
    /// Tells the connection's exchanges apart.
    var exchangeNumber = 0
    /// The head of the current request has come and nothing behind it.
    var awaitsFirstContent = false
    /// No further request is taken; what still comes in is discarded.
    var isClosing = false
    /// Our side has ended and all of it has gone out.
    var isOutputClosed = false
    /// The client has ended its side; what it asked for before is still answered.
    private(set) var isInputClosed = false
    /// Bytes the client had not taken when the write deadline was set.
    var untakenBytes = 0
    private(set) var isInReadBurst = false
    private var waiting: Deque<Incoming> = []
    private var isProcessing = false
    private(set) var isReadHeld = false
    /// The loop's tick looks after it.
    var awaitsMemory = false
    private var clientAddress: String??

    /// More came ahead than is kept: what is asked before that is the connection's last.
    private var isOverrun = false

    private static let pipelineLimit = 512

    init(
        loop: LoopContext, responder: ProxyResponder, cacheAPI: CacheAPIResponder? = nil,
        gate: ByteGate
    ) {
        self.loop = loop
        self.responder = responder
        self.cacheAPI = cacheAPI
        self.gate = gate
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
        dropContent()
        answer?.leave()
        answer = nil
        waiting.removeAll()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { inputClosed() }
        context.fireUserInboundEventTriggered(event)
    }

    /// Half a connection is enough to answer on (RFC 9112 §9.6); whether the client is gone
    /// altogether shows when an answer is written.
    private func inputClosed() {
        isInputClosed = true
        if isClosing {
            if isOutputClosed { closeNow() }
        } else if state.request == .receiving {
            closeNow()
        } else if state.isIdle, waiting.isEmpty {
            closeAfterFlush()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isClosing else { return }
        isInReadBurst = true
        accept(.part(part))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isInReadBurst, state.isIdle, deadline.kind == .keepAlive {
            // Bytes came but no part: a head has begun, and must end in time.
            deadline.set(.head, at: loop.uptime + loop.configuration.headTimeout)
        }
        isInReadBurst = false
        contentStays()
        // Where a flush is due at the end of this turn anyhow, it must not be now: if this read was the
        // connection's end, writing would close the channel under NIO, which is still reading.
        if !isFlushScheduled { flushIfNeeded() }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if holdsReads() {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !isClosing {
            if context.channel.isWritable { outputTaken() } else { outputStalled() }
        }
        context.fireChannelWritabilityChanged()
    }

    private func outputStalled() {
        watchWrites()
        answer?.pause()
    }

    private func outputTaken() {
        if deadline.kind == .write {
            deadline.clear()
            if state.isIdle { awaitNextRequest() }
            if state.request == .receiving { awaitContent() }
        }
        answer?.resume()
        processWaiting()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing else { return }
        if let error = error as? HTTPParserError {
            // The decoder takes nothing more; what was asked before is still answered.
            gate.shut()
            var refusal = RequestError(error)
            // The parser knows more methods than this door has: to it, all others are one kind.
            if cacheAPI != nil, refusal == .notImplemented { refusal = .methodNotAllowed }
            accept(.refused(refusal))
            flushIfNeeded()
        } else {
            closeNow()
        }
    }

    /// Between requests: the next head must begin within the keep-alive time, which does not run
    /// while the client has not taken the last answer.
    func awaitNextRequest() {
        guard isWritable else { return watchWrites() }
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

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Who waits for memory is noted with the loop.
    private func holdsReads() -> Bool {
        // The last answer must be taken before what is in its way is looked at.
        if isClosing { return !isOutputClosed }
        // A client that sends ahead waits while its earlier request is answered.
        if isUploadHeld || waiting.count > 1 || gate.isShut { return true }
        return state.request == .receiving && holdsContent()
    }

    /// Whether a further part may go to the exchange: one at a time, and no new one for a client
    /// that does not take what it has asked for.
    private var takesParts: Bool {
        switch state.request {
        case .none: isWritable
        case .receiving: true
        case .complete: false
        }
    }

    private func accept(_ item: Incoming) {
        guard !isOverrun else { return }
        // Only the rest of the current request may go past what waits.
        if waiting.isEmpty, takesParts {
            process(item)
        } else if case .part(.body(var bytes)) = item, case .part(.body(var last))? = waiting.last {
            last.writeBuffer(&bytes)
            waiting[waiting.index(before: waiting.endIndex)] = .part(.body(last))
        } else if waiting.count < Self.pipelineLimit {
            waiting.append(item)
        } else {
            overrun()
        }
        processWaiting()
    }

    /// Keeps what is whole of the requests that wait, and takes nothing more.
    private func overrun() {
        isOverrun = true
        gate.shut()
        while let last = waiting.last {
            if case .part(.end) = last { return }
            _ = waiting.popLast()
        }
    }

    func processWaiting() {
        guard !isProcessing else { return }
        isProcessing = true
        while !isClosing, takesParts, let item = waiting.popFirst() {
            process(item)
        }
        isProcessing = false
        if isOverrun, waiting.isEmpty, state.isIdle { closeAfterFlush() }
        if isReadHeld, !isClosing, !holdsReads() {
            isReadHeld = false
            context?.read()
        }
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
