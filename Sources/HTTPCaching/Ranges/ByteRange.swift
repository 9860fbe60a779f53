/// A run of bytes of a representation, both ends included (RFC 9110 §14.1.2).
package struct ByteRange: Sendable, Equatable {
    /// 0 or more.
    package let first: Int64
    /// `first` or more, below `Int64.max`, so that no length overflows.
    package let last: Int64

    /// Nil when the ends are negative, out of order or too large.
    package init?(first: Int64, last: Int64) {
        guard first >= 0, last >= first, last < .max else { return nil }
        self.first = first
        self.last = last
    }

    /// How many bytes, at least 1.
    package var count: Int64 { last - first + 1 }

    package func contains(_ other: ByteRange) -> Bool {
        first <= other.first && other.last <= last
    }

    package func contains(_ position: Int64) -> Bool { first <= position && position <= last }

    /// Both as one run; nil when bytes lie between them.
    package func union(_ other: ByteRange) -> ByteRange? {
        // `last + 1` cannot overflow.
        guard other.first <= last + 1, first <= other.last + 1 else { return nil }
        return ByteRange(first: min(first, other.first), last: max(last, other.last))
    }
}

/// A run of bytes and what is known of the length of the whole.
package struct RepresentationPart: Sendable, Equatable {
    package let range: ByteRange
    /// Nil when nobody said.
    package let completeLength: Int64?

    /// Nil when the run does not lie within the whole. RFC 9110 §14.4
    package init?(range: ByteRange, completeLength: Int64?) {
        if let completeLength, completeLength <= range.last { return nil }
        self.range = range
        self.completeLength = completeLength
    }

    /// It is all there is.
    package var isWhole: Bool { range.first == 0 && completeLength == range.count }
}

/// How much of a representation is stored.
package enum StoredExtent: Sendable, Equatable {
    case whole(length: Int64)
    case part(RepresentationPart)

    /// The part, or the whole where it is all there is.
    package init(_ part: RepresentationPart) {
        self = part.isWhole ? .whole(length: part.range.count) : .part(part)
    }

    /// Where a run begins in the stored bytes; nil when it is not all there.
    package func offset(of range: ByteRange) -> Int64? {
        switch self {
        case .whole(let length): range.last < length ? range.first : nil
        case .part(let part):
            part.range.contains(range) ? range.first - part.range.first : nil
        }
    }
}
