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
    private let group: MultiThreadedEventLoopGroup
    private let served: Served

    /// One event loop and what its connections share.
    private struct LoopSlot: Sendable {
        var loop: any EventLoop
        var context: NIOLoopBound<LoopContext>
    }

    /// What new connections find; nothing until `serve`.
    private final class Served: Sendable {
        let slots = Mutex<[LoopSlot]>([])

        func configure(_ channel: any Channel) throws {
            let slots = slots.withLock { $0 }
            guard let slot = slots.first(where: { $0.loop === channel.eventLoop }) else {
                throw ChannelError.ioOnClosedChannel
            }
            let loop = slot.context.value
            let limit = max(1, loop.configuration.maxConnections / max(1, slots.count))
            try HTTPServer.configure(channel, loop, limit: limit)
        }
    }

    private init(
        channel: any Channel, address: SocketAddress, group: MultiThreadedEventLoopGroup,
        served: Served
    ) {
        self.channel = channel
        self.address = address
        self.group = group
        self.served = served
    }

    /// Binds the address and takes no connection yet: who connects waits in the system's queue.
    ///
    /// First of all, so that a port in use stops the start before a file is touched.
    ///
    /// - Throws: `IOError` when the address cannot be bound.
    package static func bind(
        host: String, port: Int, group: MultiThreadedEventLoopGroup
    ) async throws -> HTTPServer {
        let served = Served()
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Every connection may hold one: 64 KiB, NIO's own limit, is much for 1,000 uploads.
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 1024, initial: 2048, maximum: 16_384)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try served.configure(channel) }
            }
            .bind(host: host, port: port)
            .get()
        guard let address = channel.localAddress else {
            throw ChannelError.operationUnsupported
        }
        return HTTPServer(channel: channel, address: address, group: group, served: served)
    }

    /// Takes connections from here on.
    ///
    /// - Throws: `KeyError` when libcrypto fails.
    package func serve(
        engine: Engine, configuration: FrontendConfiguration, secret: CredentialSecret,
        clock: any WallClock, logger: Logger
    ) async throws {
        let spool = SpoolArea(
            directory: configuration.spoolDirectory, byteLimit: configuration.spoolBytes,
            budget: engine.budget)
        var slots: [LoopSlot] = []
        for loop in group.makeIterator() {
            let context = try await loop.submit {
                let context = try LoopContext(
                    loop: loop, engine: engine, configuration: configuration, secret: secret,
                    spool: spool, clock: clock, logger: logger)
                context.startTicking()
                return NIOLoopBound(context, eventLoop: loop)
            }.get()
            slots.append(LoopSlot(loop: loop, context: context))
        }
        served.slots.withLock { [slots] in $0 = slots }
        try await channel.setOption(.autoRead, value: true).get()
    }

    /// Gives the address back without having served.
    package func close() async {
        try? await channel.close().get()
    }

    /// Gives a new connection its handlers; more than `limit` on a loop are closed at once.
    static func configure(
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
            hasher: loop.hasher, secret: loop.secret, keyFields: loop.keyFields)
        var cacheAPI: CacheAPIResponder?
        if case .cacheAPI(let settings) = loop.configuration.service {
            cacheAPI = CacheAPIResponder(
                loop: loop.loop, engine: loop.engine, settings: settings, hasher: loop.hasher)
        }
        let gate = ByteGate()
        try channel.pipeline.syncOperations.addHandlers([
            gate, ByteToMessageHandler(decoder),
            ConnectionHandler(
                loop: loop, responder: responder, cacheAPI: cacheAPI, gate: gate),
        ])
    }

    /// Stops accepting, closes idle connections and waits until the others are done.
    ///
    /// - Returns: `false` when connections had to be cut after `timeout`.
    package func shutdown(timeout: Duration) async -> Bool {
        try? await channel.close().get()
        for slot in served.slots.withLock({ $0 }) {
            slot.loop.execute { slot.context.value.drain() }
        }
        let deadline = ContinuousClock.now + timeout
        while await openConnections() > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(10))
        }
        let isDone = await openConnections() == 0
        for slot in served.slots.withLock({ $0 }) {
            slot.loop.execute { slot.context.value.closeAll() }
        }
        return isDone
    }

    private func openConnections() async -> Int {
        var count = 0
        for slot in served.slots.withLock({ $0 }) {
            let open = slot.loop.submit { slot.context.value.connectionCount }
            count += (try? await open.get()) ?? 0
        }
        return count
    }
}
