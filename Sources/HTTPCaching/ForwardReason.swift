/// Why a request went forward (RFC 9211 §2.2); the raw value is the token on the wire.
package enum ForwardReason: String, Sendable, CaseIterable {
    /// The cache was told not to handle the request.
    case bypass
    /// The method's semantics require it.
    case method
    /// Nothing is stored for the URI.
    case uriMiss = "uri-miss"
    /// Something is stored for the URI, but Vary selected none of it.
    case varyMiss = "vary-miss"
    /// Something is stored for the URI, but its content or credentials differ.
    case miss
    /// A fresh answer was there; the request's own directives did not allow it.
    case request
    /// An answer was there, stale.
    case stale
    /// The stored part did not hold what was asked for.
    case partial
}
