package import CacheEngine
package import CacheKeys
package import Logging
package import NIOCore
import NIOHTTP1
package import NIOPosix
import Synchronization

/// The listener of the proxy: accepts connections and gives each a decoder and a handler.
package final class HTTPServer: Sendable {
    package let address: SocketAddress
    private let channel: any Channel
    private let loops: [LoopSlot]

    /// One event loop and what its connections share.
    private struct LoopSlot: Sendable {
        var loop: any EventLoop
        var context: NIOLoopBound<LoopContext>
    }

    private init(channel: any Channel, address: SocketAddress, loops: [LoopSlot]) {
        self.channel = channel
        self.address = address
        self.loops = loops
    }

    /// Binds and serves.
    ///
    /// - Throws: `IOError` when the address cannot be bound, `KeyError` when libcrypto fails.
    package static func start(
        host: String, port: Int, group: MultiThreadedEventLoopGroup, engine: Engine,
        configuration: FrontendConfiguration, secret: CredentialSecret, clock: any WallClock,
        logger: Logger
    ) async throws -> HTTPServer {
        var loops: [LoopSlot] = []
        var index: [ObjectIdentifier: NIOLoopBound<LoopContext>] = [:]
        for loop in group.makeIterator() {
            let context = try await loop.submit {
                let context = try LoopContext(
                    loop: loop, engine: engine, configuration: configuration, secret: secret,
                    clock: clock, logger: logger)
                context.startTicking()
                return NIOLoopBound(context, eventLoop: loop)
            }.get()
            loops.append(LoopSlot(loop: loop, context: context))
            index[ObjectIdentifier(loop)] = context
        }
        let contexts = index
        let limit = max(1, configuration.maxConnections / max(1, loops.count))
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                guard let context = contexts[ObjectIdentifier(channel.eventLoop)] else {
                    return channel.close()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try Self.configure(channel, context.value, limit: limit)
                }
            }
            .bind(host: host, port: port)
            .get()
        guard let address = channel.localAddress else {
            throw ChannelError.operationUnsupported
        }
        return HTTPServer(channel: channel, address: address, loops: loops)
    }

    private static func configure(
        _ channel: any Channel, _ loop: LoopContext, limit: Int
    ) throws {
        guard loop.connectionCount < limit, !loop.isDraining else {
            channel.close(promise: nil)
            return
        }
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = loop.configuration.maxHeadBytes
        limits.maxHeaderListSize =
            loop.configuration.maxHeadBytes + loop.configuration.maxTargetBytes
        limits.maxHeaderFieldCount = loop.configuration.maxFields + 1
        let decoder = HTTPRequestDecoder(
            leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
            limitConfiguration: limits)
        let responder = ProxyResponder(
            loop: loop.loop, engine: loop.engine, configuration: loop.configuration,
            hasher: loop.hasher, secret: loop.secret)
        try channel.pipeline.syncOperations.addHandlers([
            ByteToMessageHandler(decoder), ConnectionHandler(loop: loop, responder: responder),
        ])
    }

    /// Stops accepting, closes idle connections and waits until the others are done.
    ///
    /// - Returns: `false` when connections had to be cut after `timeout`.
    package func shutdown(timeout: Duration) async -> Bool {
        try? await channel.close().get()
        for slot in loops { slot.loop.execute { slot.context.value.drain() } }
        let deadline = ContinuousClock.now + timeout
        while await openConnections() > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let isDone = await openConnections() == 0
        for slot in loops { slot.loop.execute { slot.context.value.closeAll() } }
        return isDone
    }

    private func openConnections() async -> Int {
        var count = 0
        for slot in loops {
            let open = slot.loop.submit { slot.context.value.connectionCount }
            count += (try? await open.get()) ?? 0
        }
        return count
    }
}
