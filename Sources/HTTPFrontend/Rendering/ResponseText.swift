import HTTPCaching
import HTTPTypes
import NIOCore

/// The text of HTTP/1.1 response heads (RFC 9112 §4, §5), written into byte buffers.
///
/// Prepared heads are written below NIO's encoder: a hit compares, copies and flushes once.
extension ByteBuffer {
    mutating func writeStatusLine(_ status: HTTPResponse.Status) {
        writeStaticString("HTTP/1.1 ")
        writeString(String(status.code))
        writeStaticString(" ")
        writeString(status.reasonPhrase)
        writeStaticString("\r\n")
    }

    mutating func writeField(_ name: StaticString, _ value: String) {
        writeStaticString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }

    /// Every field as received but those that frame the message or belong to the connection.
    mutating func writeFields(_ fields: HTTPFields) {
        for field in fields {
            guard field.name != .contentLength, field.name != .transferEncoding,
                field.name != .connection
            else { continue }
            writeString(field.name.rawName)
            writeStaticString(": ")
            // Bytes: text would be repaired where it is not UTF-8.
            _ = field.withUnsafeBytesOfValue { writeBytes($0) }
            writeStaticString("\r\n")
        }
    }

    /// Cache-Status and X-Cache, both from the one value.
    mutating func writeStatus(_ status: CacheStatus) {
        writeField("Cache-Status", status.serialized())
        writeField("X-Cache", status.result.xCache)
    }

    /// Says what becomes of the connection, where that is not the version's default.
    mutating func writeConnection(keepsAlive: Bool, isHTTP10: Bool) {
        if !keepsAlive {
            writeStaticString("Connection: close\r\n")
        } else if isHTTP10 {
            writeStaticString("Connection: keep-alive\r\n")
        }
    }
}
