/// What a stored representation has of the ranges a request asks for (RFC 9110 §14.2).
package enum RangeSelection: Sendable, Equatable {
    /// No range is asked for, or the field is ignored: the whole, 200.
    case whole
    /// 206 with Content-Range.
    case part(ByteRange)
    /// 206 as multipart/byteranges, in the order asked for, none overlapping.
    case parts([ByteRange])
    /// 416.
    case unsatisfiable(completeLength: Int64)
    /// Only a part is stored, and it does not have what is asked for.
    case notHeld

    /// Selects from what is stored.
    ///
    /// - Parameter specs: the request's ranges; nil when it has none that count.
    package static func select(_ specs: [RangeSpec]?, from extent: StoredExtent) -> RangeSelection {
        switch extent {
        case .whole(let length):
            return specs.map { select($0, completeLength: length) } ?? .whole
        case .part(let part):
            guard let specs else { return .notHeld }
            let selection =
                part.completeLength.map { select(specs, completeLength: $0) }
                ?? select(specs, withoutLength: part.range)
            return selection.isHeld(by: part.range) ? selection : .notHeld
        }
    }

    // RFC 9110 §14.1.2, §14.2
    private static func select(_ specs: [RangeSpec], completeLength: Int64) -> RangeSelection {
        let length = max(0, completeLength)
        let ranges = specs.compactMap { $0.resolved(completeLength: length) }
        guard ranges.isEmpty else { return combined(ranges) }
        // A suffix of nothing is nothing, which no Content-Range can say.
        let isSatisfiable = specs.contains { spec in
            if case .suffix(let count) = spec { count > 0 } else { false }
        }
        return length == 0 && isSatisfiable ? .whole : .unsatisfiable(completeLength: length)
    }

    /// Where nobody said how long the whole is, only positions within the part mean something.
    private static func select(_ specs: [RangeSpec], withoutLength held: ByteRange)
        -> RangeSelection
    {
        let ranges = specs.compactMap { spec -> ByteRange? in
            guard case .int(let first, let last?) = spec else { return nil }
            return ByteRange(first: first, last: last)
        }
        return ranges.count == specs.count ? combined(ranges) : .notHeld
    }

    // RFC 9110 §14.2: what overlaps or is out of order may be ignored
    private static func combined(_ ranges: [ByteRange]) -> RangeSelection {
        guard let only = ranges.first else { return .whole }
        if ranges.count == 1 { return .part(only) }
        let isAscending = zip(ranges, ranges.dropFirst()).allSatisfy { $0.last < $1.first }
        return isAscending ? .parts(ranges) : .whole
    }

    private func isHeld(by held: ByteRange) -> Bool {
        switch self {
        case .part(let range): held.contains(range)
        case .parts(let ranges): ranges.allSatisfy { held.contains($0) }
        case .unsatisfiable: true
        case .whole, .notHeld: false
        }
    }
}
