import Synchronization

/// The bytes of everything in flight together: spooled requests, fills, the write queue, answers
/// on their way to clients.
///
/// A count, not an allocator: who holds bytes charges them and releases them again. Past the limit
/// stores are dropped first, then joining, then reading from sockets pauses. Wait-free, callable
/// from any thread.
package final class MemoryBudget: Sendable {
    /// What is still done at the present use.
    package enum Level: Int, Comparable, Sendable {
        case free
        /// New fills are not stored; what can go to a disk does.
        case noStores
        /// Nobody joins a running fill.
        case noJoining
        /// Nothing is read from sockets.
        case noReading

        package static func < (left: Level, right: Level) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// Bytes past which nothing is read any more.
    package let limit: Int
    private let charged = Atomic<Int>(0)

    package init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// Bytes that may still be charged before nothing is read any more.
    package var room: Int { max(0, limit - used) }

    package var used: Int { charged.load(ordering: .relaxed) }

    package var level: Level {
        let used = used
        if used >= limit { return .noReading }
        if used >= limit / 8 * 7 { return .noJoining }
        return used >= limit / 4 * 3 ? .noStores : .free
    }

    package func charge(_ bytes: Int) {
        charged.wrappingAdd(bytes, ordering: .relaxed)
    }

    package func release(_ bytes: Int) {
        charged.wrappingSubtract(bytes, ordering: .relaxed)
    }
}
