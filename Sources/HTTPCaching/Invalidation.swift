package import HTTPTypes

/// Which stored responses an unsafe request makes doubtful (RFC 9111 §4.4).
package enum Invalidation {
    /// Whether the answer invalidates what is stored for its URI.
    ///
    /// - Parameters:
    ///   - method: the request's; one nobody knows is unsafe.
    ///   - isDeclared: the operator declared the path cacheable, so that a POST to it is a read.
    ///   - status: the final answer's.
    package static func applies(method: MethodKind, isDeclared: Bool, status: Int) -> Bool {
        // RFC 9111 §4.4: non-error is 2xx and 3xx
        status >= 200 && status <= 399 && isUnsafe(method, isDeclared: isDeclared)
    }

    static func isUnsafe(_ method: MethodKind, isDeclared: Bool) -> Bool {
        switch method {
        case .get, .head, .query, .otherSafe: return false
        case .post: return !isDeclared
        case .unsafe: return true
        }
    }

    /// The other targets an answer invalidates: its Location and Content-Location, same origin
    /// only.
    ///
    /// Origin-form, fragment dropped, dot segments removed; one that came with dot segments is
    /// there as it came, too. Without duplicates and without `target`.
    /// - Parameters:
    ///   - scheme: as the client sees it, lower-cased.
    ///   - authority: as the client sees it, in normal form.
    ///   - target: the request's target, origin-form.
    ///   - fields: the answer's.
    package static func relatedTargets(
        scheme: String, authority: String, target: String, fields: HTTPFields
    ) -> [String] {
        let base = TargetReference.Base(scheme: scheme, authority: authority, target: target)
        var targets: [String] = []
        for name in [HTTPField.Name.location, .contentLocation] {
            for line in fields[values: name] {
                for found in TargetReference.targets(of: FieldSyntax.trimmed(line), base: base)
                where !targets.contains(found) && found != target {
                    targets.append(found)
                }
            }
        }
        return targets
    }
}
