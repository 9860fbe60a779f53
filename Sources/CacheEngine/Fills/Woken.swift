/// The audiences of a log that have something to read: a set of small numbers without allocation.
struct Woken: Equatable, Sequence, ExpressibleByArrayLiteral {
    private var low: UInt64 = 0
    /// Numbers past the first 64: processes with that many event loops.
    private var high: Set<Int> = []

    init() {}

    init(arrayLiteral elements: Int...) {
        for element in elements { insert(element) }
    }

    mutating func insert(_ number: Int) {
        if number >= 0, number < 64 {
            low |= 1 << UInt64(number)
        } else {
            high.insert(number)
        }
    }

    struct Iterator: IteratorProtocol {
        fileprivate var low: UInt64
        fileprivate var high: Set<Int>.Iterator

        mutating func next() -> Int? {
            guard low != 0 else { return high.next() }
            let number = low.trailingZeroBitCount
            low &= low - 1
            return number
        }
    }

    func makeIterator() -> Iterator { Iterator(low: low, high: high.makeIterator()) }
}
