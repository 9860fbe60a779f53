/// What to do with an answer that has Set-Cookie.
package enum SetCookieMode: String, Sendable, CaseIterable {
    /// Do not store it.
    case refuse
    /// Store it without the field.
    case strip
    /// Store it with the field.
    case store
}

/// What the operator says about storing the answers of a route.
package struct StoragePolicy: Sendable, Equatable {
    /// POST and QUERY to this path are declared cacheable.
    package var isDeclared: Bool
    /// Seconds that a 200 to a declared POST or QUERY lives when the origin gives no lifetime.
    package var defaultTTL: Int64
    /// Seconds that a 200 to a declared POST or QUERY lives whatever the origin says,
    /// `no-store`, `private` and `no-cache` included.
    package var ttlOverride: Int64?
    package var setCookie: SetCookieMode
    /// Credentials and cookies change nothing: answers are shared.
    package var ignoreCredentials: Bool
    /// Callers' Cache-Control and Pragma change nothing, neither in storing nor in reuse.
    package var ignoreRequestDirectives: Bool
    /// A stale answer to a declared POST may be validated.
    package var validatesPost: Bool
    /// The store takes a 206; the caller keeps `StoragePlan.part`.
    package var storesParts: Bool

    package init(
        isDeclared: Bool = false, defaultTTL: Int64 = 7200, ttlOverride: Int64? = nil,
        setCookie: SetCookieMode = .refuse, ignoreCredentials: Bool = false,
        ignoreRequestDirectives: Bool = false, validatesPost: Bool = false,
        storesParts: Bool = false
    ) {
        self.isDeclared = isDeclared
        self.defaultTTL = defaultTTL
        self.ttlOverride = ttlOverride
        self.setCookie = setCookie
        self.ignoreCredentials = ignoreCredentials
        self.ignoreRequestDirectives = ignoreRequestDirectives
        self.validatesPost = validatesPost
        self.storesParts = storesParts
    }

    /// A request's directives as far as this route listens to them: what `Reuse` is to be asked
    /// with.
    @inlinable package func heard(_ directives: RequestCacheControl) -> RequestCacheControl {
        ignoreRequestDirectives ? .none : directives
    }
}

/// What storing has to know about a request.
package struct RequestFacts: Sendable, Equatable {
    package var method: MethodKind
    package var cacheControl: RequestCacheControl
    /// Any credential field other than Cookie: Authorization, API keys.
    package var hasCredentials: Bool
    package var hasCookie: Bool
    package var hasRange: Bool
    package var hasContent: Bool

    package init(
        method: MethodKind, cacheControl: RequestCacheControl = .none,
        hasCredentials: Bool = false, hasCookie: Bool = false, hasRange: Bool = false,
        hasContent: Bool = false
    ) {
        self.method = method
        self.cacheControl = cacheControl
        self.hasCredentials = hasCredentials
        self.hasCookie = hasCookie
        self.hasRange = hasRange
        self.hasContent = hasContent
    }
}
