/// Walks through content in a file from its start, part by part, no faster than it is taken.
///
/// A state machine without I/O: one part is read at a time, and none before the one before it has
/// been taken.
package struct SpoolCursor: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// For a part that is being read, or until more is taken.
        case wait
        case read(at: Int64, count: Int)
        /// All of it has been taken; said once.
        case finished
        /// A part could not be read, or the file is shorter than it was; said once.
        case failed
    }

    private enum Phase: Equatable {
        case between
        case reading
        case over
    }

    /// Bytes from the start of the file on.
    package let length: Int64
    private let partBytes: Int
    private var offset: Int64 = 0
    private var phase = Phase.between

    package init(length: Int64, partBytes: Int = 32 << 10) {
        self.length = length
        self.partBytes = max(1, partBytes)
    }

    /// The taker is ready, or not, for the next part.
    package mutating func next(isWritable: Bool) -> Action {
        guard phase == .between else { return .wait }
        let rest = length - offset
        guard rest > 0 else {
            phase = .over
            return .finished
        }
        guard isWritable else { return .wait }
        phase = .reading
        return .read(at: offset, count: Int(min(Int64(partBytes), rest)))
    }

    /// A part has been read, `nil` when it could not be; it is to be handed over, then comes `next`,
    /// unless this says `failed`.
    package mutating func read(bytes count: Int?) -> Action {
        guard phase == .reading else { return .wait }
        guard let count, count > 0, Int64(count) <= length - offset else {
            phase = .over
            return .failed
        }
        offset += Int64(count)
        phase = .between
        return .wait
    }
}
