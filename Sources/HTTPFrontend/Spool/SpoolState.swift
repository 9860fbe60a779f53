/// Where content that is part of a key is while it arrives: in memory, in a file, or no longer part
/// of a key.
///
/// A state machine without I/O: it counts bytes, its owner holds, writes and forwards them.
struct SpoolState: Equatable {
    /// All in bytes.
    struct Bounds: Equatable, Sendable {
        /// Content past this is not part of a key.
        var key = 64 << 20
        /// Content past this goes to a file.
        var memory = 1 << 20
        /// What is written at once, except at the end.
        var batch = 64 << 10
        /// While a write runs and this much is not on disk, nothing is read from the client.
        var unwritten = 192 << 10

        /// What holds while memory is tight.
        var tight: Bounds {
            Bounds(
                key: key, memory: min(memory, 64 << 10), batch: min(batch, 16 << 10),
                unwritten: min(unwritten, 64 << 10))
        }
    }

    /// Why content passes through instead of being part of a key; the word in Cache-Status.
    enum Diversion: String, Equatable {
        case bodyLimit = "body-limit"
        /// The disk, or what may be used of it, is full; or it fails.
        case spool
    }

    enum Action: Equatable {
        case wait
        /// Write all that is held; `written` follows.
        case write
        /// All content is here: in memory, or all of it in the file.
        case whole
        /// Forward what is on disk, then what is held, then what comes.
        case divert(Diversion)
    }

    private enum Phase: Equatable {
        case arriving
        /// The content is complete, its last bytes are being written.
        case ended
        /// It will be diverted when the write that runs is over.
        case diverting(Diversion)
        case over
    }

    private var phase = Phase.arriving
    private(set) var isInFile = false
    /// Bytes that have come.
    private var total = 0
    /// Bytes that no write was begun for.
    private(set) var held = 0
    private(set) var writing = 0
    /// Bytes that are on disk for certain.
    private(set) var onDisk = 0
    /// Whether the last byte has come.
    private(set) var hasEnded = false

    mutating func received(bytes count: Int, _ bounds: Bounds) -> Action {
        held += count
        total += count
        guard phase == .arriving else { return .wait }
        if total > bounds.key { return divert(.bodyLimit) }
        guard writing == 0 else { return .wait }
        let isMuch = isInFile ? held >= bounds.batch : held > bounds.memory
        return isMuch ? write() : .wait
    }

    /// The last byte has come.
    mutating func ended() -> Action {
        hasEnded = true
        guard phase == .arriving else { return .wait }
        phase = .ended
        return writing > 0 ? .wait : settle()
    }

    /// The write is over; when it failed, its bytes are held again.
    mutating func written(isDone: Bool, _ bounds: Bounds) -> Action {
        guard writing > 0 else { return .wait }
        if isDone { onDisk += writing } else { held += writing }
        writing = 0
        if case .diverting(let why) = phase { return divert(why) }
        if !isDone { return divert(.spool) }
        if phase == .ended { return settle() }
        return held >= bounds.batch ? write() : .wait
    }

    /// Memory is needed by others: what is held goes to the file although it is little.
    mutating func squeezed() -> Action {
        guard phase == .arriving, writing == 0, held > 0 else { return .wait }
        return write()
    }

    /// Whether nothing more is to be read from the client for now.
    func holdsReads(_ bounds: Bounds) -> Bool {
        switch phase {
        case .arriving: writing > 0 && writing + held >= bounds.unwritten
        case .ended: false
        case .diverting, .over: true
        }
    }

    private mutating func settle() -> Action {
        if isInFile, held > 0 { return write() }
        phase = .over
        return .whole
    }

    private mutating func write() -> Action {
        isInFile = true
        writing = held
        held = 0
        return .write
    }

    private mutating func divert(_ why: Diversion) -> Action {
        guard writing == 0 else {
            phase = .diverting(why)
            return .wait
        }
        phase = .over
        return .divert(why)
    }
}
