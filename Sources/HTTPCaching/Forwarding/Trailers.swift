package import HTTPTypes

/// Fields behind the content (RFC 9110 §6.5).
package enum Trailers {
    /// Fields that would come too late, or mean something else there. RFC 9110 §6.5.1
    private static let headOnly: Set<String> = [
        "age", "authorization", "cache-control", "cache-groups", "cache-group-invalidation",
        "cdn-cache-control", "content-encoding", "content-language", "content-length",
        "content-location", "content-range", "content-type", "cookie", "date", "expect", "expires",
        "host", "larder-cache-control", "location", "max-forwards", "pragma", "range",
        "retry-after", "set-cookie", "set-cookie2", "vary", "via", "www-authenticate",
    ]

    /// Whether the request wants trailer fields. RFC 9110 §6.5.2, §10.1.4
    ///
    /// - Parameter te: all lines of the request's field.
    package static func isAccepted(te lines: [String]) -> Bool {
        lines.contains { line in
            FieldSyntax.members(of: line.utf8).contains {
                FieldSyntax.lowercased($0) == "trailers"
            }
        }
    }

    /// The trailer fields of an answer that travel on, in their order.
    ///
    /// They are never merged into the head; a stored answer is without them.
    package static func forwarded(_ trailers: HTTPFields) -> HTTPFields {
        var kept = HTTPFields()
        for field in HopByHop.removed(from: trailers)
        where !headOnly.contains(field.name.canonicalName)
            && !field.name.canonicalName.hasPrefix("if-")
        {
            kept.append(field)
        }
        return kept
    }
}
