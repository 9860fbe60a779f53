package import HTTPTypes

/// Seconds since 1970-01-01T00:00:00Z; the only measure of time in this target.
package typealias EpochSeconds = Int64

/// What caching has to know about a request method.
package enum MethodKind: UInt8, Sendable, CaseIterable {
    case get
    case head
    /// QUERY (RFC 10008): safe, its content is part of what it asks.
    case query
    /// POST: unsafe unless the operator declared the path.
    case post
    /// OPTIONS, TRACE and the safe WebDAV methods: forwarded, neither stored nor invalidating.
    case otherSafe
    /// Everything else, methods nobody knows included.
    case unsafe

    /// Method names are case-sensitive: `get` is a method nobody knows.
    package init(_ method: HTTPRequest.Method) {
        // RFC 9110 §9.2.1, RFC 10008, RFC 4918, RFC 3253, RFC 5323
        switch method.rawValue {
        case "GET": self = .get
        case "HEAD": self = .head
        case "QUERY": self = .query
        case "POST": self = .post
        case "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH": self = .otherSafe
        default: self = .unsafe
        }
    }
}
