import Synchronization

/// The read-only connections; a caller takes a free one, or waits in turn for a busy one.
final class ReaderPool: Sendable {
    private let all: [Connection<Reader>]
    private let state: Mutex<State>

    private struct State {
        var free: [Int]
        var turn = 0
    }

    init(count: Int, open: () throws -> Connection<Reader>) throws {
        let count = max(1, count)
        var all: [Connection<Reader>] = []
        for _ in 0..<count { all.append(try open()) }
        self.all = all
        state = Mutex(State(free: Array(0..<count)))
    }

    /// Runs on one connection, on the caller's thread; `nil` once it is closed.
    func access<T>(_ body: (Reader) -> T) -> T? {
        let (index, isOurs) = state.withLock { state in
            if let index = state.free.popLast() { return (index, true) }
            state.turn = (state.turn + 1) % all.count
            return (state.turn, false)
        }
        defer {
            if isOurs { state.withLock { $0.free.append(index) } }
        }
        return all[index].access(body)
    }

    func close() throws(SQLiteFailure) {
        var first: SQLiteFailure?
        for connection in all {
            do {
                try connection.close()
            } catch {
                if first == nil { first = error }
            }
        }
        if let first { throw first }
    }
}
