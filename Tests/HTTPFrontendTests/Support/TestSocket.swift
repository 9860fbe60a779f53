import NIOCore
import NIOEmbedded

/// Stands where the socket is: gives bytes only when they are asked for, takes answers only while
/// it is not stalled, knows a watermark and an end of its own for each direction.
final class TestSocket: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of the client that nobody has read yet.
    private var inbox: [ByteBuffer] = []
    private var wantsRead = false
    private var isDelivering = false
    /// Bytes of ours that the client has not taken.
    private(set) var pendingBytes = 0
    private var closing: EventLoopPromise<Void>?
    private var context: ChannelHandlerContext?
    var isStalled = false
    /// Whether taking what is pending makes the channel writable again.
    var reportsWritability = true
    private(set) var isOutputClosed = false

    private static let watermark = 64 << 10

    var unreadBytes: Int { inbox.reduce(0) { $0 + $1.readableBytes } }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func send(_ bytes: [ByteBuffer]) {
        inbox += bytes
        deliver()
    }

    /// The client takes everything that is pending.
    func take() {
        guard let context, context.channel.isActive else { return }
        context.flush()
        pendingBytes = 0
        if reportsWritability, !context.channel.isWritable { setWritable(true) }
        guard pendingBytes == 0, let promise = closing else { return }
        closing = nil
        isOutputClosed = true
        promise.succeed(())
    }

    /// Not writable, and the handlers heard of it before they had anything to pause.
    func fill() {
        isStalled = true
        (context?.channel as? NIOAsyncTestingChannel)?.isWritable = false
    }

    func takeAll() {
        isStalled = false
        take()
    }

    func read(context: ChannelHandlerContext) {
        wantsRead = true
        deliver()
    }

    private func deliver() {
        guard !isDelivering, let context else { return }
        isDelivering = true
        while wantsRead, !inbox.isEmpty, context.channel.isActive {
            wantsRead = false
            context.fireChannelRead(wrapInboundOut(inbox.removeFirst()))
            context.fireChannelReadComplete()
            context.channel.read()
        }
        isDelivering = false
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        pendingBytes += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
        if pendingBytes > Self.watermark, context.channel.isWritable { setWritable(false) }
    }

    func flush(context: ChannelHandlerContext) {
        if !isStalled { take() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        if pendingBytes > 0 {
            closing = promise
        } else {
            isOutputClosed = true
            promise?.succeed(())
        }
    }

    private func setWritable(_ isWritable: Bool) {
        guard let channel = context?.channel as? NIOAsyncTestingChannel else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }
}

@available(*, unavailable)
extension TestSocket: Sendable {}
