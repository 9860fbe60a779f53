import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// The heads of answers that are cut from a stored response.
extension ByteBuffer {
    mutating func writeHead(
        of selection: StoredSelection, _ stored: StoredResponse, status: CacheStatus,
        now: EpochSeconds, keepsAlive: Bool, isHTTP10: Bool
    ) {
        switch selection {
        case .full, .forward:
            return writeHitHead(
                stored, status: status, now: now, keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        case .notModified:
            return writeNotModifiedHead(
                stored, status: status, now: now, keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        case .part, .parts, .rangeNotSatisfiable:
            writeSelectionHead(selection, fields: stored.entry.fields)
        }
        writeTail(
            age: stored.terms.age(at: now), status: status, keepsAlive: keepsAlive,
            isHTTP10: isHTTP10)
    }

    /// Status line, fields and length of a part, of parts, or of a range that is not there.
    mutating func writeSelectionHead(_ selection: StoredSelection, fields stored: HTTPFields) {
        switch selection {
        case .full, .forward, .notModified: break
        case .part(let part):
            writePartialHead(
                PartialContent.fields(from: stored, part: part), length: part.range.count)
        case .parts(let multipart, let ranges):
            var fields = PartialContent.fields(from: stored, part: nil)
            fields.append(HTTPField(name: .contentType, value: multipart.mediaType))
            writePartialHead(fields, length: multipart.contentLength(of: ranges))
        case .rangeNotSatisfiable(let length):
            writeStatusLine(.rangeNotSatisfiable)
            writeFields(UnsatisfiedRange.fields(from: stored))
            writeField(
                "Content-Range", ContentRange.unsatisfied(completeLength: length).fieldValue)
            writeStaticString("Content-Length: 0\r\n")
        }
    }

    private mutating func writePartialHead(_ stored: HTTPFields, length: Int64) {
        var fields = stored
        // Made anew for each answer (RFC 9111 §4).
        fields[.age] = nil
        writeStatusLine(.partialContent)
        writeFields(fields)
        writeField("Content-Length", String(length))
    }
}

/// The fields of a stored response that its 416 carries: what is true of the representation or lets
/// a browser's script see the answer.
///
/// Nothing of the content, and no lifetime: caches further down must not keep an error that says
/// nothing about the next range.
enum UnsatisfiedRange {
    private static let names: Set<String> = [
        "accept-ranges", "cross-origin-resource-policy", "date", "etag", "last-modified",
        "timing-allow-origin", "vary", "via",
    ]

    static func fields(from stored: HTTPFields) -> HTTPFields {
        var fields = HTTPFields()
        for field in stored {
            let name = field.name.canonicalName
            if names.contains(name) || name.hasPrefix("access-control-") { fields.append(field) }
        }
        return fields
    }
}
