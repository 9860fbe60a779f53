package import NIOCore

/// The content of a stored response.
package enum StoredBody: Sendable, Equatable {
    /// In memory, and inline in its row when it is small.
    case whole(ByteBuffer)
    /// In rows of its own, read one at a time.
    case chunked(ChunkedBody)
    /// In rows of its own, and all of it in memory too.
    case cached(ByteBuffer, ChunkedBody)

    /// Bytes of the content.
    package var length: Int64 {
        switch self {
        case .whole(let bytes): Int64(bytes.readableBytes)
        case .chunked(let body), .cached(_, let body): body.length
        }
    }

    /// The content, if it is in memory.
    package var bytes: ByteBuffer? {
        switch self {
        case .whole(let bytes), .cached(let bytes, _): bytes
        case .chunked: nil
        }
    }

    /// The rows of a body that is not inline in its response's row.
    package var chunks: ChunkedBody? {
        switch self {
        case .whole: nil
        case .chunked(let body), .cached(_, let body): body
        }
    }

    /// The rows that must be read to answer with it.
    package var unreadChunks: ChunkedBody? {
        guard case .chunked(let body) = self else { return nil }
        return body
    }

    /// Bytes that this keeps allocated.
    package var memoryCost: Int {
        switch self {
        case .whole(let bytes), .cached(let bytes, _): bytes.storageCapacity
        case .chunked: 256
        }
    }
}

/// Names a large body in the file, before and after a response refers to it; never used twice.
package struct BodyID: Hashable, Sendable {
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// A large body whose chunks are rows of the file, or on their way there.
package struct ChunkedBody: Sendable, Equatable {
    package let id: BodyID
    /// Bytes of the whole.
    package let length: Int64
    /// Bytes of every chunk but the last, which may be shorter.
    package let chunkBytes: Int
    /// The chunks that are not committed yet; `nil` for a body that was read from the file.
    package let uncommitted: ChunkWindow?

    package init(id: BodyID, length: Int64, chunkBytes: Int, uncommitted: ChunkWindow? = nil) {
        self.id = id
        self.length = length
        self.chunkBytes = max(1, chunkBytes)
        self.uncommitted = uncommitted
    }

    package var chunkCount: Int {
        Int(clamping: (length + Int64(chunkBytes) - 1) / Int64(chunkBytes))
    }

    /// Bytes of one chunk.
    package func length(ofChunk sequence: Int) -> Int {
        let start = Int64(sequence) * Int64(chunkBytes)
        return Int(clamping: min(Int64(chunkBytes), max(0, length - start)))
    }

    package static func == (left: ChunkedBody, right: ChunkedBody) -> Bool {
        left.id == right.id && left.length == right.length && left.chunkBytes == right.chunkBytes
    }
}
