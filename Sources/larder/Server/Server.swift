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
        let listeners = try await listen(rooms, group)
        do {
            try await serve(
                listeners, rooms: rooms, group: group, signals: signals, clock: clock,
                logger: logger)
        } catch {
            for listener in listeners { await listener.server.close() }
            throw error as? StartFailure ?? StartFailure(error.oneLine)
        }
        logger.info("stopped")
    }

    /// One bound address and what is offered on it.
    private struct Listener {
        var server: HTTPServer
        var frontend: FrontendConfiguration
        var message: Logger.Message
        var address: ListenAddress
    }

    /// Before a file is touched: a port in use leaves nothing behind.
    private func listen(
        _ rooms: RoomSettings, _ group: MultiThreadedEventLoopGroup
    ) async throws(StartFailure) -> [Listener] {
        var listeners: [Listener] = []
        if configuration.origin.url != nil {
            let address = configuration.listener.address
            listeners.append(
                Listener(
                    server: try await bind(address, group), frontend: rooms.frontend,
                    message: "listening", address: address))
        }
        guard let address = configuration.cacheAPI.address, let frontend = rooms.cacheAPI else {
            return listeners
        }
        do {
            listeners.append(
                Listener(
                    server: try await bind(address, group), frontend: frontend,
                    message: "listening for the Cache API", address: address))
        } catch {
            for listener in listeners { await listener.server.close() }
            throw error
        }
        return listeners
    }

    private func bind(
        _ address: ListenAddress, _ group: MultiThreadedEventLoopGroup
    ) async throws(StartFailure) -> HTTPServer {
        do {
            return try await HTTPServer.bind(host: address.host, port: address.port, group: group)
        } catch {
            throw StartFailure("cannot listen on \(address): \(error.oneLine)")
        }
    }

    private func serve(
        _ listeners: [Listener], rooms: RoomSettings, group: MultiThreadedEventLoopGroup,
        signals: UnixSignalsSequence, clock: SystemClock, logger: Logger
    ) async throws {
        let origin = try makeOrigin(rooms, group: group)
        let store = try openStore(rooms, clock: clock, logger: logger)
        let secret = try credentialSecret(rooms, store: store)
        let engine = Engine(
            configuration: rooms.engine, store: store, origin: origin, clock: clock,
            renderer: StoredRendering(), secret: secret, logger: logger)
        for listener in listeners {
            try await listener.server.serve(
                engine: engine, configuration: listener.frontend, secret: secret, clock: clock,
                logger: logger)
        }
        announce(listeners, logger: logger)
        let drain = configuration.drainTimeout
        var services: [any Service] = [EngineService(engine: engine, timeout: drain)]
        if let origin { services.append(OriginService(origin: origin)) }
        services += listeners.map {
            FrontendService(server: $0.server, timeout: drain, logger: logger)
        }
        try await Lifecycle.run(services, signals: signals, logger: logger)
    }

    private func makeOrigin(
        _ rooms: RoomSettings, group: MultiThreadedEventLoopGroup
    ) throws(StartFailure) -> OriginClient? {
        guard let configuration = rooms.origin else { return nil }
        do {
            return try OriginClient(configuration, group: group)
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

    private func announce(_ listeners: [Listener], logger: Logger) {
        var settings = Logger.Metadata()
        for (name, value) in configuration.effectiveSettings where !value.isEmpty {
            settings[name] = "\(value)"
        }
        logger.info("configuration", metadata: settings)
        for listener in listeners {
            let address = listener.server.address
            let text = ListenAddress(
                host: address.ipAddress ?? listener.address.host, port: address.port ?? 0)
            logger.info(
                listener.message,
                metadata: ["address": "\(text)", "version": "\(Version.current)"])
        }
    }
}
