import CacheEngine
import HTTPFrontend
import Logging
import NIOCore
import OriginClient
import ServiceLifecycle
import UnixSignals

/// Runs services until the process is told to stop.
enum Lifecycle {
    /// The first SIGTERM or SIGINT stops them gracefully, last to first; the second ends the process
    /// at once with exit code 1 (`ServiceGroup` knows no second signal).
    ///
    /// - Parameter signals: trapped before anything is opened, so that none is missed or kills a
    ///   server that is just starting.
    static func run(
        _ services: [any Service], signals: UnixSignalsSequence, logger: Logger
    ) async throws {
        // Its own lines at debug tell a user nothing that ours do not.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, logger: quiet))
        let watcher = Task {
            var isStopping = false
            for await signal in signals {
                guard !isStopping else {
                    logger.warning("stopped at once", metadata: ["signal": "\(signal)"])
                    Platform.endAtOnce(1)
                }
                isStopping = true
                logger.info("stopping", metadata: ["signal": "\(signal)"])
                await group.triggerGracefulShutdown()
            }
        }
        defer { watcher.cancel() }
        try await group.run()
    }
}

/// Drains the write queue, checkpoints and closes the file.
struct EngineService: Service {
    let engine: Engine
    let timeout: Duration

    func run() async throws {
        try await gracefulShutdown()
        guard await engine.shutdown(timeout: timeout) else {
            throw StartFailure("the write queue could not be drained within \(timeout)")
        }
    }
}

/// Lets exchanges with the origin end.
struct OriginService: Service {
    let origin: OriginClient

    func run() async throws {
        try await gracefulShutdown()
        try? await origin.shutdown(gracePeriod: .seconds(2)).get()
    }
}

/// Stops accepting and waits for what is in flight.
struct FrontendService: Service {
    let server: HTTPServer
    let timeout: Duration
    let logger: Logger

    func run() async throws {
        try await gracefulShutdown()
        if await !server.shutdown(timeout: timeout) {
            logger.warning("exchanges were cut off", metadata: ["after": "\(timeout)"])
        }
    }
}
