internal import CLibCrypto

/// HMAC, looked up among libcrypto's providers once for the process: a look-up takes locks.
// @unchecked: a fetched EVP_MAC never changes, and libcrypto counts its references atomically.
private final class HMACAlgorithm: @unchecked Sendable {
    static let shared = HMACAlgorithm()

    let pointer: OpaquePointer

    private init?() {
        guard let fetched = EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        pointer = fetched
    }

    deinit { EVP_MAC_free(pointer) }
}

/// HMAC-SHA-256 (RFC 2104) under one key, from any thread.
// @unchecked: the keyed context is never written after `init`: each use duplicates it first, and
// duplication only reads its source.
package final class KeyedHash: @unchecked Sendable {
    private let keyed: OpaquePointer

    /// Keys a context; libcrypto wipes its copy of the key when the object goes.
    package init(key: [UInt8]) throws(KeyError) {
        guard
            let algorithm = HMACAlgorithm.shared,
            let context = EVP_MAC_CTX_new(algorithm.pointer)
        else { throw .macUnavailable }
        keyed = context
        guard Self.setKey(key, of: context) else { throw .macUnavailable }
    }

    deinit { EVP_MAC_CTX_free(keyed) }

    /// The code of `message`; nil when libcrypto fails.
    package func code(of message: UnsafeRawBufferPointer) -> Digest? {
        guard let context = EVP_MAC_CTX_dup(keyed) else { return nil }
        defer { EVP_MAC_CTX_free(context) }
        let bytes = message.assumingMemoryBound(to: UInt8.self)
        if let start = bytes.baseAddress, EVP_MAC_update(context, start, bytes.count) != 1 {
            return nil
        }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var length = 0
        let isDone = withUnsafeMutableBytes(of: &words) { output in
            EVP_MAC_final(
                context, output.assumingMemoryBound(to: UInt8.self).baseAddress, &length,
                output.count)
        }
        return isDone == 1 && length == Digest.byteCount ? Digest(words: words) : nil
    }

    private static func setKey(_ key: [UInt8], of context: OpaquePointer) -> Bool {
        var digest = Array("SHA256".utf8CString)
        // The parameters point at both names: they live until the key is set.
        return digest.withUnsafeMutableBufferPointer { digest in
            OSSL_MAC_PARAM_DIGEST.withCString { name in
                let parameters = [
                    OSSL_PARAM_construct_utf8_string(name, digest.baseAddress, 0),
                    OSSL_PARAM_construct_end(),
                ]
                return EVP_MAC_init(context, key, key.count, parameters) == 1
            }
        }
    }
}
