import NIOCore

/// Checks the status line of every head on the bytes themselves (RFC 9112 §4).
///
/// The decoder takes `RTSP/1.0` and `ICE/1.0` for HTTP/1.0. A final head is looked at as far as
/// its status; an informational one to its end, where the next begins.
struct StatusLineCheck {
    private enum Phase: Equatable {
        case line
        /// Behind an informational status, up to the empty line.
        case informational
        case done
    }

    private var phase = Phase.line
    /// Bytes matched: of the status line, or of the line breaks that end the head.
    private var matched = 0
    private var isInformational = false

    /// A new request goes out on the connection.
    mutating func restart() {
        self = StatusLineCheck()
    }

    /// Takes the next bytes of an answer; `false` where they cannot be a head's.
    mutating func accepts(_ bytes: ByteBuffer) -> Bool {
        if phase == .done { return true }
        for byte in bytes.readableBytesView {
            switch phase {
            case .done: return true
            case .line:
                guard acceptsInLine(byte) else { return false }
            case .informational: skip(byte)
            }
        }
        return true
    }

    private mutating func acceptsInLine(_ byte: UInt8) -> Bool {
        let isValid =
            switch matched {
            case 0: byte == UInt8(ascii: "H")
            case 1, 2: byte == UInt8(ascii: "T")
            case 3: byte == UInt8(ascii: "P")
            case 4: byte == UInt8(ascii: "/")
            case 5: byte == UInt8(ascii: "1")
            case 6: byte == UInt8(ascii: ".")
            case 7: byte == UInt8(ascii: "0") || byte == UInt8(ascii: "1")
            case 8: byte == UInt8(ascii: " ")
            case 9: (UInt8(ascii: "1")...UInt8(ascii: "5")).contains(byte)
            case 10, 11: ASCII.isDigit(byte)
            // Some servers leave the space before an empty reason out.
            default: byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\r")
            }
        if matched == 9 { isInformational = byte == UInt8(ascii: "1") }
        matched += 1
        if matched == 13 {
            phase = isInformational ? .informational : .done
            matched = byte == UInt8(ascii: "\r") ? 1 : 0
        }
        return isValid
    }

    private mutating func skip(_ byte: UInt8) {
        let isReturn = byte == UInt8(ascii: "\r")
        switch (matched, byte) {
        case (1, UInt8(ascii: "\n")), (3, UInt8(ascii: "\n")): matched += 1
        case (2, _) where isReturn: matched = 3
        default: matched = isReturn ? 1 : 0
        }
        if matched == 4 { restart() }
    }
}
