import ArgumentParser
import Logging

/// `larder serve`: reads the command line and the environment, then runs the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Stand in front of an origin and answer repeated requests from one SQLite file.",
        usage: """
            larder serve --origin <url> [--cache-post <glob> ...] [<options>]
            larder serve --cache-api <host:port> [--origin <url>] [<options>]
            """,
        discussion: """
            Durations are written 500ms 30s 5m 2h 7d, sizes 64KB 10MB 2GB (1KB = 1024 bytes) or \
            as plain bytes. Every option can also be set in the environment: --default-ttl is \
            LARDER_DEFAULT_TTL, and so on; repeated options are separated by commas there, and \
            an empty variable counts as not set. The command line wins.
            """)

    @OptionGroup(title: "Origin") var origin: OriginOptions
    @OptionGroup(title: "Listener") var listener: ListenerOptions
    @OptionGroup(title: "Cache API") var cacheAPI: CacheAPIOptions
    @OptionGroup(title: "What is cached") var caching: CachingOptions
    @OptionGroup(title: "Store and memory") var store: StoreOptions
    @OptionGroup(title: "Client timeouts and limits") var clientLimits: ClientLimitOptions
    @OptionGroup(title: "Origin timeouts and limits") var originLimits: OriginLimitOptions
    @OptionGroup(title: "Process") var process: ProcessOptions

    /// What the command line says, by the option's name without dashes.
    var given: [String: [String]] {
        let groups = [
            origin.given, listener.given, cacheAPI.given, caching.given, store.given,
            clientLimits.given,
            originLimits.given, process.given,
        ]
        return groups.reduce(into: [:]) { all, group in
            all.merge(group) { first, _ in first }
        }
    }

    func run() async throws {
        let settings = try ServeSettings(flags: given, environment: Platform.environment())
        LogBootstrap.toStandardError(level: settings.configuration.logLevel)
        let logger = Logger(label: "larder")
        for warning in settings.warnings {
            logger.warning("\(warning)")
        }
        try await Server(configuration: settings.configuration).run()
    }
}
