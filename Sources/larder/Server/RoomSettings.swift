import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPFrontend
import Logging
import NIOCore
import OriginClient
import SQLiteStore

/// The server's configuration in the words of each room; made before anything is opened.
struct RoomSettings {
    var engine = EngineConfiguration()
    var frontend: FrontendConfiguration
    /// Nil when the Cache API is not served.
    var cacheAPI: FrontendConfiguration?
    /// Nil when nothing is proxied.
    var origin: OriginClientConfiguration?
    var store: SQLiteStoreConfiguration
    /// From `--key-file`; otherwise the store makes one.
    var secret: CredentialSecret?

    private static let readers = 2

    /// - Throws: ``StartFailure`` naming the flag whose value cannot be used.
    init(_ server: ServerConfiguration) throws(StartFailure) {
        frontend = try Self.frontend(server)
        if server.cacheAPI.address != nil { cacheAPI = try Self.cacheAPI(server, frontend) }
        if let url = server.origin.url { origin = try Self.origin(server.origin, url) }
        store = SQLiteStoreConfiguration(path: server.store.path)
        store.durability = server.store.durability == .full ? .full : .balanced
        store.hardLogLimit = server.store.maxWALBytes
        store.readers = Self.readers
        store.maxBytes = Int64(server.store.maxBytes)
        store.staleMargin = max(store.staleMargin, server.caching.staleIfError)
        engine.readers = Self.readers
        engine.viaName = Self.pseudonym()
        // One answer must not push out all others.
        engine.maxObjectBytes = min(server.caching.maxObjectBytes, server.store.maxBytes / 4)
        engine.staleIfError = server.caching.staleIfError
        engine.credentialFields = server.caching.credentialFields
        engine.collapseTimeout = server.caching.collapseTimeout.timeAmount
        // A quarter is for what is in flight, of which the write queue has a part.
        engine.inFlightBudget = server.memoryBytes / 4
        engine.queue = WriteQueue.Limits(
            entries: server.store.queueEntries,
            bytes: min(server.store.queueBytes, engine.inFlightBudget / 2))
        // SQLite's pages are memory, too.
        let pageCache = min(48 * ByteSize.megabyte, server.memoryBytes / 8)
        store.writerCacheKiB = pageCache / 1024
        store.readerCacheKiB = max(256, min(4096, pageCache / 16_384))
        engine.memoryBudget =
            server.memoryBytes - engine.inFlightBudget - pageCache
            - Self.readers * store.readerCacheKiB * 1024
        if let path = server.caching.keyFile { secret = try Self.secret(path) }
    }

    /// A name in Via of this instance's own: one that is in front of itself or of another must
    /// tell a circle from a chain (RFC 9110 §7.6.3).
    private static func pseudonym() -> String {
        let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
        return "larder-" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }

    private static func frontend(
        _ server: ServerConfiguration
    ) throws(StartFailure) -> FrontendConfiguration {
        let caching = server.caching
        var policy = StoragePolicy()
        policy.defaultTTL = caching.defaultTTL
        policy.ttlOverride = caching.ttlOverride
        policy.storesParts = true
        policy.ignoreCredentials = caching.ignoresCredentials
        policy.ignoreRequestDirectives = caching.ignoresRequestDirectives
        policy.validatesPost = caching.validatesPost
        switch caching.setCookie {
        case .refuse: policy.setCookie = .refuse
        case .strip: policy.setCookie = .strip
        case .store: policy.setCookie = .store
        }
        var globs: [PathGlob] = []
        for text in caching.declaredPosts {
            do {
                globs.append(try PathGlob(text))
            } catch {
                throw StartFailure("--cache-post \(text): \(error)")
            }
        }
        var frontend = FrontendConfiguration(
            routes: RouteTable(declared: globs, policy: policy))
        let listener = server.listener
        for host in listener.hosts {
            guard let normal = Authority.normalized(host, scheme: "http") else {
                throw StartFailure("--host \(host): not a host name or HOST:PORT")
            }
            frontend.hosts.insert(normal)
        }
        frontend.credentialFields = caching.credentialFields
        frontend.keyFields = caching.keyFields
        frontend.ignoresCredentials = caching.ignoresCredentials
        frontend.maxKeyBodyBytes = caching.maxKeyBodyBytes
        frontend.spoolBytes = caching.spoolBytes
        frontend.spoolDirectory = Platform.directory(ofFile: server.store.path)
        switch server.store.keptRequestContent {
        case .off: frontend.keptContent = .off
        case .text: frontend.keptContent = .text
        case .all: frontend.keptContent = .all
        }
        frontend.maxTargetBytes = listener.maxTargetBytes
        frontend.maxHeadBytes = listener.maxHeadBytes
        frontend.maxFields = listener.maxFields
        frontend.maxConnections = listener.maxConnections
        frontend.headTimeout = listener.headTimeout.wholeSeconds
        frontend.bodyTimeout = listener.bodyTimeout.wholeSeconds
        frontend.keepAliveTimeout = listener.keepAliveTimeout.wholeSeconds
        frontend.writeTimeout = listener.writeTimeout.wholeSeconds
        frontend.logsExchanges = server.logLevel <= .debug
        return frontend
    }

    /// The listener's limits are its own: keys may be long, and heads hold all of a key's fields.
    private static func cacheAPI(
        _ server: ServerConfiguration, _ frontend: FrontendConfiguration
    ) throws(StartFailure) -> FrontendConfiguration {
        var settings = CacheAPISettings()
        settings.policy.storesServerErrors = server.cacheAPI.storesServerErrors
        switch server.cacheAPI.ttlDefaults {
        case .cloudflare: settings.policy.lifetimes = .fromFields(.cloudflare)
        case .none: settings.policy.lifetimes = .fromFields(.none)
        }
        if let path = server.cacheAPI.tokenFile { settings.token = try token(path) }
        var cacheAPI = frontend
        cacheAPI.service = .cacheAPI(settings)
        cacheAPI.hosts = []
        cacheAPI.maxHeadBytes = 160 * ByteSize.kilobyte
        cacheAPI.maxTargetBytes = 128 * ByteSize.kilobyte
        // As many as a head has room for.
        cacheAPI.maxFields = 32 * ByteSize.kilobyte
        return cacheAPI
    }

    private static func token(_ path: String) throws(StartFailure) -> SecretText {
        var bytes: [UInt8]
        do {
            bytes = try Platform.contents(ofFile: path, limit: 4096)
        } catch {
            throw StartFailure("--cache-api-token-file \(path): \(error.description)")
        }
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x21...0x7E).contains($0) }),
            let token = SecretText(String(decoding: bytes, as: UTF8.self))
        else {
            throw StartFailure(
                "--cache-api-token-file \(path): expected one line of printable ASCII without"
                    + " spaces")
        }
        return token
    }

    private static func origin(
        _ origin: ServerConfiguration.Origin, _ url: OriginURL
    ) throws(StartFailure) -> OriginClientConfiguration {
        let address: OriginAddress
        do {
            address = try OriginAddress(url.description)
        } catch {
            throw StartFailure("--origin \(url): \(error)")
        }
        var client = OriginClientConfiguration(address: address)
        client.connectTimeout = origin.connectTimeout.timeAmount
        client.firstByteTimeout = origin.firstByteTimeout.timeAmount
        client.betweenBytesTimeout = origin.betweenBytesTimeout.timeAmount
        client.idleTimeout = origin.idleTimeout.timeAmount
        client.maxConnectionsPerLoop = origin.connectionsPerThread
        client.preserveHost = origin.preservesHost
        client.trustRootsFile = origin.certificateAuthorityFile
        return client
    }

    private static func secret(_ path: String) throws(StartFailure) -> CredentialSecret {
        let bytes: [UInt8]
        do {
            bytes = try Platform.contents(ofFile: path, limit: 4096)
        } catch {
            throw StartFailure("--key-file \(path): \(error.description)")
        }
        guard let secret = CredentialSecret(bytes: bytes) else {
            let counts = CredentialSecret.byteCounts
            throw StartFailure(
                "--key-file \(path): has \(bytes.count) bytes, "
                    + "\(counts.lowerBound) to \(counts.upperBound) are needed")
        }
        return secret
    }
}

extension Error {
    /// The system's words where there are some.
    var oneLine: String {
        if let error = self as? IOError { return Platform.reason(ofErrno: error.errnoCode) }
        return String(describing: self)
    }
}

extension Duration {
    /// At least 1: deadlines are kept in whole seconds.
    var wholeSeconds: Int64 {
        max(1, components.seconds + (components.attoseconds > 0 ? 1 : 0))
    }

    var timeAmount: TimeAmount {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return .nanoseconds(.max) }
        return .nanoseconds(seconds) + .nanoseconds(components.attoseconds / 1_000_000_000)
    }
}
