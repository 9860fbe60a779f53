import CacheKeys
import Testing

@Suite struct DigestTests {
    private let counting = [UInt8](0xE0...0xFF)

    @Test func bytesComeBack() throws {
        let digest = try #require(Digest(bytes: counting))
        #expect(digest.bytes == counting)
        #expect(digest.withUnsafeBytes { [UInt8]($0) } == counting)
        #expect(
            digest.hexadecimal
                == "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
        #expect("\(digest)" == digest.hexadecimal)
        #expect(filled(0x0A)?.hexadecimal == String(repeating: "0a", count: 32))
    }

    @Test func anyCollectionOfBytes() throws {
        let digest = try #require(Digest(bytes: counting))
        #expect(Digest(bytes: ContiguousArray(counting)) == digest)
        #expect(Digest(bytes: ([0] + counting).dropFirst()) == digest)
        #expect(Digest(bytes: counting.lazy.map { $0 }) == digest)
        #expect(counting.withUnsafeBytes { Digest(bytes: $0) } == digest)
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func otherLengths(_ count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 1, count: count)) == nil)
    }

    @Test(arguments: 0..<32) func everyByteCounts(_ index: Int) throws {
        let digest = try #require(Digest(bytes: counting))
        var changed = counting
        changed[index] ^= 1
        #expect(Digest(bytes: changed) != digest)
    }

    @Test func errorsReachTheOneWhoAsked() throws {
        struct Refusal: Error {}
        let digest = try #require(filled(1))
        #expect(throws: Refusal.self) {
            try digest.withUnsafeBytes { _ throws(Refusal) in throw Refusal() }
        }
    }
}
