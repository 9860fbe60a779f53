import CacheEngine
import NIOCore

/// Finds bytes behind the end of an answer that came in the same read.
///
/// The decoder says nothing about them: it skips line breaks before a head and waits for the rest
/// of half a status line. So the end of what was read is compared with the end of the message.
/// Line breaks behind a body that itself ends in eight of them go unseen; the decoder skips those.
struct SurplusCheck {
    private var read = Tail()
    private var body = Tail()

    /// A new request goes out on the connection.
    mutating func restart() {
        self = SurplusCheck()
    }

    /// Bytes from the socket, before the decoder sees them.
    mutating func received(_ bytes: ByteBuffer) {
        read.append(bytes)
    }

    /// Bytes of the body, as the decoder hands them out.
    mutating func decoded(_ part: ByteBuffer) {
        body.append(part)
    }

    /// Whether something follows the message, all of which has been decoded.
    func hasSurplus(_ framing: OriginFraming) -> Bool {
        if case .length = framing, body.count > 0 {
            let shift = UInt64(64 - 8 * min(8, body.count))
            return read.bytes << shift != body.bytes << shift
        }
        // Head and chunked body end with one empty line, and never with two.
        let isEnded = read.bytes & 0xFFFF_FFFF == 0x0D0A_0D0A
        return !isEnded || read.bytes & 0xFFFF_FFFF_FFFF == 0x0D0A_0D0A_0D0A
    }

    /// The last eight bytes of a stream.
    private struct Tail {
        var bytes: UInt64 = 0
        /// How many there were, at most eight are counted.
        var count = 0

        mutating func append(_ buffer: ByteBuffer) {
            let start = buffer.writerIndex - 8
            if start >= buffer.readerIndex, let last = buffer.getInteger(at: start, as: UInt64.self)
            {
                bytes = last
                count = 8
                return
            }
            for byte in buffer.readableBytesView {
                bytes = bytes << 8 | UInt64(byte)
            }
            count = min(8, count + buffer.readableBytes)
        }
    }
}
