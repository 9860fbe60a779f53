import NIOCore

/// Stands before the decoder and drops what comes after the connection's last request.
///
/// A decoder that has stopped parsing would keep it.
final class ByteGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var isShut = false
    private var dropped = 0

    /// So much is taken in that the client can read its answer before a reset could destroy it.
    private static let limit = 64 << 10

    func shut() { isShut = true }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isShut else { return context.fireChannelRead(data) }
        dropped += unwrapInboundIn(data).readableBytes
        if dropped > Self.limit { context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension ByteGate: Sendable {}
