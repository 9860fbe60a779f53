import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Text in which every eight letters tell their place.
func placed(_ range: Range<Int>) -> String {
    var text = ""
    text.reserveCapacity(range.count + 16)
    var place = range.lowerBound / 8 * 8
    while place < range.upperBound {
        let number = String(place, radix: 36)
        text += String(repeating: ".", count: max(0, 8 - number.utf8.count)) + number
        place += 8
    }
    return String(text.dropFirst(range.lowerBound % 8).prefix(range.count))
}

/// Small chunks, and a small window on bodies of many of them.
func smallChunks(_ configuration: inout EngineConfiguration) {
    configuration.inlineBytes = 4 << 10
    configuration.chunkBytes = 2 << 10
    configuration.fillWindowBytes = 4 << 10
    configuration.maxObjectBytes = 1 << 20
}

extension FakeExchange {
    /// The next bytes of the placed text, in parts; waits while the engine does not read.
    func body(placed range: Range<Int>, part: Int = 1_000) async throws {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + part)
            try await eventually("the origin is read at \(start)") { !isPaused }
            try await body(placed(start..<end))
            start = end
        }
    }
}

extension Bench {
    /// The chunks that the store holds of all bodies.
    var storedChunks: Int { store.state.withLock { $0.chunks.values.reduce(0) { $0 + $1.count } } }
}
