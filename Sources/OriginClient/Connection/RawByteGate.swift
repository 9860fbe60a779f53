import NIOCore

/// Sees bytes between TLS and the decoder, which would swallow some without a word.
final class RawByteGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: OriginConnection
    private var context: ChannelHandlerContext?

    init(connection: OriginConnection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        guard connection.willDecode(bytes) else { return }
        context.fireChannelRead(data)
        connection.didDecode()
    }

    /// Fulfils the promise when writes reach the network: with TLS that is after the handshake.
    func probe(_ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(ChannelError.ioOnClosedChannel) }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}

@available(*, unavailable)
extension RawByteGate: Sendable {}
