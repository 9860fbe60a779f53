import ArgumentParser

// Every option is text here: values are parsed by the rows of `Setting.all`, the same way for the
// command line and for the environment. The help comes from those rows too.

struct OriginOptions: ParsableArguments {
    @Option(help: .setting("origin")) var origin: String?
    @Option(help: .setting("origin-ca")) var originCa: String?
    @Flag(inversion: .prefixedNo, help: .setting("preserve-host")) var preserveHost: Bool?

    var given: [String: [String]] {
        [
            "origin": one(origin),
            "origin-ca": one(originCa),
            "preserve-host": one(preserveHost.map { "\($0)" }),
        ]
    }
}

struct ListenerOptions: ParsableArguments {
    @Option(help: .setting("listen")) var listen: String?
    @Option(help: .setting("host")) var host: [String] = []

    var given: [String: [String]] {
        ["listen": one(listen), "host": host]
    }
}

struct CacheAPIOptions: ParsableArguments {
    @Option(help: .setting("cache-api")) var cacheApi: String?
    @Option(help: .setting("cache-api-token-file")) var cacheApiTokenFile: String?
    @Option(help: .setting("cache-ttl-defaults")) var cacheTtlDefaults: String?
    @Flag(
        name: .customLong("cache-api-5xx"), inversion: .prefixedNo, help: .setting("cache-api-5xx"))
    var cacheApi5xx: Bool?

    var given: [String: [String]] {
        [
            "cache-api": one(cacheApi),
            "cache-api-token-file": one(cacheApiTokenFile),
            "cache-ttl-defaults": one(cacheTtlDefaults),
            "cache-api-5xx": one(cacheApi5xx.map { "\($0)" }),
        ]
    }
}

struct CachingOptions: ParsableArguments {
    @Option(help: .setting("cache-post")) var cachePost: [String] = []
    @Option(help: .setting("default-ttl")) var defaultTtl: String?
    @Option(help: .setting("ttl-override")) var ttlOverride: String?
    @Option(help: .setting("stale-if-error")) var staleIfError: String?
    @Option(help: .setting("set-cookie")) var setCookie: String?
    @Flag(inversion: .prefixedNo, help: .setting("ignore-credentials"))
    var ignoreCredentials: Bool?
    @Flag(inversion: .prefixedNo, help: .setting("validate-post"))
    var validatePost: Bool?
    @Flag(inversion: .prefixedNo, help: .setting("ignore-request-directives"))
    var ignoreRequestDirectives: Bool?
    @Option(help: .setting("credential-header")) var credentialHeader: [String] = []
    @Option(help: .setting("key-header")) var keyHeader: [String] = []
    @Option(help: .setting("key-file")) var keyFile: String?
    @Option(help: .setting("max-object")) var maxObject: String?
    @Option(help: .setting("max-key-body")) var maxKeyBody: String?
    @Option(help: .setting("spool-size")) var spoolSize: String?
    @Option(help: .setting("collapse-timeout")) var collapseTimeout: String?

    var given: [String: [String]] {
        [
            "cache-post": cachePost,
            "default-ttl": one(defaultTtl),
            "ttl-override": one(ttlOverride),
            "stale-if-error": one(staleIfError),
            "set-cookie": one(setCookie),
            "ignore-credentials": one(ignoreCredentials.map { "\($0)" }),
            "validate-post": one(validatePost.map { "\($0)" }),
            "ignore-request-directives": one(ignoreRequestDirectives.map { "\($0)" }),
            "credential-header": credentialHeader,
            "key-header": keyHeader,
            "key-file": one(keyFile),
            "max-object": one(maxObject),
            "max-key-body": one(maxKeyBody),
            "spool-size": one(spoolSize),
            "collapse-timeout": one(collapseTimeout),
        ]
    }
}

struct StoreOptions: ParsableArguments {
    @Option(help: .setting("db")) var db: String?
    @Option(help: .setting("durability")) var durability: String?
    @Option(help: .setting("memory")) var memory: String?
    @Option(help: .setting("max-size")) var maxSize: String?
    @Option(help: .setting("keep-request-content")) var keepRequestContent: String?
    @Option(help: .setting("max-wal")) var maxWal: String?
    @Option(help: .setting("queue-entries")) var queueEntries: String?
    @Option(help: .setting("queue-bytes")) var queueBytes: String?

    var given: [String: [String]] {
        [
            "db": one(db),
            "durability": one(durability),
            "memory": one(memory),
            "max-size": one(maxSize),
            "keep-request-content": one(keepRequestContent),
            "max-wal": one(maxWal),
            "queue-entries": one(queueEntries),
            "queue-bytes": one(queueBytes),
        ]
    }
}

struct ClientLimitOptions: ParsableArguments {
    @Option(help: .setting("head-timeout")) var headTimeout: String?
    @Option(help: .setting("body-timeout")) var bodyTimeout: String?
    @Option(help: .setting("keep-alive-timeout")) var keepAliveTimeout: String?
    @Option(help: .setting("write-timeout")) var writeTimeout: String?
    @Option(help: .setting("max-connections")) var maxConnections: String?
    @Option(help: .setting("max-head-size")) var maxHeadSize: String?
    @Option(help: .setting("max-target")) var maxTarget: String?
    @Option(help: .setting("max-fields")) var maxFields: String?

    var given: [String: [String]] {
        [
            "head-timeout": one(headTimeout),
            "body-timeout": one(bodyTimeout),
            "keep-alive-timeout": one(keepAliveTimeout),
            "write-timeout": one(writeTimeout),
            "max-connections": one(maxConnections),
            "max-head-size": one(maxHeadSize),
            "max-target": one(maxTarget),
            "max-fields": one(maxFields),
        ]
    }
}

struct OriginLimitOptions: ParsableArguments {
    @Option(help: .setting("connect-timeout")) var connectTimeout: String?
    @Option(help: .setting("first-byte-timeout")) var firstByteTimeout: String?
    @Option(help: .setting("between-bytes-timeout")) var betweenBytesTimeout: String?
    @Option(help: .setting("origin-idle-timeout")) var originIdleTimeout: String?
    @Option(help: .setting("origin-connections")) var originConnections: String?

    var given: [String: [String]] {
        [
            "connect-timeout": one(connectTimeout),
            "first-byte-timeout": one(firstByteTimeout),
            "between-bytes-timeout": one(betweenBytesTimeout),
            "origin-idle-timeout": one(originIdleTimeout),
            "origin-connections": one(originConnections),
        ]
    }
}

struct ProcessOptions: ParsableArguments {
    @Option(help: .setting("threads")) var threads: String?
    @Option(help: .setting("drain-timeout")) var drainTimeout: String?
    @Option(help: .setting("log-level")) var logLevel: String?

    var given: [String: [String]] {
        [
            "threads": one(threads), "drain-timeout": one(drainTimeout),
            "log-level": one(logLevel),
        ]
    }
}

private func one(_ value: String?) -> [String] {
    value.map { [$0] } ?? []
}

extension ArgumentHelp {
    /// The help of the row with this name, its default included.
    fileprivate static func setting(_ name: String) -> ArgumentHelp {
        guard let setting = Setting.all.first(where: { $0.name == name }) else {
            return ArgumentHelp()
        }
        return ArgumentHelp(setting.help, valueName: setting.valueName)
    }
}
