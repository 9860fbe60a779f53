/// What the bytes of a path mean, and which of them mean different things to different servers.
enum PathBytes {
    static let slash = UInt8(ascii: "/")
    static let star = UInt8(ascii: "*")
    static let question = UInt8(ascii: "?")
    private static let dot = UInt8(ascii: ".")
    private static let percent = UInt8(ascii: "%")
    private static let semicolon = UInt8(ascii: ";")
    private static let backslash = UInt8(ascii: "\\")

    /// Whether a pattern may hold the byte: visible ASCII that a path on the wire can have.
    static func isPatternByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != question && byte != UInt8(ascii: "#")
    }

    /// Where a path that begins with a slash becomes ambiguous; nil when it never does.
    ///
    /// Found are: control bytes, space, `?`, `#`, a backslash, an empty segment that is not the
    /// last, segments `.` and `..` (also before `;`, where some servers cut), and the escapes of
    /// NUL, dot, slash and backslash.
    static func firstAmbiguity(_ path: UnsafeBufferPointer<UInt8>) -> Int? {
        for (index, byte) in path.enumerated() {
            switch byte {
            case 0...0x20, 0x7F, question, UInt8(ascii: "#"), backslash:
                return index
            case percent where isDangerousEscape(path[(index + 1)...].prefix(2)):
                return index
            case slash where isAmbiguousSegment(path[(index + 1)...]):
                return index
            default:
                continue
            }
        }
        return nil
    }

    private static func isDangerousEscape(_ digits: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let high = digits.first, let low = digits.last, digits.count == 2 else {
            return false
        }
        switch (high, low | 0x20) {
        case (UInt8(ascii: "0"), UInt8(ascii: "0")): return true
        case (UInt8(ascii: "2"), UInt8(ascii: "e")), (UInt8(ascii: "2"), UInt8(ascii: "f")):
            return true
        case (UInt8(ascii: "5"), UInt8(ascii: "c")): return true
        default: return false
        }
    }

    /// Looks at what follows a slash: another slash, or dots alone up to the segment's end.
    private static func isAmbiguousSegment(_ rest: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        guard let first = rest.first else { return false }
        if first == slash { return true }
        let dots = rest.prefix(3).prefix { $0 == dot }.count
        guard dots == 1 || dots == 2 else { return false }
        guard let next = rest.dropFirst(dots).first else { return true }
        return next == slash || next == semicolon
    }
}
