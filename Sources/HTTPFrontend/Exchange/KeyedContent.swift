import CacheEngine
import CacheKeys
import NIOCore

/// Content that is part of a key, digested and kept while it arrives.
///
/// In memory it is one buffer; what goes to a file is held until it is there. Confined to its
/// connection's loop.
final class KeyedContent {
    private(set) var state = SpoolState()
    private(set) var held = ByteBuffer()
    private var writing = ByteBuffer()
    private(set) var file: SpoolFile?
    private let digester: BodyDigester
    /// What is still here when a read is over; content that comes whole in one is not counted.
    private var charge: BudgetCharge?

    init(digester: BodyDigester) {
        self.digester = digester
    }

    func append(_ part: ByteBuffer, _ bounds: SpoolState.Bounds) -> SpoolState.Action {
        part.withUnsafeReadableBytes { digester.update($0) }
        if held.readableBytes == 0 {
            held = part
        } else {
            held.writeImmutableBuffer(part)
        }
        return state.received(bytes: part.readableBytes, bounds)
    }

    /// A read is over and more is to come: what it left here is counted.
    func stay(_ budget: MemoryBudget) {
        // A part is a piece of the buffer that was read into, which may be far larger.
        if held.storageCapacity > 2 * held.readableBytes + 4096 {
            held = ByteBuffer(bytes: held.readableBytesView)
        }
        if charge == nil { charge = BudgetCharge(budget) }
        count()
    }

    private func count() {
        charge?.set(held.storageCapacity + writing.storageCapacity)
    }

    // MARK: To the file

    /// Gives what is held to the file; `wrote` is called on `loop`, later.
    ///
    /// - Returns: `false` when there can be no file.
    func write(
        to area: SpoolArea, on loop: any EventLoop,
        wrote: @escaping @Sendable (SpoolFile, SpoolFile.Failure?) -> Void
    ) -> Bool {
        guard let file = file ?? SpoolFile(area) else { return false }
        self.file = file
        writing = held
        held = ByteBuffer()
        file.append(writing, on: loop) { [file] in wrote(file, $0) }
        return true
    }

    func written(isDone: Bool, _ bounds: SpoolState.Bounds) -> SpoolState.Action {
        if !isDone, writing.readableBytes > 0 {
            writing.writeImmutableBuffer(held)
            held = writing
        }
        writing = ByteBuffer()
        count()
        return state.written(isDone: isDone, bounds)
    }

    func squeeze() -> SpoolState.Action { state.squeezed() }

    func end() -> SpoolState.Action { state.ended() }

    // MARK: The end

    /// As new, for the next content, behind `whole`: the digester has begun anew there, and what was
    /// given out is not touched.
    func reset() {
        state = SpoolState()
        held = ByteBuffer()
        writing = ByteBuffer()
        file = nil
        charge = nil
    }

    /// All of it; this object goes back to the loop: nothing of it is under way any more.
    ///
    /// `start` is what is kept for people of content that is in a file.
    func whole(_ loop: LoopContext, start: ByteBuffer?) -> WholeContent? {
        defer { loop.giveBack(self) }
        guard let digest = digester.finish() else { return nil }
        count()
        guard let file else {
            return WholeContent(
                body: .buffered(held), start: held, digest: digest.digest, length: digest.length,
                charge: charge)
        }
        charge?.set(start?.storageCapacity ?? 0)
        return WholeContent(
            body: .spooled(file), start: start, digest: digest.digest, length: digest.length,
            charge: charge)
    }

    /// What is to be forwarded of content that is not part of a key after all; the digester goes
    /// back to the loop.
    func diverted(_ loop: LoopContext) -> ContentPour {
        loop.giveBack(digester)
        return ContentPour(
            file: file, length: state.onDisk, rest: held, hasEnded: state.hasEnded, charge: charge)
    }

    func giveUp(_ loop: LoopContext) {
        loop.giveBack(digester)
    }
}

@available(*, unavailable)
extension KeyedContent: Sendable {}

/// The whole content of a request that it is part of the key of.
struct WholeContent {
    var body: OriginRequest.Body
    /// What of it is in memory: all, or what is kept for people of what is in a file.
    var start: ByteBuffer?
    var digest: Digest
    var length: UInt64
    /// For what of it is in memory, if that has been counted.
    var charge: BudgetCharge?

    /// Content up to this is not counted when it came in one read: it is less than the exchange.
    private static let uncountedBytes = 4 << 10

    /// For as long as somebody may need the content.
    func charge(_ budget: MemoryBudget) -> BudgetCharge? {
        if let charge { return charge }
        let bytes = start?.readableBytes ?? 0
        return bytes > Self.uncountedBytes ? BudgetCharge(budget, bytes: bytes) : nil
    }
}
