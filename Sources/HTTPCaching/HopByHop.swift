package import HTTPTypes

/// Fields that end at the next hop (RFC 9110 §7.6.1): neither stored nor forwarded.
package enum HopByHop {
    private static let names: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Whether a field is one whatever Connection says.
    ///
    /// - Parameter canonicalName: lower-cased, as in `HTTPField.Name.canonicalName`.
    package static func isHopByHop(_ canonicalName: String) -> Bool {
        names.contains(canonicalName)
    }

    /// The lower-cased names that the Connection lines hold.
    static func nominated(in fields: HTTPFields) -> Set<String> {
        var nominated: Set<String> = []
        for line in fields[values: .connection] {
            for member in FieldSyntax.members(of: line.utf8) {
                nominated.insert(FieldSyntax.lowercased(member))
            }
        }
        return nominated
    }

    /// The fields that travel on, in their order.
    package static func removed(from fields: HTTPFields) -> HTTPFields {
        let nominated = nominated(in: fields)
        var kept = HTTPFields()
        for field in fields {
            let name = field.name.canonicalName
            if !isHopByHop(name), !nominated.contains(name) { kept.append(field) }
        }
        return kept
    }
}
