package import NIOCore
import Synchronization

/// A part of a large body on its way to the file; hidden there until a put names the body.
package final class BodyChunk: Sendable {
    package let body: BodyID
    /// Its place in the body, from 0.
    package let sequence: Int
    package let bytes: ByteBuffer
    /// Called once, on the writer thread or where the chunk was refused: whether it is committed.
    let done: @Sendable (_ isCommitted: Bool) -> Void

    package init(
        body: BodyID, sequence: Int, bytes: ByteBuffer,
        done: @escaping @Sendable (_ isCommitted: Bool) -> Void = { _ in }
    ) {
        self.body = body
        self.sequence = sequence
        self.bytes = bytes
        self.done = done
    }
}

/// What a read of one chunk found.
package enum ChunkFinding: Sendable, Equatable {
    /// Verified.
    case bytes(ByteBuffer)
    /// The body was deleted or replaced.
    case missing
    /// Its checksum or length is another: never a part of an answer.
    case damaged
    /// Nobody knows: the file could not be read.
    case unreadable
}

/// The chunks of one body that are in memory because their commit has not returned.
///
/// Callable from any thread.
package final class ChunkWindow: Sendable {
    private let chunks = Mutex<[Int: ByteBuffer]>([:])

    package init() {}

    package func chunk(_ sequence: Int) -> ByteBuffer? { chunks.withLock { $0[sequence] } }

    package func insert(_ bytes: ByteBuffer, at sequence: Int) {
        chunks.withLock { $0[sequence] = bytes }
    }

    package func remove(_ sequence: Int) {
        _ = chunks.withLock { $0.removeValue(forKey: sequence) }
    }
}

/// The large bodies that answers are being read from: their rows are not removed meanwhile.
///
/// Callable from any thread.
package final class BodyPins: Sendable {
    private let counts = Mutex<[BodyID: Int]>([:])

    package init() {}

    package func contains(_ body: BodyID) -> Bool { counts.withLock { $0[body] != nil } }

    func pin(_ body: BodyID) {
        counts.withLock { $0[body, default: 0] += 1 }
    }

    func unpin(_ body: BodyID) {
        counts.withLock { counts in
            guard let count = counts[body] else { return }
            counts[body] = count > 1 ? count - 1 : nil
        }
    }
}
