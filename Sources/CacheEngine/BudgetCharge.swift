import Synchronization

/// What one owner holds of a `MemoryBudget`: released with the last reference, so exactly once,
/// whatever becomes of the bytes.
package final class BudgetCharge: Sendable {
    private let budget: MemoryBudget
    private let bytes: Atomic<Int>

    package init(_ budget: MemoryBudget, bytes: Int = 0) {
        self.budget = budget
        self.bytes = Atomic(bytes)
        budget.charge(bytes)
    }

    /// The owner holds so many bytes now.
    package func set(_ count: Int) {
        let before = bytes.exchange(count, ordering: .relaxed)
        if count != before { budget.charge(count - before) }
    }

    deinit {
        budget.release(bytes.load(ordering: .relaxed))
    }
}
