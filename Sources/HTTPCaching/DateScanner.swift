/// Reads the pieces of a date from lower-cased bytes; each step eats what it matched or nothing.
struct DateScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    /// Whether exactly this text comes next.
    mutating func literal(_ text: StaticString) -> Bool {
        let matches = text.withUTF8Buffer { expected in
            bytes[position...].starts(with: expected)
        }
        if matches { position += text.utf8CodeUnitCount }
        return matches
    }

    /// The index of the word that comes next.
    mutating func oneOf(_ words: [String]) -> Int? {
        for (index, word) in words.enumerated() where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return index
        }
        return nil
    }

    /// A number of exactly this many digits.
    mutating func digits(_ count: Int) -> Int64? {
        let slice = bytes[position...].prefix(count)
        guard slice.count == count, slice.allSatisfy(FieldSyntax.isDigit) else { return nil }
        position += count
        return slice.reduce(0) { $0 * 10 + Int64($1 - 0x30) }
    }

    /// `08:49:37` as seconds; 60 is a leap second.
    mutating func timeOfDay() -> Int64? {
        guard let hour = digits(2), literal(":"), let minute = digits(2), literal(":"),
            let second = digits(2), hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }
}
