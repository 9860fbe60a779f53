import Synchronization

/// What the engine counts; read by logs now and by metrics later.
///
/// Wait-free.
package final class EngineCounters: Sendable {
    /// One rising number.
    package struct Counter: ~Copyable, Sendable {
        private let value = Atomic<Int>(0)

        package var current: Int { value.load(ordering: .relaxed) }

        package func add(_ amount: Int) {
            value.wrappingAdd(amount, ordering: .relaxed)
        }
    }

    /// Puts that were not queued because the queue was full.
    package let shedPuts = Counter()
    /// Mutations whose transaction was committed.
    package let committed = Counter()
    /// Puts lost in a transaction that failed.
    package let failedPuts = Counter()
    /// Rows that failed their checks and were deleted.
    package let damagedRows = Counter()
    /// Durable lookups that failed and were treated as misses.
    package let failedReads = Counter()

    /// Stored responses that the file gave up to keep its size.
    package let evicted = Counter()
    /// Requests that shared another one's fetch.
    package let collapsed = Counter()

    package init() {}
}
