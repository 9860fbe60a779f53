package import HTTPTypes

/// Asking the origin whether a stored response is still good (RFC 9111 §4.3).
package enum Validation {
    /// The preconditions that validate a stored response.
    package struct Validators: Sendable, Equatable {
        package var ifNoneMatch: String?
        package var ifModifiedSince: String?

        package init(ifNoneMatch: String? = nil, ifModifiedSince: String? = nil) {
            self.ifNoneMatch = ifNoneMatch
            self.ifModifiedSince = ifModifiedSince
        }

        /// Nothing to ask with.
        package var isEmpty: Bool { ifNoneMatch == nil && ifModifiedSince == nil }
    }

    /// The tag and the date exactly as the origin sent them. RFC 9111 §4.3.1
    ///
    /// A tag that comes twice with two values, or a Last-Modified that is no date, proves nothing
    /// and is left out.
    package static func validators(of stored: HTTPFields) -> Validators {
        let tag = FieldSyntax.singleton(stored[values: .eTag])
        let changed = FieldSyntax.singleton(stored[values: .lastModified])
        return Validators(
            ifNoneMatch: tag.flatMap { $0.isEmpty ? nil : $0 },
            ifModifiedSince: changed.flatMap { HTTPDate.parse($0) == nil ? nil : $0 })
    }

    /// Fields that describe the stored bytes: a message without content does not change them.
    /// RFC 9111 §3.2
    private static let keptFields: Set<String> = [
        "content-encoding", "content-length", "content-range",
    ]

    /// The stored fields after a 304: it brings what it brings, the rest stays.
    ///
    /// Age and Date of the older message never survive: they would make the newer one old. The
    /// result goes through `Storability.decide` again with the stored status.
    package static func freshened(
        stored: HTTPFields, by notModified: HTTPFields, setCookie: SetCookieMode = .refuse
    ) -> HTTPFields {
        var fields = stored
        fields[values: .age] = []
        fields[values: .date] = []
        var seen: Set<String> = []
        let update = HopByHop.removed(from: notModified)
        for field in update where seen.insert(field.name.canonicalName).inserted {
            if keptFields.contains(field.name.canonicalName) { continue }
            if field.name.isSetCookie, setCookie != .store { continue }
            fields[fields: field.name] = update[fields: field.name]
        }
        return fields
    }

    /// Whether a 304 speaks of this stored response. RFC 9111 §4.3.4
    package static func matches(stored: HTTPFields, notModified: HTTPFields) -> Bool {
        let mine = validators(of: stored)
        let theirs = validators(of: notModified)
        if let tag = theirs.ifNoneMatch.map(EntityTag.init) {
            let stored = mine.ifNoneMatch.map(EntityTag.init)
            // A strong validator identifies by itself.
            if !tag.isWeak { return stored.map(tag.matchesStrongly) ?? false }
            if let stored { return stored.matchesWeakly(tag) }
        }
        // Weak validators: they correspond, or there are none and ours was the only question.
        guard let date = theirs.ifModifiedSince.flatMap({ HTTPDate.parse($0) }),
            let storedDate = mine.ifModifiedSince.flatMap({ HTTPDate.parse($0) })
        else { return theirs.ifNoneMatch == nil }
        return date == storedDate
    }

    /// Whether the answer to a HEAD shows that the stored response is no longer what a GET would
    /// get; only for a 200. RFC 9111 §4.3.5
    package static func isContradicted(stored: HTTPFields, byHead head: HTTPFields) -> Bool {
        [HTTPField.Name.eTag, .lastModified, .contentLength].contains { name in
            guard let theirs = FieldSyntax.singleton(head[values: name]),
                let mine = FieldSyntax.singleton(stored[values: name])
            else { return head.contains(name) && stored.contains(name) }
            return !theirs.utf8.elementsEqual(mine.utf8)
        }
    }
}
