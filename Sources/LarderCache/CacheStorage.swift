package import CacheEngine
import CacheKeys
import HTTPCaching
public import HTTPTypes
public import Logging
import NIOCore
import SQLiteStore

/// The caches in one SQLite file, as a worker knows them: a default one and any number of named ones.
///
/// The file is that of `larder serve`, which cannot have it open at the same time. Callable from any
/// task; close it when the program ends.
public final class CacheStorage: Sendable {
    /// How a storage keeps what is put.
    public struct Configuration: Sendable, Equatable {
        /// How long responses live.
        public enum Lifetimes: Sendable, Equatable {
            /// As their fields say; those that name no lifetime as Cloudflare's zones have it
            /// (200 and 301 two hours, 404 and 410 three minutes).
            case cloudflare
            /// As their fields say; those that name none are not stored unless Last-Modified lets it
            /// be guessed.
            case fromFields
            /// Until they are deleted, or evicted for room, whatever their fields say: the W3C's
            /// Cache API.
            case unlimited
        }

        /// The default is ``Lifetimes/cloudflare``.
        public var lifetimes = Lifetimes.cloudflare
        /// Whether responses with a status of 500 and above may be stored; by default not.
        public var storesServerErrors = false
        /// Bytes of stored responses in memory; 64 MiB.
        ///
        /// A quarter as much is for what is in flight.
        public var memoryBytes = 64 << 20
        /// Bytes of the file, which eviction keeps; 10 GiB.
        public var maxFileBytes: Int64 = 10 << 30
        /// Bytes of the largest body that is stored; 512 MiB.
        public var maxBodyBytes = 512 << 20
        /// Whether a commit waits until the disk has it, which is the default.
        ///
        /// Otherwise a loss of power may cost the last second.
        public var isFullyDurable = true

        /// The defaults.
        public init() {}
    }

    let engine: Engine
    let policy: PutPolicy

    /// Opens the file, or makes it.
    ///
    /// Blocks for as long as that takes, a few milliseconds as a rule.
    /// - Throws: ``CacheError/cannotOpen(_:)``.
    public convenience init(
        path: String, configuration: Configuration = Configuration(),
        logger: Logger = Logger(label: "larder")
    ) throws(CacheError) {
        let clock = SystemClock()
        let store: SQLiteStore
        let secret: CredentialSecret?
        do {
            store = try SQLiteStore(
                configuration: Self.store(path, configuration), clock: { clock.now() },
                logger: logger)
        } catch {
            throw .cannotOpen(error.description)
        }
        do {
            secret = CredentialSecret(bytes: try store.credentialSecret())
        } catch {
            throw .cannotOpen("the secret in \(path) cannot be read")
        }
        guard let secret else { throw .cannotOpen("the secret in \(path) is not usable") }
        let engine = Engine(
            configuration: Self.engine(configuration), store: store, origin: nil, clock: clock,
            renderer: NoRendering(), secret: secret, logger: logger)
        self.init(engine: engine, configuration: configuration)
    }

    /// On an engine that others use too.
    package init(engine: Engine, configuration: Configuration = Configuration()) {
        self.engine = engine
        var policy = PutPolicy()
        policy.honoursVary = true
        policy.storesServerErrors = configuration.storesServerErrors
        switch configuration.lifetimes {
        case .cloudflare: policy.lifetimes = .fromFields(.cloudflare)
        case .fromFields: policy.lifetimes = .fromFields(.none)
        case .unlimited: policy.lifetimes = .unlimited
        }
        self.policy = policy
    }

    private static func store(
        _ path: String, _ configuration: Configuration
    ) -> SQLiteStoreConfiguration {
        var store = SQLiteStoreConfiguration(path: path)
        store.durability = configuration.isFullyDurable ? .full : .balanced
        store.maxBytes = configuration.maxFileBytes
        return store
    }

    private static func engine(_ configuration: Configuration) -> EngineConfiguration {
        var engine = EngineConfiguration()
        let memory = max(1 << 20, configuration.memoryBytes)
        engine.memoryBudget = memory
        engine.inFlightBudget = max(16 << 20, memory / 4)
        engine.queue = WriteQueue.Limits(entries: 4096, bytes: engine.inFlightBudget / 2)
        let quarter = Int(clamping: configuration.maxFileBytes / 4)
        engine.maxObjectBytes = max(0, min(configuration.maxBodyBytes, quarter))
        return engine
    }

    /// The cache without a name.
    public var `default`: Cache { Cache(storage: self, name: "") }

    /// The cache of a name; it is made if there is none, and is in the file when this returns.
    ///
    /// The empty name is that of the default cache.
    public func open(_ name: String) async throws(CacheError) -> Cache {
        try Self.check(name)
        if !name.isEmpty {
            try await translated { () throws(CacheFailure) in try await engine.openCache(name) }
        }
        return Cache(storage: self, name: name)
    }

    /// Whether there is a cache of that name.
    public func has(_ name: String) async throws(CacheError) -> Bool {
        // Names that only look alike are different caches.
        try await keys().contains { $0.utf8.elementsEqual(name.utf8) }
    }

    /// Deletes a cache with everything in it; it is gone from the file when this returns.
    ///
    /// The empty name empties the default cache.
    /// - Returns: whether there was one.
    public func delete(_ name: String) async throws(CacheError) -> Bool {
        try Self.check(name)
        return try await translated { () throws(CacheFailure) in
            try await engine.deleteCache(name)
        }
    }

    /// The names of all named caches, in the order of their creation.
    public func keys() async throws(CacheError) -> [String] {
        try await translated { () throws(CacheFailure) in
            try await engine.flush()
            return try await engine.cacheNames()
        }
    }

    /// What the first cache has that has something for a request: the default one, then the named
    /// ones in the order of their creation.
    public func match(
        _ request: HTTPRequest, options: CacheQueryOptions = CacheQueryOptions()
    ) async throws(CacheError) -> CachedResponse? {
        let names = try await translated { () throws(CacheFailure) in
            try await engine.cacheNames()
        }
        for name in [""] + names {
            let cache = Cache(storage: self, name: name)
            if let found = try await cache.match(request, options: options) { return found }
        }
        return nil
    }

    /// Deletes everything that was put under one of these tags, in all caches.
    ///
    /// - Throws: ``CacheError/invalidTag`` where one of them is no tag: printable ASCII without blanks and
    ///   commas, up to 1024 bytes.
    public func delete(tags: [String]) async throws(CacheError) {
        guard let tags = CacheTags.forDeletion(tags) else { throw .invalidTag }
        try await translated { () throws(CacheFailure) in try await engine.deleteTagged(tags) }
    }

    /// Waits until everything that was put by now is in the file.
    public func flush() async throws(CacheError) {
        try await translated { () throws(CacheFailure) in try await engine.flush() }
    }

    /// Writes what is not in the file yet and closes it: the last call of a storage.
    ///
    /// - Returns: false when that was not done within `timeout`; the file is consistent anyway.
    @discardableResult
    public func close(timeout: Duration = .seconds(10)) async -> Bool {
        await engine.shutdown(timeout: timeout)
    }

    private static func check(_ name: String) throws(CacheError) {
        guard name.utf8.count < 1024, !name.utf8.contains(0) else { throw .invalidName(name) }
    }
}

/// Heads are made for each match: no front end reads them.
private struct NoRendering: ResponseRenderer {
    func rendering(of entry: StoredEntry) -> ByteBuffer { ByteBuffer() }
}

/// Runs `body` and says its failures in the words of this library.
func translated<Value>(
    _ body: () async throws(CacheFailure) -> Value
) async throws(CacheError) -> Value {
    do {
        return try await body()
    } catch {
        throw CacheError(error)
    }
}
