import HTTPCaching

/// Which bytes of a representation a row says it has; a row may say anything.
struct PartColumns: Equatable {
    /// Negative where the column is NULL, which no part can be.
    var first: Int64
    var completeLength: Int64?

    init(_ part: RepresentationPart) {
        first = part.range.first
        completeLength = part.completeLength
    }

    /// Nil when the row has a whole.
    init?(row: RawStatement, firstColumn: Int32) {
        let (start, length) = (firstColumn, firstColumn + 1)
        if row.isNull(start), row.isNull(length) { return nil }
        first = row.isNull(start) ? -1 : row.integer(start)
        completeLength = row.isNull(length) ? nil : row.integer(length)
    }

    /// The part, or `nil` when the numbers do not fit together.
    func part(bodySize: Int64) -> RepresentationPart? {
        guard first >= 0, bodySize > 0 else { return nil }
        let (end, isTooLarge) = first.addingReportingOverflow(bodySize)
        guard !isTooLarge, let range = ByteRange(first: first, last: end - 1),
            let part = RepresentationPart(range: range, completeLength: completeLength),
            !part.isWhole
        else { return nil }
        return part
    }
}
