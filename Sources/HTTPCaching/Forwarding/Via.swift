/// The Via field (RFC 9110 §7.6.3): our own entry, and requests that go in circles.
package enum Via {
    /// A request that has passed more proxies than this goes in circles.
    package static let hopCountMax = 10

    /// Our entry, to be appended.
    ///
    /// - Parameters:
    ///   - pseudonym: a token of this instance's own.
    ///   - isHTTP10: the version of the message that was received.
    package static func member(pseudonym: String, isHTTP10: Bool = false) -> String {
        (isHTTP10 ? "1.0 " : "1.1 ") + pseudonym
    }

    /// Whether a request has been here before, or at too many proxies: 508.
    ///
    /// - Parameters:
    ///   - lines: all lines of the request's field; none costs nothing.
    ///   - pseudonym: as in `member`.
    package static func isLoop(_ lines: [String], pseudonym: String) -> Bool {
        if lines.isEmpty { return false }
        let own = FieldSyntax.lowercased(pseudonym)
        var hops = 0
        for line in lines {
            let bytes = Array(line.utf8)[...]
            // Also within what looks like a comment: another may have opened it before our entry.
            for piece in bytes.split(separator: 0x2C) where receivedBy(piece) == own {
                return true
            }
            hops += hopCount(bytes)
        }
        return hops > hopCountMax
    }

    // RFC 9110 §7.6.3: received-protocol RWS received-by; names of hosts ignore case
    private static func receivedBy(_ member: ArraySlice<UInt8>) -> String? {
        let words = member.split(maxSplits: 2, whereSeparator: FieldSyntax.isWhitespace)
        guard words.count >= 2 else { return nil }
        return FieldSyntax.lowercased(words[1].prefix { $0 != 0x3A && $0 != 0x28 })
    }

    /// The members of a line; commas within comments part nothing, unless the comment has no end.
    private static func hopCount(_ line: ArraySlice<UInt8>) -> Int {
        var count = 0
        var depth = 0
        var isEscaped = false
        var isMember = false
        for byte in line {
            if isEscaped {
                isEscaped = false
                continue
            }
            switch byte {
            case 0x5C where depth > 0: isEscaped = true
            case 0x28: depth += 1
            case 0x29: depth = max(0, depth - 1)
            case 0x2C where depth == 0:
                if isMember { count += 1 }
                isMember = false
            default: if depth == 0, !FieldSyntax.isWhitespace(byte) { isMember = true }
            }
        }
        if depth > 0 {
            return line.split(separator: 0x2C).count { !FieldSyntax.trimmed($0).isEmpty }
        }
        return isMember ? count + 1 : count
    }
}
