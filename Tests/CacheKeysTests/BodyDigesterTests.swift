import CacheKeys
import CacheTestKit
import Testing

/// Content digested as it arrives is content digested whole.
@Suite struct BodyDigesterTests {
    private func digest(_ pieces: [[UInt8]], with digester: BodyDigester) -> (Digest, UInt64)? {
        for piece in pieces {
            piece.withUnsafeBytes { digester.update($0) }
        }
        return digester.finish()
    }

    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ])
    func knownValues(_ text: String, _ expected: String) throws {
        let result = try #require(digest([[UInt8](text.utf8)], with: try BodyDigester()))
        #expect(result.0.hexadecimal == expected)
        #expect(result.1 == UInt64(text.utf8.count))
    }

    @Test(arguments: UInt64(1)...40) func anySplitIsTheSame(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let size = Int.random(in: 0...5_000, using: &generator)
        let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let digester = try BodyDigester()
        let whole = try #require(digest([bytes], with: digester))
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            // Empty pieces included.
            let length = Int.random(in: 0...200, using: &generator)
            pieces.append([UInt8](rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        let split = try #require(digest(pieces, with: digester))
        #expect(split.0 == whole.0)
        #expect(split.1 == UInt64(size))
    }

    @Test func nothingIsEmptyContent() throws {
        let digester = try BodyDigester()
        let none = try #require(digester.finish())
        digester.update(UnsafeRawBufferPointer(start: nil, count: 0))
        let empty = try #require(digester.finish())
        #expect(none.digest == empty.digest)
        #expect(none.length == 0)
        #expect(empty.length == 0)
    }

    @Test func resetForgets() throws {
        let digester = try BodyDigester()
        [UInt8]("half a bo".utf8).withUnsafeBytes { digester.update($0) }
        digester.reset()
        let abc = try #require(digest([[UInt8]("abc".utf8)], with: digester))
        let again = try #require(digest([[UInt8]("abc".utf8)], with: try BodyDigester()))
        #expect(abc.0 == again.0)
        #expect(abc.1 == 3)
    }

    /// Text decoders make these equal; digests must not.
    @Test func invalidTextStaysApart() throws {
        let digester = try BodyDigester()
        let bodies: [[UInt8]] = [[0xFF], [0xFE], [0xEF, 0xBF, 0xBD], [0xC3], [0xC3, 0x28]]
        let digests = bodies.compactMap { digest([$0], with: digester)?.0 }
        #expect(Set(digests).count == bodies.count)
    }
}
