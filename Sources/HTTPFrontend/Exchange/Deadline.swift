/// The one deadline of a connection, in seconds of its loop's uptime; enforced by the loop's tick,
/// so that setting it costs a hit two stores.
struct Deadline: Equatable {
    enum Kind: Equatable {
        /// The head must be complete.
        case head
        /// More content must come.
        case body
        /// The next request must begin.
        case keepAlive
        /// The client must take what is written.
        case write
        /// The client must close after our last answer.
        case drain
    }

    private(set) var kind: Kind?
    private var time: Int64 = .max

    mutating func set(_ kind: Kind, at time: Int64) {
        self.kind = kind
        self.time = time
    }

    /// Moves the deadline if it is of this kind.
    mutating func extend(_ kind: Kind, to time: Int64) {
        if self.kind == kind { self.time = time }
    }

    mutating func clear() {
        kind = nil
        time = .max
    }

    /// What was missed; then there is no deadline any more.
    mutating func expired(at uptime: Int64) -> Kind? {
        guard let kind, uptime > time else { return nil }
        clear()
        return kind
    }
}
