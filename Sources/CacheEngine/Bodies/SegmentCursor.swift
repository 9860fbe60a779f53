import NIOCore

/// The way through a chunked body along the segments of an answer: which bytes of which chunk come
/// next.
///
/// Holds no plan of all of them, so that a body of any size costs the same.
struct SegmentCursor {
    enum Step: Equatable {
        case text(ByteBuffer)
        /// Bytes of one chunk, counted from the chunk's start; never none.
        case slice(chunk: Int, Range<Int>)
        case end
        /// A segment is not within the body: what is promised of it cannot be sent.
        case outside
    }

    private let segments: [BodySegment]
    private let length: Int64
    private let chunkBytes: Int64
    private var index = 0
    /// Bytes of the current segment that are behind us.
    private var passed: Int64 = 0

    init(_ segments: [BodySegment], of body: ChunkedBody) {
        self.segments = segments
        length = body.length
        chunkBytes = Int64(body.chunkBytes)
    }

    /// All of the body and nothing else.
    var isWhole: Bool { segments == [.stored(0..<max(0, length))] }

    mutating func next() -> Step {
        while index < segments.count {
            switch segments[index] {
            case .text(let text):
                index += 1
                return .text(text)
            case .stored(let range):
                guard range.lowerBound >= 0, range.upperBound <= length else { return .outside }
                let start = range.lowerBound + passed
                guard start < range.upperBound else {
                    index += 1
                    passed = 0
                    continue
                }
                return slice(from: start, to: range.upperBound)
            }
        }
        return .end
    }

    private mutating func slice(from start: Int64, to end: Int64) -> Step {
        let chunk = start / chunkBytes
        let first = start - chunk * chunkBytes
        let count = min(chunkBytes - first, end - start)
        passed += count
        return .slice(chunk: Int(clamping: chunk), Int(first)..<Int(first + count))
    }
}
