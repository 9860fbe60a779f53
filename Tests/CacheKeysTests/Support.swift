import CacheKeys
import Testing

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
