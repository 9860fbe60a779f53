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
        case .part(let part):
            writePartialHead(
                PartialContent.fields(from: stored.entry.fields, part: part),
                length: part.range.count)
        case .parts(let multipart, let ranges):
            var fields = PartialContent.fields(from: stored.entry.fields, part: nil)
            fields.append(HTTPField(name: .contentType, value: multipart.mediaType))
            writePartialHead(fields, length: multipart.contentLength(of: ranges))
        case .rangeNotSatisfiable(let length):
            writeStatusLine(.rangeNotSatisfiable)
            writeFields(UnsatisfiedRange.fields(from: stored.entry.fields))
            writeField(
                "Content-Range", ContentRange.unsatisfied(completeLength: length).fieldValue)
            writeStaticString("Content-Length: 0\r\n")
        }
        writeTail(
            age: stored.terms.age(at: now), status: status, keepsAlive: keepsAlive,
            isHTTP10: isHTTP10)
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
