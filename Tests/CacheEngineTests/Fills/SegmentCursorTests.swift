import NIOCore
import Testing

@testable import CacheEngine

@Suite("The way through a chunked body")
struct SegmentCursorTests {
    private func steps(
        _ segments: [BodySegment], length: Int64 = 10, chunkBytes: Int = 4
    ) -> [SegmentCursor.Step] {
        let body = ChunkedBody(id: BodyID(rawValue: 1), length: length, chunkBytes: chunkBytes)
        var cursor = SegmentCursor(segments, of: body)
        var steps: [SegmentCursor.Step] = []
        while steps.count < 100 {
            let step = cursor.next()
            if step == .end { return steps }
            steps.append(step)
            if step == .outside { return steps }
        }
        return steps
    }

    @Test func theWholeInOrder() {
        #expect(
            steps([.stored(0..<10)]) == [
                .slice(chunk: 0, 0..<4), .slice(chunk: 1, 0..<4), .slice(chunk: 2, 0..<2),
            ])
    }

    @Test func textsAndParts() {
        let text = ByteBuffer(string: "x")
        #expect(
            steps([.text(text), .stored(3..<5), .text(text), .stored(9..<10), .text(text)]) == [
                .text(text), .slice(chunk: 0, 3..<4), .slice(chunk: 1, 0..<1), .text(text),
                .slice(chunk: 2, 1..<2), .text(text),
            ])
    }

    @Test func nothingIsNothing() {
        #expect(steps([]).isEmpty)
        #expect(steps([.stored(3..<3), .stored(10..<10)]).isEmpty)
    }

    @Test(arguments: [0..<11, -1..<3, 11..<12, Int64.max - 1..<Int64.max])
    func outsideIsToldBeforeAnythingIsRead(_ range: Range<Int64>) {
        #expect(steps([.stored(range)]) == [.outside])
    }

    /// Against counting byte by byte.
    @Test func everyRange() {
        for chunkBytes in 1...5 {
            for first in Int64(0)..<10 {
                for end in first...10 {
                    var bytes: [Int64] = []
                    for step in steps([.stored(first..<end)], chunkBytes: chunkBytes) {
                        guard case .slice(let chunk, let range) = step else { continue }
                        #expect(!range.isEmpty && range.upperBound <= chunkBytes)
                        bytes += range.map { Int64(chunk * chunkBytes + $0) }
                    }
                    #expect(bytes == Array(first..<end))
                }
            }
        }
    }
}
