package import HTTPTypes

/// Fields that end at the next hop (RFC 9110 §7.6.1): neither stored nor forwarded.
package enum HopByHop {
    private static let names: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static let lengths: UInt32 = names.reduce(0) { $0 | 1 << $1.utf8.count }

    /// Fields for all recipients, which Connection must not name; beside them all of `content-`,
    /// `accept`, `if-` and `x-forwarded-`.
    private static let endToEnd: Set<String> = [
        "age", "authorization", "cache-control", "cache-groups", "cache-group-invalidation",
        "cache-status", "cdn-cache-control", "cookie", "date", "etag", "expires", "forwarded",
        "host", "larder-cache-control", "last-modified", "location", "max-forwards", "origin",
        "pragma", "proxy-status", "range", "set-cookie", "set-cookie2", "vary", "via",
        "www-authenticate",
    ]

    /// Whether a field is one whatever Connection says.
    ///
    /// - Parameter canonicalName: lower-cased, as in `HTTPField.Name.canonicalName`.
    package static func isHopByHop(_ canonicalName: String) -> Bool {
        // Most fields are told apart by length: 2, 7, 10, 16-19 and 25.
        let length = canonicalName.utf8.count
        return length <= 25 && lengths & (1 << length) != 0 && names.contains(canonicalName)
    }

    /// Whether Connection may have a field removed. RFC 9110 §7.6.1
    ///
    /// Not so for what keys, rules of caching and the meaning of the content rest on: who could
    /// have that removed would decide what others get. Names that the operator put into keys are
    /// the caller's to add.
    /// - Parameter canonicalName: lower-cased.
    package static func mayBeNominated(_ canonicalName: String) -> Bool {
        !endToEnd.contains(canonicalName) && !canonicalName.hasPrefix("content-")
            && !canonicalName.hasPrefix("accept") && !canonicalName.hasPrefix("if-")
            && !canonicalName.hasPrefix("x-forwarded-")
    }

    /// The lower-cased names that Connection lines hold, options such as `close` among them.
    package static func connectionOptions(_ lines: [String]) -> Set<String> {
        var options: Set<String> = []
        for line in lines {
            for member in FieldSyntax.members(of: line.utf8) {
                options.insert(FieldSyntax.lowercased(member))
            }
        }
        return options
    }

    /// The fields that travel on, in their order.
    ///
    /// For answers, and for the heads before them: what an origin wrongly names in Connection
    /// stays.
    package static func removed(from fields: HTTPFields) -> HTTPFields {
        // Without Connection nothing is named; without any of them nothing is copied.
        guard fields.contains(where: { isHopByHop($0.name.canonicalName) }) else { return fields }
        let nominated = connectionOptions(fields[values: .connection])
            .filter { mayBeNominated($0) }
        let hasNominated = !nominated.isEmpty
        var kept = HTTPFields()
        for field in fields {
            let name = field.name.canonicalName
            if !isHopByHop(name), !hasNominated || !nominated.contains(name) { kept.append(field) }
        }
        return kept
    }
}
