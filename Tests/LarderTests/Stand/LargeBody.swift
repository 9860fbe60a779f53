import CacheTestKit
import Testing

/// Content that can be checked byte by byte, no part of which is like another.
///
/// - Parameter name: what it answers.
func largeBody(_ name: String, _ count: Int) -> [UInt8] {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        buffer.initialize(repeating: 0x2E)
        var place = 0
        let bytes = UnsafeMutableRawBufferPointer(buffer)
        while place + 8 <= count {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes.storeBytes(of: seed, toByteOffset: place, as: UInt64.self)
            place += 8
        }
        initialized = count
    }
}

/// Looks for whole content without writing megabytes of it into a failure.
func expectBody(
    _ answer: RawAnswer, _ body: [UInt8], _ location: SourceLocation = #_sourceLocation
) {
    let isRight = answer.body == body
    let count = answer.body.count
    #expect(isRight, "\(count) bytes, \(body.count) are right", sourceLocation: location)
}

func expectPrefix(
    _ part: [UInt8], _ body: [UInt8], _ location: SourceLocation = #_sourceLocation
) {
    let isRight = part[...] == body.prefix(part.count)
    #expect(isRight, "\(part.count) bytes", sourceLocation: location)
}
