/// The host and port a client asked for, in one form for keys, routes and what is forwarded.
package enum Authority {
    /// The longest host accepted, in bytes, as in the DNS.
    package static let maximumHostLength = 255

    /// The normal form of `host`, a Host field's value or an absolute target's authority.
    ///
    /// Letters become lower-case, one trailing dot of a name goes, and so does a port that is empty
    /// or the scheme's own; other ports lose leading zeros. Applying it twice changes nothing. A
    /// value that is normal already is handed back as it is, without allocation.
    ///
    /// Nil when `host` is not `uri-host[:port]` of letters, digits and `-._~`, or of an IPv6
    /// literal in brackets: percent escapes, commas and the like are valid in RFC 3986 and serve
    /// only to disguise.
    package static func normalized(_ host: String, scheme: String) -> String? {
        let defaultPort = defaultPort(of: scheme)
        var text = host
        return text.withUTF8 { bytes -> String?? in
            guard let shape = Shape(bytes) else { return .some(nil) }
            if shape.isNormal(defaultPort: defaultPort) { return .none }
            return .some(shape.rendered(from: bytes, defaultPort: defaultPort))
        } ?? host
    }

    private static func defaultPort(of scheme: String) -> UInt16? {
        if scheme.utf8.elementsEqual("http".utf8) { return 80 }
        if scheme.utf8.elementsEqual("https".utf8) { return 443 }
        return nil
    }
}

/// Where the pieces of an authority lie, and what keeps it from being normal.
private struct Shape {
    /// The end of the host that stays: brackets included, a trailing dot not.
    private var hostEnd = 0
    private var port: UInt16?
    private var hasUpperCase = false
    private var hasTrailingDot = false
    /// A colon with no digits, or digits with zeros before them.
    private var hasOddPort = false

    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        let end: Int?
        if bytes.first == UInt8(ascii: "[") {
            end = scanLiteral(bytes)
        } else {
            end = scanName(bytes)
        }
        guard let end, end <= Authority.maximumHostLength, scanPort(bytes, from: end) else {
            return nil
        }
    }

    func isNormal(defaultPort: UInt16?) -> Bool {
        !hasUpperCase && !hasTrailingDot && !hasOddPort && (port == nil || port != defaultPort)
    }

    func rendered(from bytes: UnsafeBufferPointer<UInt8>, defaultPort: UInt16?) -> String {
        let host = String(unsafeUninitializedCapacity: hostEnd) { output in
            for (index, byte) in bytes.prefix(hostEnd).enumerated() {
                output[index] = Self.isUpperCase(byte) ? byte | 0x20 : byte
            }
            return hostEnd
        }
        guard let port, port != defaultPort else { return host }
        return "\(host):\(port)"
    }

    // RFC 3986 §3.2.2 reg-name and IPv4address, without escapes and sub-delims
    /// Scans labels up to the end or a colon, and answers where that is.
    private mutating func scanName(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        var labelLength = 0
        var index = 0
        while index < bytes.count, bytes[index] != UInt8(ascii: ":") {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") {
                guard labelLength > 0 else { return nil }
                labelLength = 0
            } else {
                guard Self.isNameByte(byte) else { return nil }
                if Self.isUpperCase(byte) { hasUpperCase = true }
                labelLength += 1
            }
            index += 1
        }
        guard index > 0 else { return nil }
        hasTrailingDot = labelLength == 0
        hostEnd = hasTrailingDot ? index - 1 : index
        return index
    }

    // RFC 3986 §3.2.2 IP-literal, IPv6 only
    /// Scans to the closing bracket and answers where the literal ends.
    private mutating func scanLiteral(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        guard
            let close = bytes.firstIndex(of: UInt8(ascii: "]")),
            IPv6Literal.isValid(bytes[1..<close])
        else { return nil }
        hasUpperCase = bytes[1..<close].contains(where: Self.isUpperCase)
        hostEnd = close + 1
        return hostEnd
    }

    // RFC 3986 §3.2.3
    private mutating func scanPort(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
        guard start < bytes.count else { return true }
        guard bytes[start] == UInt8(ascii: ":") else { return false }
        let digits = bytes[(start + 1)...]
        guard let first = digits.first else {
            hasOddPort = true
            return true
        }
        hasOddPort = first == UInt8(ascii: "0")
        var value: UInt16 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return false }
            let (shifted, isTooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) = shifted.addingReportingOverflow(
                UInt16(digit - UInt8(ascii: "0")))
            if isTooLong || isTooLarge { return false }
            value = sum
        }
        port = value
        return value > 0
    }

    private static func isUpperCase(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: isUpperCase(byte)
        }
    }
}
