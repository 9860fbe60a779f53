package import HTTPTypes

/// What a match gets of a stored response under the conditions and the range of its key's request:
/// as edge caches answer it, where RFC 9110 leaves a choice.
package enum MatchAnswer {
    /// Evaluates one request; If-Match and If-Unmodified-Since are for origins and count for nothing.
    ///
    /// - Parameters:
    ///   - conditions: of the key's request.
    ///   - status: the stored response's; others than 200 are answered as they are.
    ///   - stored: the stored response's fields.
    ///   - storedAt: when it was put; stands in for Last-Modified.
    ///   - length: bytes of its content.
    package static func evaluate(
        conditions: RequestConditions, status: Int, stored: HTTPFields, storedAt: EpochSeconds,
        length: Int64
    ) -> StoredAnswer {
        guard status == 200, !conditions.isEmpty else { return .full }
        // RFC 9110 §13.2.2 steps 3, 4
        if isNotModified(conditions, stored: stored, storedAt: storedAt) { return .notModified }
        // RFC 9110 §13.2.2 step 5: without If-Range's consent the range counts for nothing
        guard !conditions.range.isEmpty, IfRange.holds(conditions.ifRange, stored: stored) else {
            return .full
        }
        return ranges(conditions.range, length: max(0, length))
    }

    /// The fields of a 304 made from a stored response (RFC 9110 §15.4.5).
    package static func notModifiedFields(from stored: HTTPFields) -> HTTPFields {
        var fields = HTTPFields()
        for field in stored where notModifiedNames.contains(field.name.canonicalName) {
            fields.append(field)
        }
        return fields
    }

    private static let notModifiedNames: Set<String> = [
        "cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary",
    ]

    private static func isNotModified(
        _ conditions: RequestConditions, stored: HTTPFields, storedAt: EpochSeconds
    ) -> Bool {
        let ifNoneMatch = conditions.ifNoneMatch
        if !ifNoneMatch.isEmpty, FieldSyntax.singleton(ifNoneMatch) != "*" {
            // A stored tag that is none matches nothing; the field rules over If-Modified-Since all
            // the same.
            let tag = FieldSyntax.singleton(stored[values: .eTag]).map { EntityTag($0) }
            guard tag?.isWellFormed == true else { return false }
        }
        // The time of the put stands in for Last-Modified only where there is nothing else.
        if ifNoneMatch.isEmpty, stored.contains(.eTag), !stored.contains(.lastModified) {
            return false
        }
        return Conditional.evaluate(
            ifNoneMatch: ifNoneMatch, ifModifiedSince: conditions.ifModifiedSince, stored: stored,
            storedDate: storedAt) == .notModified
    }

    private static func ranges(_ lines: [String], length: Int64) -> StoredAnswer {
        guard lines.count == 1, let line = lines.first, let specs = EdgeRange.parse(line) else {
            return .full
        }
        let ranges = specs.compactMap { $0?.resolved(completeLength: length) }
        guard let only = ranges.first else {
            return .rangeNotSatisfiable(completeLength: length)
        }
        if ranges.count == 1 { return .part(only) }
        // RFC 9110 §14.2: what overlaps or is out of order may be ignored
        let isAscending = zip(ranges, ranges.dropFirst()).allSatisfy { $0.last < $1.first }
        return isAscending ? .parts(ranges) : .full
    }
}

/// The ranges of a Range field as edge caches read it: an empty list and a range that ends before it
/// begins are ranges that cannot be satisfied, anything that is no range spoils the field.
private enum EdgeRange {
    private static let countMax = 100

    /// Nil when the field is to be ignored; nil in the list for what cannot be satisfied.
    static func parse(_ line: String) -> [RangeSpec?]? {
        let value = FieldSyntax.trimmed(Array(line.utf8)[...])
        // RFC 9110 §14.1: the unit's name ignores case
        guard let equals = value.firstIndex(of: 0x3D),
            FieldSyntax.lowercased(value[..<equals]) == "bytes"
        else { return nil }
        let list = FieldSyntax.trimmed(value[(equals + 1)...])
        if list.isEmpty { return [] }
        let members = list.split(separator: 0x2C, omittingEmptySubsequences: false)
        guard members.count <= countMax else { return nil }
        var specs: [RangeSpec?] = []
        for member in members {
            let text = FieldSyntax.trimmed(member)
            if let parsed = RangeSpec.parse(["bytes=" + String(decoding: text, as: UTF8.self)]) {
                specs.append(parsed.first)
            } else if isReversed(text) {
                specs.append(nil)
            } else {
                return nil
            }
        }
        return specs
    }

    private static func isReversed(_ text: ArraySlice<UInt8>) -> Bool {
        let ends = text.split(separator: 0x2D, omittingEmptySubsequences: false)
        return ends.count == 2
            && ends.allSatisfy { !$0.isEmpty && $0.allSatisfy(FieldSyntax.isDigit) }
    }
}
