import CacheEngine
import CacheKeys
import HTTPFrontend
import Logging
import NIOCore
import NIOPosix
import OriginClient
import SQLiteStore
import ServiceLifecycle
import UnixSignals

/// The server itself: everything that `serve` starts, in the order in which it is stopped again.
struct Server {
    let configuration: ServerConfiguration

    /// Runs until the process is told to stop and everything in flight is finished.
    ///
    /// - Throws: ``StartFailure`` when a port or file cannot be used.
    func run() async throws {
        let logger = Logger(label: "larder")
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let clock = SystemClock()
        let rooms = try RoomSettings(configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.threads)
        let server = try await listen(group)
        do {
            try await serve(
                server, rooms: rooms, group: group, signals: signals, clock: clock, logger: logger)
        } catch {
            await server.close()
            throw error as? StartFailure ?? StartFailure(error.oneLine)
        }
        logger.info("stopped")
    }

    /// Before a file is touched: a port in use leaves nothing behind.
    private func listen(
        _ group: MultiThreadedEventLoopGroup
    ) async throws(StartFailure) -> HTTPServer {
        let address = configuration.listener.address
        do {
            return try await HTTPServer.bind(host: address.host, port: address.port, group: group)
        } catch {
            throw StartFailure("cannot listen on \(address): \(error.oneLine)")
        }
    }

    private func serve(
        _ server: HTTPServer, rooms: RoomSettings, group: MultiThreadedEventLoopGroup,
        signals: UnixSignalsSequence, clock: SystemClock, logger: Logger
    ) async throws {
        let origin = try makeOrigin(rooms, group: group)
        let store = try openStore(rooms, clock: clock, logger: logger)
        let secret = try credentialSecret(rooms, store: store)
        let engine = Engine(
            configuration: rooms.engine, store: store, origin: origin, clock: clock,
            renderer: StoredRendering(), secret: secret, logger: logger)
        try await server.serve(
            engine: engine, configuration: rooms.frontend, secret: secret, clock: clock,
            logger: logger)
        announce(server, logger: logger)
        let drain = configuration.drainTimeout
        try await Lifecycle.run(
            [
                EngineService(engine: engine, timeout: drain),
                OriginService(origin: origin),
                FrontendService(server: server, timeout: drain, logger: logger),
            ], signals: signals, logger: logger)
    }

    private func makeOrigin(
        _ rooms: RoomSettings, group: MultiThreadedEventLoopGroup
    ) throws(StartFailure) -> OriginClient {
        do {
            return try OriginClient(rooms.origin, group: group)
        } catch {
            throw StartFailure("the origin's certificates cannot be read: \(error)")
        }
    }

    private func openStore(
        _ rooms: RoomSettings, clock: SystemClock, logger: Logger
    ) throws(StartFailure) -> SQLiteStore {
        do {
            return try SQLiteStore(
                configuration: rooms.store, clock: { clock.now() }, logger: logger)
        } catch {
            throw StartFailure(error.description)
        }
    }

    private func credentialSecret(
        _ rooms: RoomSettings, store: SQLiteStore
    ) throws(StartFailure) -> CredentialSecret {
        if let given = rooms.secret { return given }
        do {
            let bytes = try store.credentialSecret()
            guard let secret = CredentialSecret(bytes: bytes) else {
                throw StartFailure("the secret in \(configuration.store.path) is not usable")
            }
            return secret
        } catch let error as StartFailure {
            throw error
        } catch {
            throw StartFailure(
                "the secret in \(configuration.store.path) cannot be read: \(error)")
        }
    }

    private func announce(_ server: HTTPServer, logger: Logger) {
        var settings = Logger.Metadata()
        for (name, value) in configuration.effectiveSettings where !value.isEmpty {
            settings[name] = "\(value)"
        }
        logger.info("configuration", metadata: settings)
        let address = server.address
        let host = address.ipAddress ?? configuration.listener.address.host
        let text = ListenAddress(host: host, port: address.port ?? 0)
        logger.info(
            "listening", metadata: ["address": "\(text)", "version": "\(Version.current)"])
    }
}
