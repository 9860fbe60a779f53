// RFC 3986 §3.2.2 IPv6address
/// The text between the brackets of an IPv6 literal.
enum IPv6Literal {
    private static let colon = UInt8(ascii: ":")
    private static let dot = UInt8(ascii: ".")
    private static let groupCount = 8

    /// Whether `text` is an IPv6 address: no zone, no later version.
    static func isValid(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = text
        var groups = 0
        var hasGap = false
        if rest.first == colon {
            guard rest.dropFirst().first == colon else { return false }
            hasGap = true
            rest = rest.dropFirst(2)
        }
        // After a gap the address may end; after a single colon it may not.
        var mayEnd = hasGap
        while !(rest.isEmpty && mayEnd) {
            let group = rest.prefix { $0 != colon }
            rest = rest[group.endIndex...]
            if rest.isEmpty, group.contains(dot) {
                guard isIPv4(group) else { return false }
                groups += 2
                break
            }
            guard (1...4).contains(group.count), group.allSatisfy(isHexadecimal) else {
                return false
            }
            groups += 1
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            mayEnd = rest.first == colon
            if mayEnd {
                guard !hasGap else { return false }
                hasGap = true
                rest = rest.dropFirst()
            }
        }
        return hasGap ? groups < groupCount : groups == groupCount
    }

    /// Four decimal numbers up to 255, without leading zeros.
    private static func isIPv4(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        var rest = text
        for position in 0..<4 {
            let octet = rest.prefix { $0 != dot }
            guard (1...3).contains(octet.count), octet.allSatisfy(isDecimal) else { return false }
            if octet.count > 1, octet.first == UInt8(ascii: "0") { return false }
            let value = octet.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard value <= 255 else { return false }
            rest = rest[octet.endIndex...]
            if position < 3 {
                guard rest.first == dot else { return false }
                rest = rest.dropFirst()
            }
        }
        return rest.isEmpty
    }

    private static func isDecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        isDecimal(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }
}
