/// What a request target may consist of, beyond what NIO's decoder refuses.
enum TargetSyntax {
    /// Bytes allowed in origin-form: printable ASCII without `# " < > \ ^ { } |` and backtick.
    private static let allowed: [Bool] = (0...255).map { value in
        guard value > 0x20, value < 0x7F else { return false }
        return !"#\"<>\\^{}|`".utf8.contains(UInt8(value))
    }

    /// Every byte allowed and every `%` followed by two hexadecimal digits (RFC 3986 §2.1).
    static func isValid(_ target: some StringProtocol) -> Bool {
        var pendingDigits = 0
        for byte in target.utf8 {
            guard allowed[Int(byte)] else { return false }
            if pendingDigits > 0 {
                guard isHexadecimal(byte) else { return false }
                pendingDigits -= 1
            } else if byte == UInt8(ascii: "%") {
                pendingDigits = 2
            }
        }
        return pendingDigits == 0
    }

    /// Scheme, authority and origin-form of an absolute-form target; `nil` if it is none.
    static func absoluteForm(
        _ target: String
    ) -> (scheme: String, authority: Substring, path: String)? {
        let scheme: String
        if target.utf8.count >= 7, target.prefix(7).lowercased() == "http://" {
            scheme = "http"
        } else if target.utf8.count >= 8, target.prefix(8).lowercased() == "https://" {
            scheme = "https"
        } else {
            return nil
        }
        let rest = target.dropFirst(scheme.utf8.count + 3)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let path = rest[end...]
        let isRooted = path.utf8.first == UInt8(ascii: "/")
        return (scheme, rest[..<end], isRooted ? String(path) : "/" + path)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
