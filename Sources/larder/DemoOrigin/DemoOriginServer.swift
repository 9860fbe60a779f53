import NIOCore
import NIOHTTP1
import NIOPosix

/// The demo origin: listens, says so in one line, and serves until the process ends.
struct DemoOriginServer {
    let address: ListenAddress
    let delay: Duration

    /// Runs until SIGTERM or SIGINT, which end the process at once.
    ///
    /// - Throws: ``StartFailure`` when the address cannot be listened on.
    func run() async throws {
        Platform.endAtOnceOnTermination()
        let channel = try await listen()
        let bound = ListenAddress(
            host: address.host, port: channel.localAddress?.port ?? address.port)
        Platform.writeToStandardOutput("demo-origin listening on http://\(bound)\n")
        try await channel.closeFuture.get()
    }

    private func listen() async throws -> any Channel {
        let site = DemoSite()
        let delay = TimeAmount(delay)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline()
                    try pipeline.addHandler(DemoOriginHandler(site: site, delay: delay))
                }
            }
        do {
            return try await bootstrap.bind(host: address.host, port: address.port).get()
        } catch {
            throw StartFailure(cannotListenOn: address, because: error)
        }
    }
}

extension StartFailure {
    /// The failure of listening, in one sentence.
    init(cannotListenOn address: ListenAddress, because error: any Error) {
        let reason = (error as? IOError).map { Platform.reason(ofErrno: $0.errnoCode) }
        self.init("cannot listen on \(address): \(reason ?? String(describing: error))")
    }
}
