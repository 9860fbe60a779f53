package import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
package import NIOCore

/// Prepares the part of a stored response's head that is the same for every hit.
package struct StoredRendering: ResponseRenderer {
    package init() {}

    /// Status line, stored fields and Content-Length; Age, Cache-Status, X-Cache and Connection are
    /// written behind it for each answer.
    package func rendering(of entry: StoredEntry) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 512)
        buffer.writeStatusLine(entry.status)
        var fields = entry.fields
        if entry.identity.surface == .cacheAPI { fields = PutRules.fieldsOfMatch(fields) }
        // Made anew for each answer (RFC 9111 §4).
        fields[.age] = nil
        buffer.writeFields(fields)
        // RFC 9110 §8.6: never with 204.
        if entry.status.code != 204 {
            buffer.writeField("Content-Length", String(entry.body.length))
        }
        return buffer
    }
}

extension ByteBuffer {
    /// The head of a hit: the prepared part and what is of this moment.
    mutating func writeHitHead(
        _ stored: StoredResponse, status: CacheStatus, now: EpochSeconds, keepsAlive: Bool,
        isHTTP10: Bool
    ) {
        writeImmutableBuffer(stored.rendering)
        writeTail(
            age: stored.terms.age(at: now), status: status, keepsAlive: keepsAlive,
            isHTTP10: isHTTP10)
    }

    /// A 304 to the client's own preconditions (RFC 9110 §15.4.5).
    mutating func writeNotModifiedHead(
        _ stored: StoredResponse, status: CacheStatus, now: EpochSeconds, keepsAlive: Bool,
        isHTTP10: Bool
    ) {
        writeStatusLine(.notModified)
        writeFields(Conditional.notModifiedFields(from: stored.entry.fields))
        writeTail(
            age: stored.terms.age(at: now), status: status, keepsAlive: keepsAlive,
            isHTTP10: isHTTP10)
    }

    mutating func writeTail(
        age: Int64, status: CacheStatus, keepsAlive: Bool, isHTTP10: Bool
    ) {
        writeStaticString("Age: ")
        writeString(String(age))
        if status.result == .hit, let ttl = status.ttl, status.detail == nil {
            // The text of nearly all answers, without making a String of it.
            writeStaticString("\r\nCache-Status: larder; hit; ttl=")
            writeString(String(ttl))
            writeStaticString("\r\nX-Cache: HIT\r\n")
        } else {
            writeStaticString("\r\n")
            writeStatus(status)
        }
        writeConnection(keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        writeStaticString("\r\n")
    }
}
