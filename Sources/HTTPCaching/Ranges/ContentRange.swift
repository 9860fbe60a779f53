/// The Content-Range field of a 206 or a 416 (RFC 9110 §14.4).
package enum ContentRange: Sendable, Equatable {
    case part(RepresentationPart)
    /// Of a 416: how long the whole is.
    case unsatisfied(completeLength: Int64)

    /// Nil when there is none, or it is invalid, contradicts itself or is not in bytes.
    package init?(_ lines: [String]) {
        guard let value = FieldSyntax.singleton(lines) else { return nil }
        let bytes = Array(value.utf8)[...]
        guard let space = bytes.firstIndex(of: 0x20),
            FieldSyntax.lowercased(bytes[..<space]) == "bytes"
        else { return nil }
        let rest = bytes[(space + 1)...]
        guard let slash = rest.firstIndex(of: 0x2F) else { return nil }
        let place = rest[..<slash]
        let whole = rest[(slash + 1)...]
        if place.elementsEqual([0x2A]) {
            guard let length = Self.number(whole) else { return nil }
            self = .unsatisfied(completeLength: length)
            return
        }
        let isUnknown = whole.elementsEqual([0x2A])
        let length = isUnknown ? nil : Self.number(whole)
        // RFC 9110 §14.4: invalid if last-pos is less than first-pos or not within the whole
        guard isUnknown || length != nil, let dash = place.firstIndex(of: 0x2D),
            let first = Self.number(place[..<dash]), let last = Self.number(place[(dash + 1)...]),
            let range = ByteRange(first: first, last: last),
            let part = RepresentationPart(range: range, completeLength: length)
        else { return nil }
        self = .part(part)
    }

    /// Digits only; what no integer holds is no position.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard FieldSyntax.isDigit(byte) else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = product.addingReportingOverflow(Int64(byte - 0x30))
            if isTooLarge || isStillTooLarge { return nil }
            value = sum
        }
        return value
    }

    package var fieldValue: String {
        switch self {
        case .part(let part):
            "bytes \(part.range.first)-\(part.range.last)/"
                + (part.completeLength.map { String($0) } ?? "*")
        case .unsatisfied(let length): "bytes */\(length)"
        }
    }
}
