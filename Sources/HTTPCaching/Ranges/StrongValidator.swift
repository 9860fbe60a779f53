package import HTTPTypes

/// A validator that changes whenever the bytes do (RFC 9110 §8.8.1).
package enum StrongValidator: Sendable, Equatable {
    /// The bytes of an entity tag, quotes included.
    case entityTag([UInt8])
    case lastModified(EpochSeconds)

    /// Nil when the response has none.
    package init?(of fields: HTTPFields) {
        let tags = fields[values: .eTag]
        guard tags.isEmpty else {
            // A weak tag says that bytes may differ under the same date, too.
            guard let tag = FieldSyntax.singleton(tags).map(EntityTag.init), tag.isStrong else {
                return nil
            }
            self = .entityTag(tag.opaque)
            return
        }
        guard let changed = Self.strongDate(of: fields) else { return nil }
        self = .lastModified(changed)
    }

    // RFC 9110 §8.8.2.2: a date is strong when the answer was made at least a second after it
    static func strongDate(of fields: HTTPFields) -> EpochSeconds? {
        guard
            let changed = FieldSyntax.singleton(fields[values: .lastModified])
                .flatMap({ HTTPDate.parse($0) }),
            let date = FieldSyntax.singleton(fields[values: .date])
                .flatMap({ HTTPDate.parse($0) }),
            date > changed
        else { return nil }
        return changed
    }
}

/// The condition under which a range is answered with a part (RFC 9110 §13.1.5).
package enum IfRange {
    /// Whether the range applies: there is no If-Range, or it names the stored bytes.
    ///
    /// - Parameter lines: all lines of the request's field.
    package static func holds(_ lines: [String], stored: HTTPFields) -> Bool {
        if lines.isEmpty { return true }
        guard let value = FieldSyntax.singleton(lines), !value.isEmpty else { return false }
        // RFC 9110 §13.1.5: a date that is strong and the very date
        if let date = HTTPDate.parse(value) {
            return StrongValidator.strongDate(of: stored) == date
        }
        // RFC 9110 §13.1.5: strong comparison
        guard let tag = FieldSyntax.singleton(stored[values: .eTag]).map(EntityTag.init),
            tag.isStrong
        else { return false }
        return EntityTag(value).matchesStrongly(tag)
    }

    /// What to ask the origin with so that a part comes only if it belongs to the stored one:
    /// the validator as received; nil without a strong one.
    package static func fieldValue(for stored: HTTPFields) -> String? {
        switch StrongValidator(of: stored) {
        case .entityTag: FieldSyntax.singleton(stored[values: .eTag])
        case .lastModified: FieldSyntax.singleton(stored[values: .lastModified])
        case nil: nil
        }
    }
}
