package import HTTPTypes

/// A request's own preconditions, answered from a fresh stored response (RFC 9110 §13).
package enum Conditional {
    /// What a GET, HEAD or QUERY with preconditions gets.
    package enum Outcome: Sendable, Equatable {
        /// The stored response as it is.
        case full
        /// 304.
        case notModified
    }

    /// The fields of a stored response that its 304 carries. RFC 9110 §15.4.5
    ///
    /// Last-Modified goes along although the tag would do: it harms nobody and helps who has no
    /// tag.
    package static let notModifiedFieldNames: [String] = [
        "cache-control", "cdn-cache-control", "content-location", "date", "etag", "expires",
        "larder-cache-control", "last-modified", "vary",
    ]

    /// Evaluates the two conditions a cache may (RFC 9111 §4.3.2).
    ///
    /// Only for stored responses with status 200: preconditions do not touch others
    /// (RFC 9110 §13.2.1).
    /// - Parameters:
    ///   - ifNoneMatch: all lines of the request's field.
    ///   - ifModifiedSince: all lines of the request's field.
    ///   - stored: the stored response's fields.
    ///   - storedDate: its `ReuseTerms.dateValue`; stands in for Last-Modified.
    package static func evaluate(
        ifNoneMatch: [String], ifModifiedSince: [String], stored: HTTPFields,
        storedDate: EpochSeconds
    ) -> Outcome {
        if ifNoneMatch.isEmpty, ifModifiedSince.isEmpty { return .full }
        // RFC 9110 §13.2.2: If-None-Match wins, also when nothing in it is a tag
        if !ifNoneMatch.isEmpty {
            let isAny = FieldSyntax.singleton(ifNoneMatch) == "*"
            if isAny { return .notModified }
            guard let text = FieldSyntax.singleton(stored[values: .eTag]), !text.isEmpty else {
                return .full
            }
            let tag = EntityTag(text)
            // RFC 9110 §13.1.2: weak comparison
            return EntityTag.list(ifNoneMatch).contains { $0.matchesWeakly(tag) }
                ? .notModified : .full
        }
        // RFC 9110 §13.1.3: more than one member, or no date, counts as absent
        guard ifModifiedSince.count == 1,
            let since = ifModifiedSince.first.flatMap({
                HTTPDate.parse(FieldSyntax.trimmed($0), now: storedDate)
            })
        else { return .full }
        // RFC 9111 §4.3.2: Last-Modified, else Date, else the time of receipt
        let changed =
            FieldSyntax.singleton(stored[values: .lastModified])
            .flatMap { HTTPDate.parse($0, now: storedDate) } ?? storedDate
        return changed <= since ? .notModified : .full
    }

    /// The fields of a 304 made from a stored response, in their order.
    package static func notModifiedFields(from stored: HTTPFields) -> HTTPFields {
        var fields = HTTPFields()
        for field in stored where notModifiedFieldNames.contains(field.name.canonicalName) {
            fields.append(field)
        }
        return fields
    }
}
