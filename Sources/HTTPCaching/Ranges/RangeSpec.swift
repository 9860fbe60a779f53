/// One range as a client asks for it (RFC 9110 §14.1.1); positions saturate at `Int64.max`.
package enum RangeSpec: Sendable, Equatable {
    /// `first-last`, or `first-` to the end.
    case int(first: Int64, last: Int64?)
    /// The last so many bytes.
    case suffix(Int64)

    /// More ranges than this in one request are ignored: the whole answer costs less.
    package static let countMax = 4

    /// The ranges of a Range field; nil when there is none or it is to be ignored.
    ///
    /// Ignored is what is not exactly one line of one to four valid ranges in bytes.
    package static func parse(_ lines: [String]) -> [RangeSpec]? {
        guard lines.count == 1, let line = lines.first else { return nil }
        let value = FieldSyntax.trimmed(Array(line.utf8)[...])
        // RFC 9110 §14.1: the unit's name ignores case
        guard let equals = value.firstIndex(of: 0x3D),
            FieldSyntax.lowercased(value[..<equals]) == "bytes"
        else { return nil }
        var specs: [RangeSpec] = []
        var rest = value[(equals + 1)...]
        while !rest.isEmpty {
            let piece = rest.prefix { $0 != 0x2C }
            rest = rest[piece.endIndex...].dropFirst()
            let member = FieldSyntax.trimmed(piece)
            // RFC 9110 §5.6.1.2: empty members count for nothing
            if member.isEmpty { continue }
            // RFC 9110 §14.2: many ranges may be ignored; §14.1.1: one that is invalid spoils all
            guard specs.count < countMax, let spec = RangeSpec(member) else { return nil }
            specs.append(spec)
        }
        return specs.isEmpty ? nil : specs
    }

    // RFC 9110 §14.1.1: int-range / suffix-range
    private init?(_ text: ArraySlice<UInt8>) {
        guard let dash = text.firstIndex(of: 0x2D) else { return nil }
        let left = text[..<dash]
        let right = text[(dash + 1)...]
        if left.isEmpty {
            guard let length = Self.position(right) else { return nil }
            self = .suffix(length)
            return
        }
        guard let first = Self.position(left) else { return nil }
        if right.isEmpty {
            self = .int(first: first, last: nil)
            return
        }
        guard let last = Self.position(right), Self.isAscending(left, right) else { return nil }
        self = .int(first: first, last: last)
    }

    /// Digits only, saturating.
    private static func position(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard FieldSyntax.isDigit(byte) else { return nil }
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            value = isTooLarge ? .max : ReuseTerms.sum(product, Int64(byte - 0x30))
        }
        return value
    }

    // RFC 9110 §14.1.1: invalid if last-pos is less than first-pos, also where both are too large
    // for any integer
    private static func isAscending(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        let first = left.drop { $0 == 0x30 }
        let last = right.drop { $0 == 0x30 }
        if first.count != last.count { return first.count < last.count }
        return !last.lexicographicallyPrecedes(first)
    }

    /// The range as it goes into a request.
    package var fieldValue: String {
        switch self {
        case .int(let first, let last): "bytes=\(first)-" + (last.map { String($0) } ?? "")
        case .suffix(let length): "bytes=-\(length)"
        }
    }

    /// The bytes it names of a representation of this length; nil when it names none.
    /// RFC 9110 §14.1.2
    package func resolved(completeLength: Int64) -> ByteRange? {
        switch self {
        case .int(let first, let last):
            guard first < completeLength else { return nil }
            return ByteRange(first: first, last: min(last ?? .max, completeLength - 1))
        case .suffix(let length):
            guard length > 0, completeLength > 0 else { return nil }
            return ByteRange(first: max(0, completeLength - length), last: completeLength - 1)
        }
    }
}
