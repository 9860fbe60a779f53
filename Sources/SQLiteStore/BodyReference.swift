import CacheEngine

/// Where a large body is, as the columns of its response say; a row may say anything.
struct BodyReference: Equatable {
    var id: BodyID
    var chunkCount: Int64
    var chunkSize: Int64

    /// No reader holds more than this of one chunk.
    static let maxChunkBytes: Int64 = 16 << 20
    /// Far above every file, far below where sums overflow.
    private static let maxLength: Int64 = 1 << 48

    init(id: BodyID, chunkCount: Int64, chunkSize: Int64) {
        self.id = id
        self.chunkCount = chunkCount
        self.chunkSize = chunkSize
    }

    init(_ body: ChunkedBody) {
        let count = Self.chunkCount(length: body.length, chunkSize: Int64(body.chunkBytes))
        self.init(id: body.id, chunkCount: count ?? 0, chunkSize: Int64(body.chunkBytes))
    }

    /// The body, or `nil` when the numbers do not fit together.
    func body(length: Int64) -> ChunkedBody? {
        guard chunkCount == Self.chunkCount(length: length, chunkSize: chunkSize) else {
            return nil
        }
        return ChunkedBody(id: id, length: length, chunkBytes: Int(chunkSize))
    }

    private static func chunkCount(length: Int64, chunkSize: Int64) -> Int64? {
        guard (1...maxLength).contains(length), (1...maxChunkBytes).contains(chunkSize) else {
            return nil
        }
        return (length + chunkSize - 1) / chunkSize
    }

    /// Bytes that the chunk of a complete body has; `nil` for a place that it has not.
    static func bytes(ofChunk sequence: Int64, length: Int64, chunkSize: Int64) -> Int64? {
        guard let count = chunkCount(length: length, chunkSize: chunkSize),
            (0..<count).contains(sequence)
        else { return nil }
        return min(chunkSize, length - sequence * chunkSize)
    }
}

/// What becomes of a large body, as the column `bodies.state` says.
enum BodyState {
    static let hidden: Int64 = 0
    static let visible: Int64 = 1
    static let orphan: Int64 = 2
}
