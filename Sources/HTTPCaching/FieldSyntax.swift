/// The byte grammar that field values share (RFC 9110 §5.5, §5.6): junk is nil, never a trap.
enum FieldSyntax {
    /// The largest delta-seconds; anything above is this. RFC 9111 §1.2.2
    static let deltaSecondsMax: Int64 = 1 << 31

    /// OWS. RFC 9110 §5.6.3
    static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// tchar. RFC 9110 §5.6.2
    static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E: true
        case 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenByte)
    }

    /// ASCII letters only: a Kelvin sign is not a k.
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    static func lowercased(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.map { lowercased($0) }, as: UTF8.self)
    }

    static func lowercased(_ text: String) -> String { lowercased(text.utf8) }

    static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = bytes
        while let first = rest.first, isWhitespace(first) { rest.removeFirst() }
        while let last = rest.last, isWhitespace(last) { rest.removeLast() }
        return rest
    }

    static func trimmed(_ text: String) -> String {
        let bytes = text.utf8
        guard isWhitespace(bytes.first ?? 0) || isWhitespace(bytes.last ?? 0) else { return text }
        return String(decoding: trimmed(Array(bytes)[...]), as: UTF8.self)
    }

    /// The members of a list in one line, trimmed, empty ones dropped; quoted commas do not part.
    /// RFC 9110 §5.6.1
    ///
    /// - Parameter hasEscapes: a backslash hides the next byte; not so in entity tags.
    static func members(
        of line: some Collection<UInt8>, separator: UInt8 = 0x2C, hasEscapes: Bool = true
    ) -> [ArraySlice<UInt8>] {
        let bytes = Array(line)[...]
        var members: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        var index = bytes.startIndex
        var isQuoted = false
        while index < bytes.endIndex {
            let byte = bytes[index]
            if isQuoted, hasEscapes, byte == 0x5C {
                index += 1
            } else if byte == 0x22 {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                let member = trimmed(bytes[start..<index])
                if !member.isEmpty { members.append(member) }
                start = index + 1
            }
            index += 1
        }
        let member = trimmed(bytes[start..<bytes.endIndex])
        if !member.isEmpty { members.append(member) }
        return members
    }

    /// Where a quoted-string begins that has no end.
    static func unclosedQuote(in member: ArraySlice<UInt8>) -> Int? {
        var opened: Int?
        var isEscaped = false
        for (index, byte) in zip(member.indices, member) {
            if isEscaped {
                isEscaped = false
            } else if opened != nil, byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                opened = opened == nil ? index : nil
            }
        }
        return opened
    }

    /// Digits only, saturating at 2^31; nil for anything else, the empty text too. RFC 9111 §1.2.2
    static func deltaSeconds(_ bytes: some Collection<UInt8>) -> Int64? {
        guard !bytes.isEmpty else { return nil }
        var value: Int64 = 0
        for byte in bytes {
            guard isDigit(byte) else { return nil }
            value = min(value * 10 + Int64(byte - 0x30), deltaSecondsMax)
        }
        return value
    }

    /// The content of a quoted-string, escapes undone; nil when it is not exactly one.
    /// RFC 9110 §5.6.4
    static func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count >= 2, bytes.first == 0x22, bytes.last == 0x22 else { return nil }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in bytes.dropFirst().dropLast() {
            if isEscaped {
                result.append(byte)
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if byte == 0x22 {
                return nil
            } else {
                result.append(byte)
            }
        }
        return isEscaped ? nil : result
    }

    /// The value of a field that may come once: of several lines only if all agree, else nil.
    /// RFC 9110 §5.3
    static func singleton(_ lines: [String]) -> String? {
        guard let first = lines.first.map(trimmed) else { return nil }
        return lines.dropFirst().allSatisfy { trimmed($0).utf8.elementsEqual(first.utf8) }
            ? first : nil
    }
}
