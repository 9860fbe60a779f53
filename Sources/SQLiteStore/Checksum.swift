import CXXHash

/// XXH3-64, which finds damage and is no defence against an author; kept as SQLite's signed integer.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        Int64(bitPattern: XXH3_64bits(bytes.baseAddress, bytes.count))
    }
}
