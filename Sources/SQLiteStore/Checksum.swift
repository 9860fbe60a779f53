import CXXHash
import CacheEngine

/// XXH3-64, which finds damage and is no defence against an author; kept as SQLite's signed integer.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        Int64(bitPattern: XXH3_64bits(bytes.baseAddress, bytes.count))
    }

    /// Of one chunk; the same bytes in another place have another.
    static func of(_ bytes: UnsafeRawBufferPointer, chunk sequence: Int64, of body: BodyID) -> Int64
    {
        // Fibonacci hashing's multiplier, so that neighbours in one factor do not meet in the other.
        let seed = UInt64(bitPattern: body.rawValue) &* 0x9E37_79B9_7F4A_7C15
        let place = UInt64(bitPattern: sequence)
        return Int64(
            bitPattern: XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed ^ place))
    }

    /// Of a whole large body: over the checksums of its chunks in order.
    static func of(chunks checksums: [Int64]) -> Int64 {
        checksums.map(\.littleEndian).withUnsafeBytes { of($0) }
    }
}
