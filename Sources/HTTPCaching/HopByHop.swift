package import HTTPTypes

/// Fields that end at the next hop (RFC 9110 §7.6.1): neither stored nor forwarded.
package enum HopByHop {
    private static let names: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    private static let lengths: UInt32 = names.reduce(0) { $0 | 1 << $1.utf8.count }

    /// Whether a field is one whatever Connection says.
    ///
    /// - Parameter canonicalName: lower-cased, as in `HTTPField.Name.canonicalName`.
    package static func isHopByHop(_ canonicalName: String) -> Bool {
        // Most fields are told apart by length: 2, 7, 10, 16-19 and 25.
        let length = canonicalName.utf8.count
        return length <= 25 && lengths & (1 << length) != 0 && names.contains(canonicalName)
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
        // Without Connection nothing is named; without any of them nothing is copied.
        guard fields.contains(where: { isHopByHop($0.name.canonicalName) }) else { return fields }
        let nominated = nominated(in: fields)
        let hasNominated = !nominated.isEmpty
        var kept = HTTPFields()
        for field in fields {
            let name = field.name.canonicalName
            if !isHopByHop(name), !hasNominated || !nominated.contains(name) { kept.append(field) }
        }
        return kept
    }
}
