/// The 32 bytes of a SHA-256 or HMAC-SHA-256 result, in four words that need no allocation.
package struct Digest: Hashable, Sendable {
    /// The number of bytes of every digest.
    package static let byteCount = 32

    /// Stands where a digest was asked for and could not be computed; all bytes zero.
    ///
    /// It is not `nil` because `nil` credentials mean that none were sent: an unreadable credential
    /// taken for an absent one would share one caller's answers with all. `KeyHasher` makes no key
    /// of parts that hold it, so the exchange is forwarded and not stored.
    package static let uncomputable = Digest(words: (0, 0, 0, 0))

    // In the byte order of memory: the words are only ever compared and copied.
    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    init(words: (UInt64, UInt64, UInt64, UInt64)) {
        word0 = words.0
        word1 = words.1
        word2 = words.2
        word3 = words.3
    }

    /// Takes 32 bytes, as read from a row or a file; nil for any other number of them.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        Swift.withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.init(words: words)
    }

    /// Eight of the bytes as a number: for choosing a shard or a slot, in this process only.
    package var firstWord: UInt64 { word0 }

    /// All of the bytes as numbers, each uniformly distributed; in this process only.
    package var words: (UInt64, UInt64, UInt64, UInt64) { (word0, word1, word2, word3) }

    /// Lends the 32 bytes for the duration of `body`, without copying them to the heap.
    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Swift.withUnsafeBytes(of: self, body)
    }

    /// A copy of the 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes { [UInt8]($0) } }

    /// The 64 lower-case hexadecimal digits.
    package var hexadecimal: String {
        String(unsafeUninitializedCapacity: 2 * Self.byteCount) { text in
            withUnsafeBytes { bytes in
                for (index, byte) in bytes.enumerated() {
                    text[2 * index] = Self.digit(byte >> 4)
                    text[2 * index + 1] = Self.digit(byte & 0x0F)
                }
            }
            return 2 * Self.byteCount
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + (nibble - 10)
    }

    /// Feeds one word: the bytes are uniformly distributed already.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(word0)
    }
}

extension Digest: CustomStringConvertible {
    /// The hexadecimal digits; a digest discloses nothing of what it was made from.
    package var description: String { hexadecimal }
}
