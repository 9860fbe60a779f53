import CacheEngine
import NIOCore

/// Spooled content on its way out as a stream: what is in the file, then what came behind it.
struct ContentPour {
    /// `nil` when nothing had gone to a file.
    let file: SpoolFile?
    private var cursor: SpoolCursor
    private(set) var rest: ByteBuffer
    private(set) var hasEnded: Bool
    private let charge: BudgetCharge?

    /// One part of each connection is in memory at a time.
    private static let partBytes = 64 << 10

    init(
        file: SpoolFile?, length: Int, rest: ByteBuffer, hasEnded: Bool, charge: BudgetCharge?
    ) {
        self.file = file
        self.rest = rest
        self.hasEnded = hasEnded
        self.charge = charge
        cursor = SpoolCursor(length: Int64(length), partBytes: Self.partBytes)
    }

    mutating func next(isWritable: Bool) -> SpoolCursor.Action {
        cursor.next(isWritable: isWritable)
    }

    mutating func read(_ part: ByteBuffer?) -> SpoolCursor.Action {
        cursor.read(bytes: part?.readableBytes)
    }

    /// More content from the client, behind what is here.
    mutating func append(_ part: ByteBuffer) {
        if rest.readableBytes == 0 { rest = part } else { rest.writeImmutableBuffer(part) }
        charge?.set(rest.storageCapacity)
    }

    mutating func end() { hasEnded = true }
}
