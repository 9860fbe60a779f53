import CacheKeys
import Testing

/// A generator that says the same for the same seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A digest all of whose bytes are `byte`.
func filled(_ byte: UInt8) -> Digest? {
    Digest(bytes: [UInt8](repeating: byte, count: 32))
}

/// The content of a request, digested at once.
func content(
    _ bytes: [UInt8], fields: [(name: String, value: String?)] = []
) throws -> ContentParts {
    let digester = try BodyDigester()
    bytes.withUnsafeBytes { digester.update($0) }
    let whole = try #require(digester.finish())
    return ContentParts(length: whole.length, digest: whole.digest, fields: fields)
}

/// The secret of bytes 00 to 1f, under which the golden values were made.
func countingSecret() -> CredentialSecret? {
    CredentialSecret(bytes: [UInt8](0..<32))
}
