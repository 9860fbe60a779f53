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

    /// Whether a stale stored response is validated rather than fetched anew.
    ///
    /// - Parameter isPostValidated: the route's `StoragePolicy.validatesPost`.
    package static func applies(to method: MethodKind, isPostValidated: Bool) -> Bool {
        switch method {
        case .get, .query: true
        case .post: isPostValidated
        // A HEAD validates nothing itself: see `effect(ofHead:)`.
        case .head, .otherSafe, .unsafe: false
        }
    }

    /// What the answer to a request with a stored response's validators means.
    package enum Outcome: Sendable, Equatable {
        /// 304: `freshened` and reuse.
        case freshen
        /// It speaks of another representation, or the method does not take conditions: ask again
        /// without them.
        case refetch
        /// The origin failed: see `Reuse.mayServeOnError`.
        case failed
        /// A full answer, which takes the stored one's place.
        case replace
    }

    /// Reads the answer to a validation. RFC 9111 §4.3.3
    package static func outcome(
        status: Int, fields: HTTPFields, stored: HTTPFields
    ) -> Outcome {
        switch status {
        case 304: matches(stored: stored, notModified: fields) ? .freshen : .refetch
        // RFC 9110 §13.1.2: what If-None-Match does to methods other than GET and HEAD
        case 412: .refetch
        case _ where Reuse.isFailure(status: status): .failed
        default: .replace
        }
    }

    /// The If-None-Match that asks for a client and for the store at once; nil when either has no
    /// tag. RFC 9111 §4.3.2
    ///
    /// Only with a stored whole. On a 304 that `matches` the stored response, freshen it and
    /// evaluate the client's own conditions on the result; any other 304 is the client's.
    package static func combinedIfNoneMatch(
        client lines: [String], stored: HTTPFields
    ) -> String? {
        let members = lines.flatMap { FieldSyntax.members(of: $0.utf8, hasEscapes: false) }
        guard !members.isEmpty, !members.contains([0x2A]),
            let tag = validators(of: stored).ifNoneMatch
        else { return nil }
        let mine = Array(tag.utf8)[...]
        let isThere = members.contains(mine)
        return (members + (isThere ? [] : [mine]))
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
    }

    /// What the answer to a HEAD means for the stored answer to a GET.
    package enum HeadEffect: Sendable, Equatable {
        /// It is still what a GET would get: `freshened`.
        case freshen
        /// It is not: stale from now on.
        case makeStale
        /// The answer says nothing about it.
        case none
    }

    /// Compares the answer to a HEAD with a stored 200 that it could have been made from.
    /// RFC 9111 §4.3.5
    ///
    /// An answer without any validator contradicts nothing; it confirms only what has none either.
    /// - Parameters:
    ///   - status: the HEAD answer's.
    ///   - head: its fields.
    ///   - stored: the stored response's fields.
    ///   - completeLength: the stored representation's; nil when only a part is stored and nobody
    ///     said how long the whole is.
    package static func effect(
        ofHead head: HTTPFields, status: Int, stored: HTTPFields, completeLength: Int64?
    ) -> HeadEffect {
        guard status == 200 else { return .none }
        var isConfirmed = false
        for name in [HTTPField.Name.eTag, .lastModified] where head.contains(name) {
            guard let theirs = FieldSyntax.singleton(head[values: name]),
                let mine = FieldSyntax.singleton(stored[values: name]),
                theirs.utf8.elementsEqual(mine.utf8)
            else { return .makeStale }
            isConfirmed = true
        }
        if let completeLength, head.contains(.contentLength) {
            guard FieldSyntax.singleton(head[values: .contentLength]) == String(completeLength)
            else { return .makeStale }
        }
        return isConfirmed || validators(of: stored).isEmpty ? .freshen : .none
    }
}
