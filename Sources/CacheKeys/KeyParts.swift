/// The digest that names a stored response, its variants apart.
package typealias CacheKey = Digest

/// The digest that names a URI of one surface and cache, whatever the method and content.
package typealias URIKey = Digest

/// How a request's content becomes the digest in its key; part of the key, so recipes never mix.
package struct KeyRecipe: RawRepresentable, Sendable, Hashable {
    /// The byte that stands in keys and rows; never reused for another meaning.
    package let rawValue: UInt8

    /// Names a recipe by its byte, known here or not.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// SHA-256 of the content's bytes as they arrive, transfer coding removed.
    package static let raw = KeyRecipe(rawValue: 1)
}

/// Through which door a response came in; the doors share no keys.
package struct Surface: RawRepresentable, Sendable, Hashable {
    /// The byte that stands in keys and rows; never reused for another meaning.
    package let rawValue: UInt8

    /// Names a surface by its byte, known here or not.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The caching proxy: HTTP exchanges with an origin.
    package static let proxy = Surface(rawValue: 1)
    /// The Cache API: what a program puts and matches by hand.
    package static let cacheAPI = Surface(rawValue: 2)
}

/// The readable parts of a primary key.
///
/// Strings stand for their UTF-8 bytes, never for characters.
package struct KeyParts: Sendable {
    /// The cache name of the proxy, which has but one cache: empty.
    package static let defaultCacheName = ""

    /// The door the request came in by.
    package var surface: Surface
    /// The named cache within the surface.
    package var cacheName: String
    /// How `content` was digested.
    package var recipe: KeyRecipe
    /// The request's method, upper-case as on the wire.
    package var method: String
    /// The scheme the client used, `http` or `https`.
    package var scheme: String
    /// The authority the client used, in the form `Authority.normalized` gives it.
    package var authority: String
    /// The target exactly as it is forwarded, query included.
    package var target: String
    /// The request's content, for declared POST and QUERY only.
    package var content: ContentParts?
    /// The caller's credentials, for declared POST and QUERY only; nil when none were sent.
    package var credentials: Digest?

    /// Names each part; what is left out is what a GET to the proxy has.
    package init(
        surface: Surface = .proxy,
        cacheName: String = KeyParts.defaultCacheName,
        recipe: KeyRecipe = .raw,
        method: String,
        scheme: String,
        authority: String,
        target: String,
        content: ContentParts? = nil,
        credentials: Digest? = nil
    ) {
        self.surface = surface
        self.cacheName = cacheName
        self.recipe = recipe
        self.method = method
        self.scheme = scheme
        self.authority = authority
        self.target = target
        self.content = content
        self.credentials = credentials
    }
}

/// What a request's content adds to its key.
package struct ContentParts: Sendable {
    /// The content's length in bytes.
    package var length: UInt64
    /// The content's digest, made as the key's recipe says.
    package var digest: Digest
    /// Names of the fields that take part, always in the same order.
    package var names: [String]
    /// Their values, one for each name; nil (not sent) differs from empty.
    package var values: [String?]

    /// Names each part; the fields keep the order they are given in.
    ///
    /// Names and values apart: a caller has the names once and for all.
    package init(length: UInt64, digest: Digest, names: [String], values: [String?]) {
        self.length = length
        self.digest = digest
        self.names = names
        self.values = values
    }

    /// The same from pairs.
    package init(length: UInt64, digest: Digest, fields: [(name: String, value: String?)]) {
        self.init(
            length: length, digest: digest, names: fields.map(\.name), values: fields.map(\.value))
    }
}
