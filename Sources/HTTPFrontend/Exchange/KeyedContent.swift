import CacheKeys
import NIOCore

/// Content that is part of a key, digested while it arrives.
struct KeyedContent {
    private(set) var bytes = ByteBuffer()
    private let digester: BodyDigester

    init(digester: BodyDigester) {
        self.digester = digester
    }

    mutating func append(_ part: ByteBuffer) {
        part.withUnsafeReadableBytes { digester.update($0) }
        if bytes.readableBytes == 0 {
            bytes = part
        } else {
            bytes.writeImmutableBuffer(part)
        }
    }

    /// The digest and length of all of it; the digester goes back to the loop.
    func finish(_ loop: LoopContext) -> (digest: Digest, length: UInt64)? {
        defer { loop.giveBack(digester) }
        return digester.finish()
    }

    func giveUp(_ loop: LoopContext) {
        loop.giveBack(digester)
    }
}
