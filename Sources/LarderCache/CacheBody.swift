import CacheEngine
public import NIOCore

/// The content of a response: bytes at hand, bytes that come, or rows of the file that are read as
/// they are taken.
///
/// A body of bytes and one from a cache can be read any number of times; one that was made of another
/// sequence as often as that.
public struct CacheBody: AsyncSequence, Sendable {
    /// A piece of the content.
    public typealias Element = ByteBuffer

    fileprivate enum Source: Sendable {
        case bytes(ByteBuffer)
        case rows(PinnedBody)
        case sequence(@Sendable () -> Next)
    }

    fileprivate typealias Next = (isolated (any Actor)?) async throws -> ByteBuffer?

    private let source: Source
    /// Bytes of the content; nil when only its end says so.
    public let length: Int64?

    /// No content.
    public static let empty = CacheBody(ByteBuffer())

    /// Content that is in memory.
    public init(_ bytes: ByteBuffer) {
        source = .bytes(bytes)
        length = Int64(bytes.readableBytes)
    }

    /// Content that is in memory.
    public init(_ bytes: some Sequence<UInt8>) {
        self.init(ByteBuffer(bytes: bytes))
    }

    /// The UTF-8 bytes of a text.
    public init(_ text: String) {
        self.init(ByteBuffer(string: text))
    }

    /// Content that comes piece by piece.
    ///
    /// - Parameters:
    ///   - sequence: iterated once for each time the body is read.
    ///   - length: bytes of all pieces together, where that is known before; a put of other content
    ///     stores nothing.
    public init<Pieces: AsyncSequence & Sendable>(
        _ sequence: Pieces, length: Int64? = nil
    ) where Pieces.Element == ByteBuffer {
        source = .sequence {
            var iterator = sequence.makeAsyncIterator()
            return { isolation in try await iterator.next(isolation: isolation) }
        }
        self.length = length
    }

    init(of stored: StoredResponse, engine: Engine) {
        let body = stored.entry.body
        length = body.length
        if let bytes = body.bytes {
            source = .bytes(bytes)
        } else if let chunks = body.chunks {
            source = .rows(PinnedBody(chunks, of: stored, engine: engine))
        } else {
            source = .bytes(ByteBuffer())
        }
    }

    /// Reads a body piece by piece, one row of the file at a time.
    public struct Iterator: AsyncIteratorProtocol {
        private enum State {
            case bytes(ByteBuffer?)
            case rows(PinnedBody, next: Int)
            case sequence(Next)
        }

        private var state: State

        fileprivate init(_ source: Source) {
            switch source {
            case .bytes(let bytes): state = .bytes(bytes.readableBytes > 0 ? bytes : nil)
            case .rows(let body): state = .rows(body, next: 0)
            case .sequence(let make): state = .sequence(make())
            }
        }

        /// The next piece; nil at the end.
        ///
        /// - Throws: ``CacheError/unreadable`` when a row is gone or damaged, or what the sequence
        ///   throws that the body was made of.
        public mutating func next() async throws -> ByteBuffer? {
            try await next(isolation: #isolation)
        }

        /// The same on an actor.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws -> ByteBuffer? {
            switch state {
            case .bytes(let bytes):
                state = .bytes(nil)
                return bytes
            case .rows(let body, let sequence):
                guard sequence < body.body.chunkCount else { return nil }
                guard let bytes = await body.chunk(sequence) else { throw CacheError.unreadable }
                state = .rows(body, next: sequence + 1)
                return bytes
            case .sequence(let next): return try await next(actor)
            }
        }
    }

    /// Begins to read from the start.
    public func makeAsyncIterator() -> Iterator { Iterator(source) }

    /// All of the content in memory.
    ///
    /// - Throws: ``CacheError/bodyTooLong(limit:)`` when it is longer than `limit` bytes.
    public func collect(upTo limit: Int) async throws -> ByteBuffer {
        if case .bytes(let bytes) = source, bytes.readableBytes <= limit { return bytes }
        if let length, length > Int64(limit) { throw CacheError.bodyTooLong(limit: limit) }
        var all = ByteBuffer()
        for try await piece in self {
            guard all.readableBytes + piece.readableBytes <= limit else {
                throw CacheError.bodyTooLong(limit: limit)
            }
            all.writeImmutableBuffer(piece)
        }
        return all
    }
}
