/// Why a path pattern was refused; offsets count bytes from 0.
package enum PathGlobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The pattern does not begin with a slash.
    case notAbsolute(pattern: String)
    /// A byte no path on the wire has: space, control, `?`, `#`, anything beyond ASCII.
    case badByte(pattern: String, offset: Int, byte: UInt8)
    /// A dot segment, an empty segment, a backslash or an escape of one of them: no path matches.
    case ambiguous(pattern: String, offset: Int)
    /// A star that is not a whole segment.
    case partialStar(pattern: String, offset: Int)
    /// A `**` with more segments behind it.
    case restNotLast(pattern: String, offset: Int)

    /// One line for standard error: what is wrong, where, and what to write instead.
    package var description: String {
        switch self {
        case .notAbsolute(let pattern):
            return "path pattern \(quoted(pattern)): must begin with '/'"
        case .badByte(let pattern, let offset, let byte):
            let hexadecimal = String(byte, radix: 16, uppercase: true)
            let padded = hexadecimal.utf8.count < 2 ? "0" + hexadecimal : hexadecimal
            return "path pattern \(quoted(pattern)): byte 0x\(padded) at offset \(offset) cannot"
                + " be in a path; write it percent-encoded, and leave out any query"
        case .ambiguous(let pattern, let offset):
            return "path pattern \(quoted(pattern)): at offset \(offset) there is '//', a dot"
                + " segment, a backslash or an escape of one of these; no path matches that"
        case .partialStar(let pattern, let offset):
            return "path pattern \(quoted(pattern)): the segment at offset \(offset) mixes '*'"
                + " with other characters; use '*' for one whole segment or a final '**'"
        case .restNotLast(let pattern, let offset):
            return "path pattern \(quoted(pattern)): '**' at offset \(offset) must be the last"
                + " segment"
        }
    }

    /// Quotes with control characters escaped, so that a message stays one line.
    private func quoted(_ pattern: String) -> String {
        var text = "'"
        for scalar in pattern.unicodeScalars {
            text += scalar.escaped(asASCII: false)
        }
        return text + "'"
    }
}
