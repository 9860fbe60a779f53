import CacheEngine
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Opens connections to the origin: name, TCP, TLS, pipeline.
struct ConnectionOpener: Sendable {
    private let address: OriginAddress
    /// The address where the host is an IP literal: needs no resolver.
    private let literal: SocketAddress?
    private let tls: NIOSSLContext?
    private let connectTimeout: TimeAmount
    private let maxHeadBytes: Int
    private let decoderLimits: NIOHTTPDecoderLimitConfiguration

    /// Reads the trust roots.
    ///
    /// - Throws: `OriginTrustError`.
    init(_ configuration: OriginClientConfiguration) throws(OriginTrustError) {
        address = configuration.address
        literal = try? SocketAddress(ipAddress: address.host, port: address.port)
        tls = address.scheme == .https ? try OriginTrust.context(configuration) : nil
        connectTimeout = configuration.connectTimeout
        maxHeadBytes = max(0, configuration.maxHeadBytes)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = maxHeadBytes
        limits.maxHeaderListSize = maxHeadBytes
        // HTTPFields ends the process at 65,535.
        limits.maxHeaderFieldCount = min(max(0, configuration.maxHeadFields), 10_000)
        decoderLimits = limits
    }

    /// Opens a connection; `completion` is called on `loop`, later.
    func open(
        on loop: any EventLoop,
        completion: @escaping (Result<OriginConnection, OriginError>) -> Void
    ) {
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(connectTimeout)
            // Called once for every address that is tried.
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.addHandlers(to: channel) }
            }
        let connected =
            if let literal { bootstrap.connect(to: literal) } else {
                bootstrap.connect(host: address.host, port: address.port)
            }
        connected.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.secured(channel, completion: completion)
            case .failure(let error): completion(.failure(OriginError(onOpening: error)))
            }
        }
    }

    private func addHandlers(to channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            let name = literal == nil ? address.host : nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        let connection = OriginConnection(maxHeadBytes: maxHeadBytes)
        var encoding = HTTPRequestEncoder.Configuration()
        encoding.automaticallySetFramingHeaders = false
        let decoder = HTTPResponseDecoder(
            leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .forward,
            limitConfiguration: decoderLimits)
        try pipeline.addHandler(RawByteGate(connection: connection))
        try pipeline.addHandler(HTTPRequestEncoder(configuration: encoding))
        // The decoder stands behind the encoder to learn the method of each request.
        try pipeline.addHandler(ByteToMessageHandler(decoder))
        try pipeline.addHandler(connection)
    }

    /// Waits for the handshake, where there is one.
    private func secured(
        _ channel: any Channel,
        completion: @escaping (Result<OriginConnection, OriginError>) -> Void
    ) {
        let pipeline = channel.pipeline.syncOperations
        guard let connection = try? pipeline.handler(type: OriginConnection.self),
            let gate = try? pipeline.handler(type: RawByteGate.self), channel.isActive
        else { return completion(.failure(.connectFailed(.closed, "closed at once"))) }
        guard tls != nil else { return completion(.success(connection)) }

        // Part of the time to connect; the handshake has no timeout of its own.
        let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: connectTimeout) {
            connection.giveUpOpening()
        }
        let shaken = channel.eventLoop.makePromise(of: Void.self)
        shaken.futureResult.assumeIsolated().whenComplete { result in
            deadline.cancel()
            switch result {
            case .success where connection.isOpen: completion(.success(connection))
            case .success:
                completion(.failure(.connectFailed(.closed, "closed after the handshake")))
            case .failure(let error):
                let cause = connection.openingError ?? error
                completion(.failure(OriginError(onOpening: cause)))
            }
        }
        gate.probe(shaken)
    }
}
