extension Setting {
    /// Every setting of `serve`, in the order of the help.
    static let all: [Setting] =
        origin + listener + cacheAPI + caching + store + clients + limits + process

    private static let origin: [Setting] = [
        .optional(
            "origin", "url", \.origin.url, .originURL, standard: "none",
            "The server to stand in front of; a path in it is put before every target. Required, "
                + "unless only --cache-api is served."),
        .optional(
            "origin-ca", "file", \.origin.certificateAuthorityFile, .file,
            standard: "the system's roots",
            "PEM file of the roots that an https origin's certificate is verified against."),
        .value(
            "preserve-host", nil, \.origin.preservesHost, .toggle,
            "Send the client's Host to the origin instead of the origin's own."),
    ]

    private static let listener: [Setting] = [
        .value(
            "listen", "host:port", \.listener.address, .listenAddress, "Address to listen on."),
        .list(
            "host", "name", \.listener.hosts, .hostName, standard: "all",
            "Serve only requests for this host, answer others with 421."),
    ]

    private static let cacheAPI: [Setting] = [
        .optional(
            "cache-api", "host:port", \.cacheAPI.address, .listenAddress, standard: "none",
            "Address to offer the Cache API of Web workers on: GET, PUT and PURGE as workerd sends "
                + "them."),
        .optional(
            "cache-api-token-file", "file", \.cacheAPI.tokenFile, .file, standard: "none",
            "File with the text that requests to --cache-api present in Larder-Token; required "
                + "where the address is not loopback."),
        .value(
            "cache-ttl-defaults", "cloudflare|none", \.cacheAPI.ttlDefaults, .word,
            "Lifetime of a response that is put and names none: 200 and 301 2h, 404 and 410 3m; or "
                + "not stored."),
        .value(
            "cache-api-5xx", nil, \.cacheAPI.storesServerErrors, .toggle,
            "Store responses with status 500 and above that are put, when they name a lifetime."),
    ]

    private static let caching: [Setting] = [
        .list(
            "cache-post", "glob", \.caching.declaredPosts, .pathGlob, standard: "no POST is cached",
            "Cache POST to these paths by its body: /search, /v1/* (one segment), /api/**."),
        .value(
            "default-ttl", "duration", \.caching.defaultTTL, .seconds(),
            "Lifetime of a 200 to a cached POST when the origin gives none."),
        .optional(
            "ttl-override", "duration", \.caching.ttlOverride, .seconds(atLeast: 1),
            standard: "none",
            "Lifetime on --cache-post paths whatever the origin says, no-store included."),
        .value(
            "stale-if-error", "duration", \.caching.staleIfError, .seconds(),
            "How long past its lifetime an answer may stand in for a failing origin."),
        .value(
            "set-cookie", "refuse|strip|store", \.caching.setCookie, .word,
            "Answers with Set-Cookie: do not store, store without it, or store with it."),
        .value(
            "ignore-credentials", nil, \.caching.ignoresCredentials, .toggle,
            "Share cached POST answers between clients of different credentials."),
        .value(
            "validate-post", nil, \.caching.validatesPost, .toggle,
            "Ask the origin with If-None-Match whether a stale answer to a cached POST is good."),
        .value(
            "ignore-request-directives", nil, \.caching.ignoresRequestDirectives, .toggle,
            "Callers' Cache-Control and Pragma neither force requests to the origin nor keep "
                + "answers out of the store."),
        .list(
            "credential-header", "name", \.caching.credentialFields, .fieldName,
            standard: "the well-known ones",
            "A further header field that carries credentials."),
        .list(
            "key-header", "name", \.caching.keyFields, .fieldName, standard: "none",
            "A further request header field that is part of a POST's key."),
        .optional(
            "key-file", "file", \.caching.keyFile, .file, standard: "a secret made with the store",
            "File with the secret under which credentials are digested, 32 to 64 bytes."),
        .value(
            "max-object", "size", \.caching.maxObjectBytes, .size(1...Int.max),
            "Largest answer that is stored."),
        .value(
            "collapse-timeout", "duration", \.caching.collapseTimeout, .duration(),
            "Time a request waits for the head of an equal one that is under way."),
        .value(
            "max-key-body", "size", \.caching.maxKeyBodyBytes,
            .size(1...16 * ByteSize.gigabyte),
            "Largest request content that can be part of a key; larger passes through uncached."),
        .value(
            "spool-size", "size", \.caching.spoolBytes, .size(0...Int.max),
            "Disk space beside the database for request content over 1MB while it is looked up."),
    ]

    private static let store: [Setting] = [
        .value(
            "db", "path", \.store.path, .database, "The SQLite file; it is made when missing."),
        .value(
            "durability", "full|balanced", \.store.durability, .word,
            "At power loss keep every commit, or all but the last second."),
        .value(
            "max-size", "size", \.store.maxBytes, .size(16 * ByteSize.megabyte...Int.max),
            "Size of the file; past it what was used least recently is deleted."),
        .value(
            "memory", "size", \.memoryBytes, .size(ByteSize.megabyte...Int.max),
            "Memory for stored responses, fills, the write queue and answers in flight."),
        .value(
            "keep-request-content", "off|text|all", \.store.keptRequestContent, .word,
            "Keep the request content of cached POSTs (first 64KB) for reading in the file."),
        .value(
            "max-wal", "size", \.store.maxWALBytes, .size(ByteSize.megabyte...Int.max),
            "Size of the write-ahead log past which nothing more is stored until it shrinks."),
        .value(
            "queue-entries", "number", \.store.queueEntries, .count(1...1_000_000),
            "Writes that may wait for their commit; past it new ones are shed."),
        .value(
            "queue-bytes", "size", \.store.queueBytes, .size(ByteSize.megabyte...Int.max),
            "Bytes that may wait for their commit; past it new ones are shed."),
    ]

    private static let clients: [Setting] = [
        .value(
            "head-timeout", "duration", \.listener.headTimeout, .duration(),
            "Time for a request's head to arrive."),
        .value(
            "body-timeout", "duration", \.listener.bodyTimeout, .duration(),
            "Time a request's content may make no progress."),
        .value(
            "keep-alive-timeout", "duration", \.listener.keepAliveTimeout, .duration(),
            "Time a connection may wait for its next request."),
        .value(
            "write-timeout", "duration", \.listener.writeTimeout, .duration(),
            "Time a client may take nothing of its answer."),
        .value(
            "max-connections", "number", \.listener.maxConnections, .count(1...1_000_000),
            "Connections of clients at a time."),
        .value(
            "max-head-size", "size", \.listener.maxHeadBytes,
            .size(ByteSize.kilobyte...ByteSize.megabyte),
            "Request line and header fields together."),
        .value(
            "max-target", "size", \.listener.maxTargetBytes, .size(1...ByteSize.megabyte),
            "Request target (path and query)."),
        .value(
            "max-fields", "number", \.listener.maxFields, .count(1...10_000),
            "Header field lines of a request."),
    ]

    private static let limits: [Setting] = [
        .value(
            "connect-timeout", "duration", \.origin.connectTimeout, .duration(),
            "Time to connect to the origin, TLS included."),
        .value(
            "first-byte-timeout", "duration", \.origin.firstByteTimeout, .duration(),
            "Time until the first byte of the origin's answer."),
        .value(
            "between-bytes-timeout", "duration", \.origin.betweenBytesTimeout, .duration(),
            "Time between two bytes of the origin's answer."),
        .value(
            "origin-idle-timeout", "duration", \.origin.idleTimeout, .duration(),
            "Time an unused origin connection is kept open."),
        .value(
            "origin-connections", "number", \.origin.connectionsPerThread, .count(1...65_535),
            "Origin connections for each thread."),
    ]

    private static let process: [Setting] = [
        .value(
            "threads", "number", \.threads, .count(1...1024), standard: "the number of cores",
            "Event loops."),
        .value(
            "drain-timeout", "duration", \.drainTimeout, .duration(atLeast: .zero),
            "Time that a stop leaves to requests in flight."),
        .value(
            "log-level", "level", \.logLevel, .word,
            "trace, debug (a line for each exchange), info, notice, warning, error or critical."),
    ]
}
