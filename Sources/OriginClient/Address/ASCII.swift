/// Byte classes of URLs and fields.
enum ASCII {
    static func lowercased(_ byte: UInt8) -> UInt8 {
        isUpper(byte) ? byte | 0x20 : byte
    }

    static func isUpper(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// A byte of a host name as the DNS and people use it (RFC 3986 §3.2.2 unreserved).
    static func isHostByte(_ byte: UInt8) -> Bool {
        if isLetter(byte) || isDigit(byte) { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
        default: return false
        }
    }

    static func isIPv6Byte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "."): true
        default: isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
        }
    }

    /// A byte that may stand in a request target on the wire: no control, no space, no `#`,
    /// nothing above ASCII.
    static func isTargetByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#")
    }

    /// Whether `text` is `lowercase`, letter case ignored.
    static func equals(_ text: Substring, _ lowercase: String) -> Bool {
        text.utf8.count == lowercase.utf8.count
            && text.utf8.elementsEqual(lowercase.utf8) { ASCII.lowercased($0) == $1 }
    }

    /// `text` without spaces and tabs at its ends (RFC 9110 §5.6.3).
    static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 {
            text = Substring(text.utf8.dropFirst())
        }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 {
            text = Substring(text.utf8.dropLast())
        }
        return text
    }
}
