internal import CLibCrypto

/// The secret under which credentials become part of a key: without it nobody can test a guess.
///
/// It is made with the database file, or given by the operator, and left out of exports. It prints
/// nothing of itself.
package struct CredentialSecret: Sendable {
    /// How many bytes a secret may have: a full hash's worth at least, one HMAC block at most.
    package static let byteCounts = 32...64

    /// The secret itself, for the one place that keeps it.
    package let bytes: [UInt8]
    private let hash: KeyedHash

    /// Takes 32 to 64 bytes; nil for any other number, or when libcrypto fails.
    package init?(bytes: [UInt8]) {
        guard
            Self.byteCounts.contains(bytes.count),
            let hash = try? KeyedHash(key: bytes)
        else { return nil }
        self.bytes = bytes
        self.hash = hash
    }

    /// Makes a secret of 32 bytes from the system's random generator.
    package static func random() throws(KeyError) -> CredentialSecret {
        var bytes = [UInt8](repeating: 0, count: byteCounts.lowerBound)
        guard RAND_priv_bytes(&bytes, Int32(clamping: bytes.count)) == 1 else {
            throw .randomUnavailable
        }
        guard let secret = CredentialSecret(bytes: bytes) else { throw .macUnavailable }
        return secret
    }

    /// The keyed digest of a request's credential fields, names in lower case.
    ///
    /// The order of different names does not matter, that of several lines of one name does. Nil
    /// only when there are no fields. `Digest.uncomputable`, of which no key is made, when a value
    /// was repaired by the HTTP decoder or libcrypto fails.
    package func digest(fields: [(name: String, value: String)]) -> Digest? {
        guard !fields.isEmpty else { return nil }
        // Sorting is stable.
        let ordered = fields.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        var preimage = Preimage()
        preimage.begin(.credentials)
        for (name, value) in ordered {
            preimage.append(name)
            preimage.append(value)
        }
        guard preimage.isUsable else { return .uncomputable }
        return preimage.withBytes { hash.code(of: $0) } ?? .uncomputable
    }
}

extension CredentialSecret: CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The same words for every secret.
    package var description: String { "CredentialSecret(hidden)" }

    /// The same words for every secret.
    package var debugDescription: String { description }

    /// Shows no children, so `dump` and string reflection print nothing either.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
