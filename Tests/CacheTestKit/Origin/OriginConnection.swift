import NIOCore
import NIOPosix

/// One connection to a scripted origin: parses a request, sends its answer, then reads on.
final class OriginConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let origin: ScriptedOrigin
    private var parser = MessageParser(.requests)
    private var number = 0
    private var isAnswering = false
    private var hasEnded = false

    init(origin: ScriptedOrigin) {
        self.origin = origin
    }

    func channelActive(context: ChannelHandlerContext) {
        number = origin.opened(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        origin.closed(context.channel, partial: parser.partial)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        parser.feed(unwrapInboundIn(data).readableBytesView)
        process(context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            hasEnded = true
            if !isAnswering { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func process(_ context: ChannelHandlerContext) {
        guard !isAnswering else { return }
        do {
            guard let message = try parser.next() else { return }
            if !parser.unread.isEmpty {
                origin.violated("bytes after the request \(message.startLine)")
            }
            isAnswering = true
            begin(origin.answer(message, connection: number), to: message, context)
        } catch {
            origin.violated(error.description)
            context.close(promise: nil)
        }
    }

    private func begin(
        _ answer: ScriptedAnswer, to message: WireMessage, _ context: ChannelHandlerContext
    ) {
        if !answer.before.isEmpty {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer.before)), promise: nil)
        }
        let isHead = message.startParts.0 == "HEAD"
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let send: @Sendable () -> Void = {
            let (handler, context) = bound.value
            handler.send(answer, toHead: isHead, context)
        }
        let delayed: @Sendable () -> Void = {
            loop.scheduleTask(in: .init(answer.delay), send)
        }
        if let gate = answer.gate {
            gate.pass { loop.execute(delayed) }
        } else if answer.delay > .zero {
            delayed()
        } else {
            send()
        }
    }

    private func send(_ answer: ScriptedAnswer, toHead: Bool, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        var bytes = answer.headBytes
        let body = answer.bodyBytes(toHead: toHead)
        switch answer.ending {
        case .drop:
            context.close(promise: nil)
            return
        case .cut(let count):
            bytes += body.prefix(count)
            end(after: bytes, isReset: false, context)
            return
        case .reset(let count):
            bytes += body.prefix(count)
            end(after: bytes, isReset: true, context)
            return
        case .keepAlive, .close:
            bytes += body + answer.after
        }
        guard let hold = answer.hold else { return finish(answer, bytes[...], context) }
        let count = bytes.count - body.count - answer.after.count + hold.after
        let first = ByteBuffer(bytes: bytes.prefix(count))
        context.writeAndFlush(wrapOutboundOut(first), promise: nil)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let rest = bytes.dropFirst(count)
        hold.gate.pass {
            loop.execute {
                let (handler, context) = bound.value
                handler.finish(answer, rest, context)
            }
        }
    }

    private func finish(
        _ answer: ScriptedAnswer, _ rest: ArraySlice<UInt8>, _ context: ChannelHandlerContext
    ) {
        let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: rest)))
        if answer.closesAfter || hasEnded {
            written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        } else {
            isAnswering = false
            process(context)
        }
    }

    /// Ends the connection a moment after the bytes, so that they arrive before its end does.
    private func end(after bytes: [UInt8], isReset: Bool, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(100)) {
            guard isReset, let options = context.channel as? any SocketOptionProvider else {
                context.close(promise: nil)
                return
            }
            // struct linger { on, no time }: closing sends RST.
            let linger = (Int32(1), Int32(0))
            options.unsafeSetSocketOption(level: .socket, name: .so_linger, value: linger)
                .assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        }
    }
}

@available(*, unavailable)
extension OriginConnection: Sendable {}
