import CacheEngine
import Testing

@Suite("Content in a file, part by part")
struct SpoolCursorTests {
    @Test func partsInOrder() {
        var cursor = SpoolCursor(length: 25, partBytes: 10)
        #expect(cursor.next(isWritable: true) == .read(at: 0, count: 10))
        // One at a time.
        #expect(cursor.next(isWritable: true) == .wait)
        #expect(cursor.read(bytes: 10) == .wait)
        #expect(cursor.next(isWritable: false) == .wait)
        #expect(cursor.next(isWritable: true) == .read(at: 10, count: 10))
        // A read may bring less.
        #expect(cursor.read(bytes: 3) == .wait)
        #expect(cursor.next(isWritable: true) == .read(at: 13, count: 10))
        #expect(cursor.read(bytes: 10) == .wait)
        #expect(cursor.next(isWritable: true) == .read(at: 23, count: 2))
        #expect(cursor.read(bytes: 2) == .wait)
        // Whatever the taker says: there is nothing more to take.
        #expect(cursor.next(isWritable: false) == .finished)
        #expect(cursor.next(isWritable: true) == .wait)
    }

    @Test func nothingIsFinishedAtOnce() {
        var cursor = SpoolCursor(length: 0)
        #expect(cursor.next(isWritable: false) == .finished)
        #expect(cursor.next(isWritable: true) == .wait)
    }

    @Test(arguments: [nil, 0, 11])
    func whatCannotBeReadFails(_ count: Int?) {
        var cursor = SpoolCursor(length: 10)
        #expect(cursor.next(isWritable: true) == .read(at: 0, count: 10))
        #expect(cursor.read(bytes: count) == .failed)
        #expect(cursor.next(isWritable: true) == .wait)
        #expect(cursor.read(bytes: 1) == .wait)
    }
}

@Suite("Charges to the memory budget")
struct BudgetChargeTests {
    @Test func isReleasedWithTheLastReference() {
        let budget = MemoryBudget(limit: 1000)
        var charge: BudgetCharge? = BudgetCharge(budget, bytes: 10)
        #expect(budget.used == 10)
        charge?.set(700)
        #expect(budget.used == 700 && budget.room == 300)
        charge?.set(25)
        var other = charge
        charge = nil
        #expect(budget.used == 25)
        other?.set(0)
        other?.set(5)
        #expect(budget.used == 5)
        other = nil
        #expect(budget.used == 0)
    }
}
