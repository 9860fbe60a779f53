import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// The heads of responses that a match found: what was put, a live Age, and the one field by which
/// the workers' runtime knows a hit.
extension ByteBuffer {
    mutating func writeMatchHead(
        of selection: StoredSelection, _ stored: StoredResponse, now: EpochSeconds,
        keepsAlive: Bool, isHTTP10: Bool
    ) {
        switch selection {
        case .full, .forward: writeImmutableBuffer(stored.rendering)
        case .notModified:
            writeStatusLine(.notModified)
            writeFields(MatchAnswer.notModifiedFields(from: stored.entry.fields))
        case .part, .parts, .rangeNotSatisfiable:
            writeSelectionHead(selection, fields: PutRules.fieldsOfMatch(stored.entry.fields))
        }
        writeStaticString("Age: ")
        writeString(String(stored.terms.age(at: now)))
        writeStaticString("\r\nCF-Cache-Status: HIT\r\n")
        writeConnection(keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        writeStaticString("\r\n")
    }
}
