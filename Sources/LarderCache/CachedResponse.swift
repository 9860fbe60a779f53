import CacheEngine
import CacheKeys
import HTTPCaching
public import HTTPTypes

/// A response that a match found.
public struct CachedResponse: Sendable {
    /// Status, reason phrase and fields as they were put, without what is for caches alone
    /// (Cache-Tag, Cloudflare-CDN-Cache-Control), and with Age as of the match.
    public let head: HTTPResponse
    /// The content; of a large one the rows stay in the file as long as this is held.
    public let body: CacheBody
    /// How old the response is, in caches before this one too (RFC 9111 §4.2.3).
    public let age: Duration

    init(_ stored: StoredResponse, engine: Engine) {
        let entry = stored.entry
        let seconds = stored.terms.age(at: engine.now)
        var fields = PutRules.fieldsOfMatch(entry.fields)
        fields.append(HTTPField(name: .age, value: String(seconds)))
        // RFC 9110 §8.6: never with 204.
        if entry.status.code != 204 {
            fields.append(HTTPField(name: .contentLength, value: String(entry.body.length)))
        }
        head = HTTPResponse(status: entry.status, headerFields: fields)
        body = CacheBody(of: stored, engine: engine)
        age = .seconds(seconds)
    }
}

/// What counts when a request is compared with what is stored; W3C `CacheQueryOptions`.
public struct CacheQueryOptions: Sendable, Hashable {
    /// The query of the URL does not count.
    public var ignoreSearch: Bool
    /// A request of another method finds, too, what was put for a GET.
    public var ignoreMethod: Bool
    /// What the stored response varies by does not count.
    public var ignoreVary: Bool

    /// By default everything counts.
    public init(ignoreSearch: Bool = false, ignoreMethod: Bool = false, ignoreVary: Bool = false) {
        self.ignoreSearch = ignoreSearch
        self.ignoreMethod = ignoreMethod
        self.ignoreVary = ignoreVary
    }

    var options: CacheQuery.Options {
        var options: CacheQuery.Options = []
        if ignoreSearch { options.insert(.ignoreSearch) }
        if ignoreMethod { options.insert(.ignoreMethod) }
        if ignoreVary { options.insert(.ignoreVary) }
        return options
    }
}

/// What a put says about the response beside its fields; a worker's `request.cf`.
public struct PutOptions: Sendable, Equatable {
    /// Rules over the response's own lifetime and its `no-store`, `private` and `no-cache`; nothing is
    /// stored for zero and less.
    public var lifetime: Duration?
    /// Stored whatever its Cache-Control says, without Set-Cookie.
    public var storesEverything: Bool
    /// Names under which responses are deleted together, beside those of Cache-Tag.
    public var tags: [String]

    /// By default the response's fields rule.
    public init(lifetime: Duration? = nil, storesEverything: Bool = false, tags: [String] = []) {
        self.lifetime = lifetime
        self.storesEverything = storesEverything
        self.tags = tags
    }

    var overrides: PutOverrides {
        var overrides = PutOverrides.none
        overrides.ttl = lifetime?.components.seconds
        overrides.storesEverything = storesEverything
        overrides.tags = tags
        return overrides
    }
}
