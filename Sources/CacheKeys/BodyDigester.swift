/// Digests a request's content while it arrives; confined to its owner, usable again and again.
package final class BodyDigester {
    private let hash: SHA256
    private var length: UInt64 = 0
    private var isSound = true

    /// Takes a context from libcrypto, which the object gives back when it goes.
    package init() throws(KeyError) {
        hash = try SHA256()
    }

    /// Adds the next bytes of the content; any number of them, none included.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        let (sum, isOverflow) = length.addingReportingOverflow(UInt64(clamping: bytes.count))
        length = sum
        if isOverflow || !hash.update(bytes) { isSound = false }
    }

    /// The digest and length in bytes of all that was added since the last `finish` or `reset`.
    ///
    /// Nil when it could not be computed: never the digest of a part. Begins anew in any case.
    package func finish() -> (digest: Digest, length: UInt64)? {
        let digest = isSound ? hash.finish() : nil
        let total = length
        reset()
        return digest.map { (digest: $0, length: total) }
    }

    /// Forgets what was added, for content that ended before it was complete.
    package func reset() {
        length = 0
        isSound = hash.start()
    }
}

@available(*, unavailable)
extension BodyDigester: Sendable {}
