internal import CLibCrypto

/// A shared secret that callers present as text; it prints nothing of itself.
package struct SecretText: Sendable {
    private let digest: Digest

    /// Nil when libcrypto fails.
    package init?(_ text: String) {
        guard let digest = Self.digest(of: text) else { return nil }
        self.digest = digest
    }

    /// Whether the caller knows the secret, in a time that says nothing about either.
    package func matches(_ text: String) -> Bool {
        guard let other = Self.digest(of: text) else { return false }
        return digest.withUnsafeBytes { left in
            other.withUnsafeBytes { right in
                CRYPTO_memcmp(left.baseAddress, right.baseAddress, Digest.byteCount) == 0
            }
        }
    }

    // Digests have one length, so that the comparison hides that of the secret, too.
    private static func digest(of text: String) -> Digest? {
        guard let hash = try? SHA256() else { return nil }
        return Array(text.utf8).withUnsafeBytes { hash.digest(of: $0) }
    }
}

extension SecretText: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "SecretText(hidden)" }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
