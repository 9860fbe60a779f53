/// Accept-Encoding by meaning (RFC 9110 §12.5.3).
package enum AcceptEncoding {
    /// The codings a client allows, sorted, weights dropped: `gzip;q=0.5, BR` is `br,gzip`.
    ///
    /// What is not a list of codings stays as it came, trimmed. No line at all gives the empty text
    /// too: a caller for whom absent differs from empty asks before.
    package static func reduced(_ lines: [String]) -> String {
        if lines.count == 1, let known = common[lines[0]] { return known }
        return computed(lines)
    }

    /// What nearly all clients send, so that a key costs one look-up.
    private static let common: [String: String] = Dictionary(
        uniqueKeysWithValues: [
            "", "*", "identity", "gzip", "br", "gzip, br", "gzip, deflate", "gzip,deflate",
            "gzip, deflate, br", "gzip, deflate, br, zstd",
        ].map { ($0, computed([$0])) })

    private static func computed(_ lines: [String]) -> String {
        guard let members = members(lines) else { return Vary.joined(lines) }
        let isAnyAllowed = members.contains { $0.value == "*" && $0.weight > 0 }
        var reduced = members.filter { $0.value != "identity" }.compactMap { member in
            if member.weight > 0 { return WeightedList.Member(value: member.value, weight: 1000) }
            // A coding that is refused matters only where all others are welcome.
            return isAnyAllowed && member.value != "*" ? member : nil
        }
        if isIdentityRefused(members) {
            reduced.append(WeightedList.Member(value: "identity", weight: 0))
        }
        return WeightedList.serialized(reduced)
    }

    /// All codings with their weights in canonical order; nil when malformed.
    static func normalized(_ lines: [String]) -> String? {
        members(lines).map(WeightedList.serialized)
    }

    // RFC 9110 §12.5.3: identity is fine unless it, or * without it, has weight 0
    private static func isIdentityRefused(_ members: [WeightedList.Member]) -> Bool {
        let decisive =
            members.first { $0.value == "identity" } ?? members.first { $0.value == "*" }
        return decisive?.weight == 0
    }

    // RFC 9110 §8.4.1.3: x-gzip and x-compress are the same codings
    private static func members(_ lines: [String]) -> [WeightedList.Member]? {
        guard let members = WeightedList.parse(lines) else { return nil }
        guard members.contains(where: { $0.value.hasPrefix("x-") }) else { return members }
        let renamed = members.map { member in
            switch member.value {
            case "x-gzip": WeightedList.Member(value: "gzip", weight: member.weight)
            case "x-compress": WeightedList.Member(value: "compress", weight: member.weight)
            default: member
            }
        }
        return WeightedList.parse([WeightedList.serialized(renamed)])
    }
}
