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
        // Before the file is touched: a port in use leaves nothing behind.
        try await rooms.probePort(group: group)
        let origin = try makeOrigin(rooms, group: group)
        let store = try openStore(rooms, clock: clock, logger: logger)
        let secret = try credentialSecret(rooms, store: store)
        let engine = Engine(
            configuration: rooms.engine, store: store, origin: origin, clock: clock,
            renderer: StoredRendering(), secret: secret, logger: logger)
        let drain = configuration.drainTimeout
        let services: [any Service] = [
            EngineService(engine: engine, timeout: drain, logger: logger),
            OriginService(origin: origin),
        ]
        do {
            let server = try await HTTPServer.start(
                host: configuration.listener.address.host,
                port: configuration.listener.address.port, group: group, engine: engine,
                configuration: rooms.frontend, secret: secret, clock: clock, logger: logger)
            announce(server, logger: logger)
            let frontend = FrontendService(server: server, timeout: drain, logger: logger)
            try await Lifecycle.run(services + [frontend], signals: signals, logger: logger)
        } catch let error as StartFailure {
            throw error
        } catch {
            _ = await engine.shutdown(timeout: drain)
            throw StartFailure("cannot listen on \(configuration.listener.address): \(error)")
        }
        logger.info("stopped")
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
