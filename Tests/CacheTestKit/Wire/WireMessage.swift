/// One HTTP/1 message as it stood on the wire, a request or an answer.
package struct WireMessage: Sendable, Equatable {
    /// What told the reader where the body ends (RFC 9112 §6.3).
    package enum Framing: Sendable, Equatable {
        case none
        case length
        case chunked
        case untilClose
    }

    /// The first line without its end.
    package var startLine: String
    package var fields: WireFields
    /// The content, chunk framing taken off.
    package var body: [UInt8] = []
    package var framing: Framing = .none
    package var trailers = WireFields()

    /// The three parts of the start line; missing ones are empty, the third keeps its spaces.
    package var startParts: (String, String, String) {
        let parts = startLine.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        return (
            parts.isEmpty ? "" : String(parts[0]),
            parts.count > 1 ? String(parts[1]) : "",
            parts.count > 2 ? String(parts[2]) : ""
        )
    }
}

/// The bytes break HTTP/1; the text says how.
package struct WireError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
