/// Why an answer was not stored; the raw value is the `detail` token of Cache-Status (RFC 9211).
package enum NoStoreReason: String, Error, Sendable, CaseIterable {
    /// The answer says `no-store`.
    case noStore = "no-store"
    /// The request says `no-store`.
    case requestNoStore = "request-no-store"
    /// The answer says `private`.
    case `private`
    /// The answer says `no-cache` and has nothing to validate it with.
    case noCache = "no-cache"
    /// No answer to this method is stored.
    case method
    /// No answer with this status is stored without the origin's word, or ever.
    case status
    /// A request with credentials, and nothing in the answer that lets others have it.
    case credentials
    /// The answer sets a cookie and the route does not say what to do with it.
    case setCookie = "set-cookie"
    /// `Vary: *`, or a Vary that names something that is not a field.
    case varyStar = "vary-star"
    /// More names in Vary than are kept.
    case varyTooLarge = "vary-too-large"
    /// Neither the origin nor the operator gave a lifetime.
    case noLifetime = "no-lifetime"
    /// The end of the connection is the end of the answer, and the origin gave no lifetime.
    case closeDelimited = "close-delimited"
    /// A part of a representation.
    case partial
    /// The answer carries trailer fields.
    case trailers
    /// The answer changes the protocol of the connection.
    case upgrade
    /// The answer, or the content that would be in its key, is too large.
    case bodyLimit = "body-limit"
    /// The answer did not arrive whole.
    case incomplete
    /// What is to be stored is no HTTP response.
    case malformed
    /// A GET or HEAD with content.
    case requestContent = "request-content"
    /// A purge or an invalidation came between the request and its answer.
    case generation = "invalidated"
    /// The key of the request could not be computed.
    case unkeyed
    /// The same key was not storable a moment ago.
    case knownUncacheable = "known-uncacheable"
    /// The memory or the queue for stores is full.
    case overload
}
