import CacheEngine
import HTTPTypes
import NIOCore
import NIOHTTP1

/// The channel's side of a connection: feeds `ConnectionState` and does what it says.
final class OriginConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = Never
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// Set by the pool when it takes the connection in; there is no one to tell before.
    weak var pool: LoopPool?
    /// The place in the pool's list.
    var poolIndex = 0
    /// The first error, for the log, of a connection that never opened.
    private(set) var openingError: (any Error)?

    private var state: ConnectionState
    private var surplus = SurplusCheck()
    private var statusLine = StatusLineCheck()
    private var exchange: PooledExchange?
    /// Sends the exchange's body when that is in a file.
    private var sending: SpooledSending?
    private var context: ChannelHandlerContext?
    private var isReadWithheld = false

    init(maxHeadBytes: Int) {
        self.state = ConnectionState(maxHeadBytes: maxHeadBytes)
    }

    var isOpen: Bool { context != nil && state.phase != .closed }
    var isWritable: Bool { context?.channel.isWritable ?? false }

    // MARK: The pool's side

    func opened() {
        state.opened()
    }

    /// The handshake takes too long.
    func giveUpOpening() {
        openingError = openingError ?? OriginError.connectTimeout
        perform(state.broke(.connectTimeout))
    }

    /// Writes the exchange's request, or as much as is here, with one flush.
    func run(_ exchange: PooledExchange) {
        guard let context, state.start(exchange.facts) else {
            return exchange.fail(.closed)
        }
        self.exchange = exchange
        exchange.connection = self
        surplus.restart()
        statusLine.restart()
        state.isPaused = exchange.isPaused
        state.isWritable = context.channel.isWritable
        context.write(wrapOutboundOut(.head(exchange.head)), promise: nil)
        if case .buffered(let body) = exchange.body, body.readableBytes > 0 {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        if !exchange.facts.isStreamed {
            context.write(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.flush()
        state.started()
        if case .spooled(let content) = exchange.body {
            let sending = SpooledSending(content, over: self, on: context.eventLoop)
            self.sending = sending
            sending.next(isWritable: context.channel.isWritable)
        }
    }

    func tick(_ limits: ConnectionState.Limits) {
        perform(state.tick(limits))
    }

    /// Closes an unused connection, or one whose receiver is told nothing more.
    func cancel() {
        perform(state.cancelled())
    }

    /// Closes the connection and fails what runs on it.
    func shutDown() {
        perform(state.broke(.shuttingDown))
    }

    // MARK: The exchange's side

    func write(_ part: ByteBuffer) -> Bool {
        let action = state.requestPart(bytes: part.readableBytes)
        guard action == .pass, let context else {
            perform(action)
            return true
        }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part))), promise: nil)
        return context.channel.isWritable
    }

    func finishBody() {
        let action = state.requestFinished()
        guard action == .pass, let context else { return perform(action) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// What is promised of the body cannot be sent.
    func loseBody() {
        perform(state.broke(.contentUnreadable))
    }

    func pauseReading() {
        state.isPaused = true
    }

    func resumeReading() {
        guard state.isPaused else { return }
        state.resumed()
        readIfWithheld()
    }

    // MARK: The gate's side

    /// Whether bytes may go to the decoder.
    func willDecode(_ bytes: ByteBuffer) -> Bool {
        let action = state.received(bytes: bytes.readableBytes)
        guard action == .pass else {
            perform(action)
            return false
        }
        guard statusLine.accepts(bytes) else {
            perform(state.broke(.malformed("status line")))
            return false
        }
        surplus.received(bytes)
        return true
    }

    func didDecode() {
        guard state.phase == .draining, let framing = state.framing else { return }
        if surplus.hasSurplus(framing) { perform(state.surplus()) }
    }

    // MARK: Doing

    private func perform(_ action: ConnectionAction) {
        switch action {
        case .nothing, .pass, .respond: break
        case .finish: takeExchange()?.finish()
        case .finishAndClose:
            let exchange = takeExchange()
            close()
            exchange?.finish()
        case .release:
            readIfWithheld()
            guard let pool else { return cancel() }
            pool.release(self)
        case .close:
            takeExchange()?.connection = nil
            close()
        case .fail(let error):
            let exchange = takeExchange()
            close()
            exchange?.fail(error)
        case .retry:
            let exchange = takeExchange()
            if let exchange { pool?.retry(exchange) }
            close()
        }
    }

    private func takeExchange() -> PooledExchange? {
        let exchange = self.exchange
        self.exchange = nil
        exchange?.connection = nil
        sending?.stop()
        sending = nil
        return exchange
    }

    private func close() {
        state.isPaused = false
        context?.close(promise: nil)
        // TLS waits for the other side's close_notify.
        readIfWithheld()
    }

    private func readIfWithheld() {
        guard isReadWithheld else { return }
        isReadWithheld = false
        context?.read()
    }
}

// MARK: - Channel events

extension OriginConnection {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func read(context: ChannelHandlerContext) {
        if state.isPaused {
            isReadWithheld = true
        } else {
            context.read()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head, context: context)
        case .body(let part):
            let action = state.body(bytes: part.readableBytes)
            guard action == .pass else { return perform(action) }
            surplus.decoded(part)
            exchange?.receiver?.originBody(part)
        case .end(let trailers):
            let action = state.end()
            if action == .finish || action == .finishAndClose {
                let fields = trailers.map { ResponseHead.trailers($0) } ?? [:]
                if !fields.isEmpty { exchange?.receiver?.originTrailers(fields) }
            }
            perform(action)
        }
    }

    private func receive(_ head: HTTPResponseHead, context: ChannelHandlerContext) {
        guard state.phase == .active else { return }
        switch ResponseHead.read(head, isHeadRequest: state.request.isHead) {
        case .failure(let error): perform(state.broke(error))
        case .success(let head):
            let action = state.head(
                status: head.response.status.code, framing: head.framing,
                keepsAlive: head.keepsAlive)
            switch action {
            case .pass: exchange?.receiver?.originInformational(head.response)
            case .respond(let framing):
                noteUnsentBytes(context: context)
                exchange?.receiver?.originHead(head.response, framing: framing)
            default: perform(action)
            }
        }
    }

    /// Only an answer that ends with the connection needs to know.
    private func noteUnsentBytes(context: ChannelHandlerContext) {
        guard state.framing == .closeDelimited else { return }
        let unsent = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        state.setUnsentBytes((unsent ?? 0) > 0)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if state.phase == .active { noteUnsentBytes(context: context) }
        perform(state.readCompleted())
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        state.becameWritable(isWritable)
        if isWritable {
            sending?.next(isWritable: true)
            exchange?.becameWritable()
        }
        context.fireChannelWritabilityChanged()
    }

    /// Nobody comes after this handler: errors end here.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if state.phase == .opening { openingError = openingError ?? error }
        perform(state.broke(OriginError(onConnection: error)))
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(state.broke(.closed))
        pool?.remove(self)
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension OriginConnection: Sendable {}
