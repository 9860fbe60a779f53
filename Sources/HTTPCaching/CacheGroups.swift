package import HTTPTypes

/// Stored responses that are invalidated together (RFC 9875).
package enum CacheGroups {
    /// Groups of one answer that are kept; the RFC asks for 32.
    package static let countMax = 128
    /// Characters of a group's name; the RFC asks for 32.
    package static let characterCountMax = 256

    private static let groups = HTTPField.Name("Cache-Groups")
    private static let invalidation = HTTPField.Name("Cache-Group-Invalidation")

    /// The groups an answer belongs to, each once, in order; none when the field is invalid.
    ///
    /// Groups of one name are the same only on the same origin (§2.1): key them by `origin`.
    package static func groups(in fields: HTTPFields) -> [String] {
        names(groups.map { fields[values: $0] } ?? [])
    }

    /// The groups an answer invalidates, on the origin of its request only. RFC 9875 §3
    ///
    /// Whoever is in one of them is invalidated, and nobody in turn because of that.
    /// - Parameters:
    ///   - method: the request's.
    ///   - isDeclared: the operator declared the path cacheable, so that a POST to it is a read.
    ///   - fields: the answer's.
    package static func invalidated(
        by method: MethodKind, isDeclared: Bool, fields: HTTPFields
    ) -> [String] {
        guard let invalidation, fields.contains(invalidation) else { return [] }
        // RFC 9875 §3: to be ignored on answers to safe methods
        guard Invalidation.isUnsafe(method, isDeclared: isDeclared) else { return [] }
        return names(fields[values: invalidation])
    }

    /// One text for an origin, whatever its spelling. RFC 9110 §4.3.1
    package static func origin(scheme: String, authority: String) -> String {
        FieldSyntax.lowercased(scheme) + "://"
            + TargetReference.normalized(Array(authority.utf8)[...], scheme: scheme)
    }

    // RFC 9875 §2: a List of Strings; what is not is to be ignored whole
    private static func names(_ lines: [String]) -> [String] {
        guard !lines.isEmpty, let list = StructuredText.stringList(lines) else { return [] }
        var names: [String] = []
        var seen: Set<String> = []
        for name in list where name.utf8.count <= characterCountMax {
            guard names.count < countMax else { break }
            if seen.insert(name).inserted { names.append(name) }
        }
        return names
    }
}
