import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// The head of a running fill's answer, and who may have it.
struct FillHead: Sendable {
    /// As it is passed on: hop-by-hop fields removed, Via appended.
    var head: HTTPResponse
    var framing: OriginFraming
    /// Of the client that the fill was begun for.
    var status: CacheStatus
    /// The answer may be reused, so those who wait may have it too, if it is for their variant.
    var isShared: Bool
    var variant: Variant
    /// For those who may not have it.
    var refusal: FillRefusal?
}

/// Why those who waited for a fill go on alone.
enum FillRefusal: Sendable, Equatable {
    /// It is stored for nobody; those who ask the same need not wait for each other.
    case uncacheable
    /// It is for other values of these fields.
    case variesBy([String])
    /// An invalidation came between: they may wait together for a newer one.
    case outdated
}

/// The append-only log of one fill and the cursors that read it: a state machine without I/O.
///
/// It holds a window of bytes in memory. What is before the window is in committed chunk rows, or
/// has been read by every cursor. Offsets are bytes of the body.
struct FillLogState {
    enum Opening {
        case pending
        case head(FillHead)
        /// Answered without a body of the origin: found, freshened, or stale; for those who wait
        /// too, or for the one that it was fetched for only.
        case stored(StoredResponse, CacheStatus, isShared: Bool = true)
        case failed(AnswerFailure)
    }

    enum Ending: Equatable { case running, complete, failed(AnswerFailure) }

    /// What becomes of bytes that all cursors have read.
    enum Keeping: Equatable {
        /// Kept to the end: it is to be stored in one piece.
        case whole
        /// Kept until it is committed as chunk rows.
        case rows
        /// Dropped.
        case nothing
    }

    struct Limits: Sendable {
        /// Bytes of one chunk row.
        var chunkBytes = 128 << 10
        /// Bytes of committed chunks that stay in the window for cursors that keep up.
        var windowBytes = 1 << 20
        /// Bytes that wait for the slowest cursor before the origin is paused, where no row helps.
        var pacingBytes = 64 << 10
    }

    /// What a cursor is to do next.
    enum Step {
        /// Nothing yet: it will be woken.
        case wait
        case head(FillHead)
        case stored(StoredResponse, CacheStatus, isShared: Bool)
        case bytes(ByteBuffer)
        /// Read this row, without its first `skip` bytes; then say `passed`.
        case row(BodyID, sequence: Int, skip: Int)
        case end
        case failed(AnswerFailure)
    }

    /// A chunk to be written.
    struct Chunk: Equatable {
        var sequence: Int
        var bytes: ByteBuffer
    }

    private struct Piece {
        var start: Int64
        var bytes: ByteBuffer

        var end: Int64 { start + Int64(bytes.readableBytes) }
    }

    private struct Cursor: Equatable {
        var position: Int64 = 0
        var hasHead = false
        /// It has seen all there is, or nothing yet.
        var isWaiting = true
        var isCut = false
        /// Whom to wake.
        var audience: Int
    }

    let limits: Limits
    private(set) var opening = Opening.pending
    private(set) var ending = Ending.running
    private(set) var keeping = Keeping.nothing
    /// Whose rows hold what is before the window.
    private(set) var body: BodyID?
    // Most answers come in one part.
    private var pieces = CircularBuffer<Piece>(initialCapacity: 1)
    private(set) var windowStart: Int64 = 0
    private(set) var windowEnd: Int64 = 0
    /// Bytes from the start that are in committed rows.
    private(set) var committedEnd: Int64 = 0
    /// Bytes from the start that were handed out as chunks.
    private var cutEnd: Int64 = 0
    private var cursors: [Cursor?] = []
    private(set) var cursorCount = 0

    init(limits: Limits = Limits()) {
        self.limits = limits
    }

    var windowBytes: Int { Int(clamping: windowEnd - windowStart) }
    var isOver: Bool { ending != .running }

    /// A new reader would get all of it: nothing has gone from its start, and it has not failed.
    var isReadableFromStart: Bool {
        if case .failed = opening { return false }
        if case .failed = ending { return false }
        return windowStart == 0 || keeping == .rows
    }

    /// The slowest reader holds the origin back.
    var mustPace: Bool {
        keeping == .nothing && windowBytes >= limits.pacingBytes && cursorCount > 0
    }

    /// Bytes handed out as chunks that are not committed.
    var uncommittedBytes: Int { Int(clamping: cutEnd - committedEnd) }
}

// MARK: - The fill's side

extension FillLogState {
    /// Decides the answer; returns the audiences to wake.
    mutating func open(_ opening: Opening) -> Woken {
        self.opening = opening
        if case .head = opening {} else { ending = .complete }
        return takeWaiting()
    }

    mutating func keep(_ keeping: Keeping, body: BodyID? = nil) {
        self.keeping = keeping
        if let body { self.body = body }
    }

    /// Takes bytes in; returns the audiences to wake.
    mutating func append(_ bytes: ByteBuffer) -> Woken {
        guard bytes.readableBytes > 0, !isOver else { return Woken() }
        pieces.append(Piece(start: windowEnd, bytes: bytes))
        windowEnd += Int64(bytes.readableBytes)
        if cursorCount == 0 { trim() }
        return takeWaiting()
    }

    /// The chunks that are complete; at the end of the body also the last one.
    mutating func takeChunks(isLast: Bool = false) -> [Chunk] {
        guard keeping == .rows else { return [] }
        var chunks: [Chunk] = []
        let size = Int64(limits.chunkBytes)
        while windowEnd - cutEnd >= size || (isLast && windowEnd > cutEnd) {
            let end = min(windowEnd, cutEnd + size)
            let bytes = gather(from: cutEnd, to: end)
            chunks.append(Chunk(sequence: Int(clamping: cutEnd / size), bytes: bytes))
            cutEnd = end
        }
        return chunks
    }

    /// The chunks up to and with this one are committed.
    mutating func committed(_ sequence: Int) {
        let end = (Int64(sequence) + 1) * Int64(limits.chunkBytes)
        committedEnd = max(committedEnd, min(end, cutEnd))
        trim()
    }

    mutating func end(_ ending: Ending) -> Woken {
        guard !isOver else { return Woken() }
        self.ending = ending
        return takeWaiting()
    }

    /// Nothing more is stored.
    ///
    /// What is written already serves cursors that are behind the window: its
    /// rows stay as long as the body is pinned.
    mutating func giveUpStoring() {
        keeping = .nothing
        trim()
    }

    /// Everything from the start is in the window: it can be stored in one piece.
    func whole() -> ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: windowBytes)
        for piece in pieces { bytes.writeImmutableBuffer(piece.bytes) }
        return bytes
    }

    /// Gives up on the cursors that hold the origin back while others wait for it; returns the
    /// audiences to wake.
    ///
    /// From then on they hold nothing back.
    mutating func cutSlowest() -> Woken {
        var woken = Woken()
        guard mustPace else { return woken }
        let slowest = minimumPosition
        guard cursors.contains(where: { $0.map { !$0.isCut && $0.position > slowest } ?? false })
        else { return woken }
        for index in cursors.indices where cursors[index]?.position == slowest {
            cursors[index]?.isCut = true
            if let audience = cursors[index]?.audience { woken.insert(audience) }
        }
        trim()
        return woken
    }

    func isCut(_ number: Int) -> Bool {
        cursors.indices.contains(number) && cursors[number]?.isCut == true
    }

    /// One contiguous buffer in place of the pieces of this range.
    private mutating func gather(from start: Int64, to end: Int64) -> ByteBuffer {
        var chunk = ByteBufferAllocator().buffer(capacity: Int(clamping: end - start))
        var kept: CircularBuffer<Piece> = []
        var isPlaced = false
        for var piece in pieces {
            if piece.end <= start {
                kept.append(piece)
                continue
            }
            if piece.start < end {
                let count = Int(clamping: min(piece.end, end) - piece.start)
                if var head = piece.bytes.readSlice(length: count) { chunk.writeBuffer(&head) }
                piece.start += Int64(count)
            }
            if chunk.readableBytes == Int(clamping: end - start), !isPlaced {
                kept.append(Piece(start: start, bytes: chunk))
                isPlaced = true
            }
            if piece.bytes.readableBytes > 0, piece.start >= end { kept.append(piece) }
        }
        pieces = kept
        return chunk
    }

    private mutating func trim() {
        guard keeping != .whole else { return }
        let slowest = minimumPosition
        while let first = pieces.first {
            let isRead = first.end <= slowest
            switch keeping {
            case .whole: return
            case .nothing: guard isRead else { return }
            case .rows:
                guard first.end <= committedEnd, isRead || windowBytes > limits.windowBytes else {
                    return
                }
            }
            pieces.removeFirst()
            windowStart = first.end
        }
    }

    /// The position of the slowest cursor that is not cut; the end when there is none.
    private var minimumPosition: Int64 {
        var minimum = windowEnd
        for case .some(let cursor) in cursors where !cursor.isCut {
            minimum = min(minimum, cursor.position)
        }
        return minimum
    }

    private mutating func takeWaiting() -> Woken {
        var woken = Woken()
        for index in cursors.indices where cursors[index]?.isWaiting == true {
            cursors[index]?.isWaiting = false
            if let audience = cursors[index]?.audience { woken.insert(audience) }
        }
        return woken
    }
}

// MARK: - The cursors' side

extension FillLogState {
    /// Adds a reader at the start of the body; its number.
    mutating func attach(audience: Int) -> Int {
        cursorCount += 1
        let cursor = Cursor(audience: audience)
        if cursorCount <= cursors.count, let free = cursors.firstIndex(where: { $0 == nil }) {
            cursors[free] = cursor
            return free
        }
        cursors.append(cursor)
        return cursors.count - 1
    }

    /// Takes a reader off.
    ///
    /// What only it held back is dropped.
    mutating func leave(_ cursor: Int) {
        guard cursors.indices.contains(cursor), cursors[cursor] != nil else { return }
        cursors[cursor] = nil
        cursorCount -= 1
        trim()
    }

    /// What the reader does next; bytes count as read.
    mutating func next(_ number: Int) -> Step {
        guard cursors.indices.contains(number), let cursor = cursors[number] else { return .wait }
        switch opening {
        case .pending:
            if case .failed(let failure) = ending { return .failed(failure) }
            return wait(number)
        case .stored(let response, let status, let isShared):
            return .stored(response, status, isShared: isShared)
        case .failed(let failure): return .failed(failure)
        case .head(let head):
            guard cursor.hasHead else {
                cursors[number]?.hasHead = true
                return .head(head)
            }
        }
        if cursor.isCut { return .failed(.tooSlow) }
        if cursor.position < windowStart { return rowStep(cursor.position) }
        if cursor.position < windowEnd, let bytes = bytes(at: cursor.position) {
            passed(number, bytes: bytes.readableBytes)
            return .bytes(bytes)
        }
        switch ending {
        case .running: return wait(number)
        case .complete: return .end
        case .failed(let failure): return .failed(failure)
        }
    }

    /// The reader has got this many bytes more.
    mutating func passed(_ number: Int, bytes: Int) {
        guard cursors.indices.contains(number), let cursor = cursors[number] else { return }
        cursors[number]?.position += Int64(bytes)
        // Only a reader at the end of what is kept can set something free.
        if keeping != .whole, cursor.position <= (pieces.first?.end ?? 0) { trim() }
    }

    private mutating func wait(_ number: Int) -> Step {
        cursors[number]?.isWaiting = true
        return .wait
    }

    private func rowStep(_ position: Int64) -> Step {
        guard let body else { return .failed(.tooSlow) }
        let size = Int64(limits.chunkBytes)
        return .row(
            body, sequence: Int(clamping: position / size), skip: Int(clamping: position % size))
    }

    /// What is left of the piece that holds a position.
    private func bytes(at position: Int64) -> ByteBuffer? {
        var low = pieces.startIndex
        var high = pieces.endIndex
        while low < high {
            let middle = pieces.index(low, offsetBy: pieces.distance(from: low, to: high) / 2)
            if pieces[middle].end <= position {
                low = pieces.index(after: middle)
            } else {
                high = middle
            }
        }
        guard low < pieces.endIndex else { return nil }
        let piece = pieces[low]
        let skip = Int(clamping: position - piece.start)
        return piece.bytes.getSlice(
            at: piece.bytes.readerIndex + skip, length: piece.bytes.readableBytes - skip)
    }
}
