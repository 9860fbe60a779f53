package import HTTPTypes

/// Which request fields selected an answer (RFC 9111 §4.1).
package enum Vary {
    /// More names than this are as good as `*`.
    package static let nameCountMax = 16
    /// More bytes than this are as good as `*`.
    package static let byteCountMax = 1024

    /// The lower-cased, sorted, unique names of all Vary lines.
    ///
    /// `*` anywhere, and a name that is none, is `.varyStar`: no later request is sure to match.
    package static func names(in fields: HTTPFields) -> Result<[String], NoStoreReason> {
        let lines = fields[values: .vary]
        if lines.isEmpty { return .success([]) }
        let members = lines.flatMap { FieldSyntax.members(of: $0.utf8) }
        // RFC 9110 §12.5.5
        if members.contains([0x2A]) { return .failure(.varyStar) }
        if lines.reduce(0, { $0 + $1.utf8.count }) > byteCountMax {
            return .failure(.varyTooLarge)
        }
        guard members.allSatisfy({ FieldSyntax.isToken($0) }) else { return .failure(.varyStar) }
        let names = Set(members.map { FieldSyntax.lowercased($0) })
        return names.count > nameCountMax ? .failure(.varyTooLarge) : .success(names.sorted())
    }

    /// Whether one of the members is `*`.
    static func hasStar(in fields: HTTPFields) -> Bool {
        fields[values: .vary].contains { FieldSyntax.members(of: $0.utf8).contains([0x2A]) }
    }

    /// What is compared of a request field; nil when the request does not have it.
    ///
    /// - Parameters:
    ///   - name: lower-cased.
    ///   - lines: the field's values in the request, in order.
    package static func normalizedValue(name: String, lines: [String]) -> String? {
        // RFC 9111 §4.1: absent matches absent only
        if lines.isEmpty { return nil }
        switch name {
        case "accept-encoding": return AcceptEncoding.normalized(lines) ?? joined(lines)
        case "accept-language":
            return WeightedList.parse(lines).map(WeightedList.serialized) ?? joined(lines)
        default: return joined(lines)
        }
    }

    /// Lines trimmed and joined; bytes are otherwise untouched.
    static func joined(_ lines: [String]) -> String {
        lines.map { FieldSyntax.trimmed($0) }.joined(separator: ", ")
    }
}
