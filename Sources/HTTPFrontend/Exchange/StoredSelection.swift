import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// What a client gets of a stored response, with all that is decided once for both head and content.
enum StoredSelection: Equatable {
    case full
    /// 304.
    case notModified
    /// 206 with Content-Range.
    case part(RepresentationPart)
    /// 206 as multipart/byteranges. Boxed: it is large, and rare.
    indirect case parts(MultipartByteRanges, [ByteRange])
    /// 416.
    case rangeNotSatisfiable(completeLength: Int64)
    /// The stored response does not do.
    case forward(ForwardReason)

    init(_ answer: StoredAnswer, of entry: StoredEntry) {
        let extent = entry.extent
        switch answer {
        case .full: self = .full
        case .notModified: self = .notModified
        case .rangeNotSatisfiable(let length): self = .rangeNotSatisfiable(completeLength: length)
        case .forward(let reason): self = .forward(reason)
        case .part(let range):
            let part = RepresentationPart(range: range, completeLength: extent.completeLength)
            if let part, extent.offset(of: range) != nil {
                self = .part(part)
            } else {
                self = .forward(.partial)
            }
        case .parts(let ranges):
            guard ranges.allSatisfy({ extent.offset(of: $0) != nil }) else {
                self = .forward(.partial)
                return
            }
            let seed = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
            self = .parts(
                MultipartByteRanges(
                    seed: seed, contentType: entry.fields[.contentType],
                    completeLength: extent.completeLength), ranges)
        }
    }

    func status(of entry: StoredEntry) -> Int {
        switch self {
        case .full, .forward: entry.status.code
        case .notModified: 304
        case .part, .parts: 206
        case .rangeNotSatisfiable: 416
        }
    }

    func hasContent(for method: MethodKind) -> Bool {
        switch self {
        case .full, .part, .parts: method != .head
        case .notModified, .rangeNotSatisfiable, .forward: false
        }
    }

    var isForward: Bool { if case .forward = self { true } else { false } }

    /// Whether the answer can be written at once: its content is in memory, or it has none.
    func isAtHand(in stored: StoredResponse, for method: MethodKind) -> Bool {
        if isForward { return false }
        return stored.entry.body.unreadChunks == nil || !hasContent(for: method)
    }

    func use(of entry: StoredEntry, for method: MethodKind) -> StoredUse {
        if case .forward(let reason) = self { return .forward(reason) }
        return hasContent(for: method) ? .content(segments(of: entry)) : .head
    }

    /// The pieces of the content, in order.
    func segments(of entry: StoredEntry) -> [BodySegment] {
        switch self {
        case .full: return [.stored(0..<max(0, entry.body.length))]
        case .part(let part): return Self.segment(part.range, of: entry)
        case .parts(let multipart, let ranges):
            var segments: [BodySegment] = []
            for (index, range) in ranges.enumerated() {
                let head = multipart.head(of: range, isFirst: index == 0) ?? ""
                segments.append(.text(ByteBuffer(string: head)))
                segments += Self.segment(range, of: entry)
            }
            return segments + [.text(ByteBuffer(string: multipart.end))]
        case .notModified, .rangeNotSatisfiable, .forward: return []
        }
    }

    private static func segment(_ range: ByteRange, of entry: StoredEntry) -> [BodySegment] {
        guard let offset = entry.extent.offset(of: range) else { return [] }
        return [.stored(offset..<(offset + range.count))]
    }
}

extension StoredExtent {
    /// Of the representation; `nil` where nobody said.
    fileprivate var completeLength: Int64? {
        switch self {
        case .whole(let length): length
        case .part(let part): part.completeLength
        }
    }
}
