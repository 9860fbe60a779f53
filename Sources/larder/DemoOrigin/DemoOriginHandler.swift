import NIOCore
import NIOHTTP1

/// Collects one request at a time, asks the site, and answers after the delay.
///
/// Confined to its channel's event loop. The pipeline in front of it delivers a request only
/// after the answer to the one before it.
final class DemoOriginHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let maxContentBytes = ByteSize.megabyte

    private let site: DemoSite
    private let delay: TimeAmount
    private var head: HTTPRequestHead?
    private var content: [UInt8] = []
    private var isTooLarge = false
    private var pending: Scheduled<Void>?

    init(site: DemoSite, delay: TimeAmount) {
        self.site = site
        self.delay = delay
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            content = []
            isTooLarge = false
            if head.headers[canonicalForm: "expect"].contains("100-continue") {
                let proceed = HTTPResponseHead(version: head.version, status: .continue)
                context.writeAndFlush(wrapOutboundOut(.head(proceed)), promise: nil)
            }
        case .body(let part):
            if isTooLarge || content.count + part.readableBytes > Self.maxContentBytes {
                isTooLarge = true
                content = []
            } else {
                content.append(contentsOf: part.readableBytesView)
            }
        case .end:
            answer(context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        pending?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        pending?.cancel()
        context.close(promise: nil)
    }

    private func answer(context: ChannelHandlerContext) {
        guard let head else { return }
        let path = head.uri.prefix { $0 != "?" && $0 != "#" }
        let request = DemoRequest(
            method: head.method, path: String(path), headers: head.headers, content: content,
            isTooLarge: isTooLarge)
        content = []
        let answer = site.answer(request, now: Platform.wallClock().seconds)
        guard answer.isSlow, delay > .zero else {
            return write(answer, to: head, context: context)
        }
        // The closure runs on this loop, where `context` and `self` belong.
        pending = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.write(answer, to: head, context: context)
        }
    }

    private func write(
        _ answer: DemoAnswer, to request: HTTPRequestHead, context: ChannelHandlerContext
    ) {
        pending = nil
        var headers = answer.headers
        headers.add(name: "date", value: CivilTime(Platform.wallClock().seconds).httpDate)
        headers.add(name: "server", value: "larder-demo-origin")
        if answer.status.mayHaveResponseBody {
            headers.add(name: "content-length", value: "\(answer.content.count)")
        }
        let isLast = !request.isKeepAlive
        if isLast {
            headers.add(name: "connection", value: "close")
        } else if request.version.minor == 0 {
            headers.add(name: "connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(
            version: request.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD, !answer.content.isEmpty {
            let bytes = context.channel.allocator.buffer(bytes: answer.content)
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        if isLast {
            written.futureResult.assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
    }
}
