internal import CLibCrypto

/// SHA-256, looked up among libcrypto's providers once for the process: a look-up takes locks.
// @unchecked: a fetched EVP_MD never changes, and libcrypto counts its references atomically.
final class SHA256Algorithm: @unchecked Sendable {
    static let shared = SHA256Algorithm()

    let pointer: OpaquePointer

    private init?() {
        guard let fetched = EVP_MD_fetch(nil, "SHA256", nil) else { return nil }
        pointer = fetched
    }

    deinit { EVP_MD_free(pointer) }
}

/// One SHA-256 computation at a time, over and over in the same context; confined to its owner.
final class SHA256 {
    private let algorithm: SHA256Algorithm
    private let context: OpaquePointer

    init() throws(KeyError) {
        guard let algorithm = SHA256Algorithm.shared, let context = EVP_MD_CTX_new() else {
            throw .digestUnavailable
        }
        self.algorithm = algorithm
        self.context = context
        guard start() else { throw .digestUnavailable }
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Begins anew, whatever went before; false when libcrypto fails.
    func start() -> Bool {
        EVP_DigestInit_ex2(context, algorithm.pointer, nil) == 1
    }

    /// Adds bytes; false when libcrypto fails.
    func update(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        return EVP_DigestUpdate(context, start, bytes.count) == 1
    }

    /// Ends the computation; `start` must come before the next bytes.
    func finish() -> Digest? {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isDone = withUnsafeMutableBytes(of: &words) { output in
            EVP_DigestFinal_ex(context, output.assumingMemoryBound(to: UInt8.self).baseAddress, nil)
        }
        return isDone == 1 ? Digest(words: words) : nil
    }

    /// Digests `bytes` alone.
    func digest(of bytes: UnsafeRawBufferPointer) -> Digest? {
        guard start(), update(bytes) else { return nil }
        return finish()
    }
}

@available(*, unavailable)
extension SHA256: Sendable {}
