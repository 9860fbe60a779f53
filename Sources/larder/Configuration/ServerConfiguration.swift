import Logging
import NIOCore

/// Everything that `serve` can be told, validated once at start.
///
/// A value of this type that came from ``ServeSettings`` keeps every bound that the settings
/// state. Defaults are those of the command line.
struct ServerConfiguration: Sendable, Equatable {
    var origin = Origin()
    var listener = Listener()
    var cacheAPI = CacheAPI()
    var caching = Caching()
    var store = Store()

    /// Bytes for the memory tier, fills, the write queue and answers in flight together.
    var memoryBytes = 256 * ByteSize.megabyte
    /// Event loops, each with a pool of origin connections of its own.
    var threads = System.coreCount
    /// How long a stop waits for exchanges in flight before it closes their connections.
    var drainTimeout: Duration = .seconds(10)
    var logLevel: Logger.Level = .info

    /// - Parameter url: nil when only the Cache API is served.
    init(origin url: OriginURL?) {
        origin.url = url
    }
}

extension ServerConfiguration {
    /// The server that is stood in front of, and how long it may take.
    struct Origin: Sendable, Equatable {
        /// Without one nothing is proxied.
        var url: OriginURL?
        /// Whether the origin sees the client's Host instead of its own authority.
        var preservesHost = false
        /// A PEM file with the roots to trust instead of the system's.
        var certificateAuthorityFile: String?
        /// From the first packet until the connection (with TLS: the handshake) stands.
        var connectTimeout: Duration = .seconds(5)
        /// From the end of the request until the first byte of the answer.
        var firstByteTimeout: Duration = .seconds(60)
        /// Between two bytes of an answer.
        var betweenBytesTimeout: Duration = .seconds(60)
        /// How long an unused connection is kept; shorter than the origin keeps it is best.
        var idleTimeout: Duration = .seconds(30)
        /// Connections for each thread; requests past it wait.
        var connectionsPerThread = 1024
    }

    /// The side of the clients.
    struct Listener: Sendable, Equatable {
        var address = ListenAddress(host: "127.0.0.1", port: 8080)
        /// Authorities that are served, lower-case; empty: all.
        var hosts: [String] = []
        /// From the first byte of a request until the end of its head.
        var headTimeout: Duration = .seconds(10)
        /// How long a request's content may make no progress.
        var bodyTimeout: Duration = .seconds(30)
        /// How long a connection may wait for its next request.
        var keepAliveTimeout: Duration = .seconds(60)
        /// How long a client may take nothing of its answer.
        var writeTimeout: Duration = .seconds(30)
        /// Connections of clients; past it no more are accepted.
        var maxConnections = 16_384
        /// Bytes of request line and fields together.
        var maxHeadBytes = 32 * ByteSize.kilobyte
        /// Bytes of the request target.
        var maxTargetBytes = 8 * ByteSize.kilobyte
        /// Field lines of a request.
        var maxFields = 100
    }

    /// The listener for programs that match, put and delete by hand.
    struct CacheAPI: Sendable, Equatable {
        /// Nil: there is none.
        var address: ListenAddress?
        /// The file with the text that every request has to present.
        var tokenFile: String?
        /// How long a response lives that says nothing about it.
        var ttlDefaults = TTLDefaults.cloudflare
        /// Whether responses with a status of 500 and above may be stored.
        var storesServerErrors = false
    }

    /// Lifetimes of responses that are put and name none.
    enum TTLDefaults: String, Sendable, CaseIterable {
        case cloudflare
        case none
    }

    /// What may be stored and for how long.
    struct Caching: Sendable, Equatable {
        /// Globs of raw paths to which POST is declared cacheable.
        var declaredPosts: [String] = []
        /// Seconds that a 200 to a declared POST is fresh when the origin gives no lifetime.
        var defaultTTL: Int64 = 7200
        /// Seconds that rule over whatever the origin says, on declared routes only.
        var ttlOverride: Int64?
        /// Seconds past its freshness that an answer may stand in for a failing origin.
        var staleIfError: Int64 = 0
        var setCookie = SetCookie.refuse
        /// Whether declared answers are shared between clients of different credentials.
        var ignoresCredentials = false
        /// Whether callers' Cache-Control and Pragma count for nothing.
        var ignoresRequestDirectives = false
        /// Whether a stale answer to a declared POST is validated with the origin.
        var validatesPost = false
        /// Further fields that carry credentials, lower-case.
        var credentialFields: [String] = []
        /// Further request fields that are part of the key, lower-case.
        var keyFields: [String] = []
        /// The file with the secret for digests of credentials; without it the store makes one.
        var keyFile: String?
        /// How long a request waits for the head of an equal one that is under way.
        var collapseTimeout = Duration.seconds(30)
        /// Bytes of the largest answer that is stored.
        var maxObjectBytes = 512 * ByteSize.megabyte
        /// Bytes of the largest request content that can be part of a key.
        var maxKeyBodyBytes = 64 * ByteSize.megabyte
        /// Bytes on disk for request content on its way, beside the database.
        var spoolBytes = 2 * ByteSize.gigabyte
    }

    /// The SQLite file and the queue before it.
    struct Store: Sendable, Equatable {
        var path = "larder.db"
        var durability = Durability.full
        var keptRequestContent = KeptRequestContent.text
        /// Bytes of the file, which eviction keeps.
        var maxBytes = 10 * ByteSize.gigabyte
        /// Bytes of the write-ahead log past which puts are refused until it shrinks.
        var maxWALBytes = 256 * ByteSize.megabyte
        /// Mutations that wait for their commit, at most.
        var queueEntries = 4096
        /// Bytes that wait for their commit, at most.
        var queueBytes = 64 * ByteSize.megabyte
    }

    /// What happens to an answer with Set-Cookie.
    enum SetCookie: String, Sendable, CaseIterable {
        case refuse
        case strip
        case store
    }

    /// What a power loss may cost.
    enum Durability: String, Sendable, CaseIterable {
        case full
        case balanced
    }

    /// Which request content of POST entries is kept for people to read.
    enum KeptRequestContent: String, Sendable, CaseIterable {
        case off
        case text
        case all
    }
}

/// Units of bytes.
enum ByteSize {
    static let kilobyte = 1024
    static let megabyte = 1024 * kilobyte
    static let gigabyte = 1024 * megabyte
    static let terabyte = 1024 * gigabyte
}
