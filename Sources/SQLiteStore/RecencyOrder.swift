import CacheEngine

/// A row that may have to go, by what eviction looks at.
struct StoredRow: Equatable {
    var id: Int64
    var lastUsed: Int64
    var body: BodyID?
    /// Bytes that go with the row itself, and later with its large body.
    var bytes: Int64
    var bodyBytes: Int64

    /// About what a row costs beside its texts and blobs, index entries included.
    static let fixedBytes: Int64 = 400

    /// The sum of two numbers of a row, which may say anything.
    static func sum(_ first: Int64, _ second: Int64) -> Int64 {
        let range: ClosedRange<Int64> = 0...(1 << 48)
        return min(max(first, range.lowerBound), range.upperBound)
            + min(max(second, range.lowerBound), range.upperBound)
    }
}

/// What one short transaction removes and notes.
struct EvictionStep {
    /// Bytes that have to go in all.
    let need: Int64
    private(set) var victims: [StoredRow] = []
    private var bytes: Int64 = 0
    private var freed: Int64 = 0
    var notes: [(id: Int64, time: Int64)] = []
    var dangling: [Int64] = []
    var hand: Int64?

    init(need: Int64) {
        self.need = need
    }

    var isFull: Bool {
        victims.count >= Writer.stepRows || bytes >= Writer.stepBytes || freed >= need
    }

    mutating func take(_ row: StoredRow) {
        victims.append(row)
        // Not full, so both are far from overflow.
        bytes += row.bytes
        freed += row.bytes + row.bodyBytes
    }
}

/// Rows in the order of their last use, merged from two streams without I/O.
///
/// One stream is `touches` by time. The other is the rows that have no touch, by id, which is the
/// order in which they were stored; a hand moves along it and never back, because what it passed
/// has a touch or is gone. Where a row turns out to be in the wrong place, for it was stored anew
/// since, a note puts it into the first stream.
struct RecencyOrder {
    enum Next: Equatable {
        case row(StoredRow)
        /// The rows behind `examinedTo` have to be examined first.
        case needsMore
        case end
    }

    /// Touches to write, and touches whose rows are gone.
    var notes: [(id: Int64, time: Int64)] = []
    var dangling: [Int64] = []
    private(set) var examined = 0
    private(set) var examinedTo: Int64

    /// Latest first, so that the next one is at the end.
    private var touched: [StoredRow] = []
    /// Touches after this were not read.
    private var touchedUntil = Int64.max
    private var isTouchedRead = false
    private var untouched: [StoredRow] = []
    private var nextUntouched = 0
    private var isUntouchedRead = false

    init(hand: Int64) {
        examinedTo = hand
    }

    /// Everything up to here has a touch or is gone.
    var hand: Int64 {
        guard nextUntouched < untouched.count else { return examinedTo }
        // Ids rise from a number above the least one.
        return untouched[nextUntouched].id - 1
    }

    /// Takes the first page of the touches, earliest first, each with the time of its storing.
    mutating func begin(touched rows: [(row: StoredRow, storedAt: Int64)], isAll: Bool) {
        if !isAll { touchedUntil = rows.last?.row.lastUsed ?? .min }
        isTouchedRead = isAll
        touched = rows.filter { $0.storedAt <= $0.row.lastUsed }.map(\.row).reversed()
        for (row, storedAt) in rows where storedAt > row.lastUsed {
            var later = row
            later.lastUsed = storedAt
            note(later)
        }
    }

    /// Takes the next row by id; `lastUsed` is the time of its storing.
    mutating func examine(_ row: StoredRow, isTouched: Bool, isStoredAnew: Bool) {
        examined += 1
        examinedTo = max(examinedTo, row.id)
        if isTouched { return }
        if isStoredAnew { note(row) } else { untouched.append(row) }
    }

    mutating func endOfUntouched() {
        isUntouchedRead = true
    }

    mutating func next() -> Next {
        guard nextUntouched < untouched.count else {
            guard isUntouchedRead else { return .needsMore }
            return popTouched()
        }
        let candidate = untouched[nextUntouched]
        if let other = touched.last {
            // Of equal times the one goes that never was used.
            if other.lastUsed < candidate.lastUsed { return popTouched() }
        } else if !isTouchedRead, touchedUntil < candidate.lastUsed {
            // Touches that were not read may be earlier.
            return .end
        }
        nextUntouched += 1
        return .row(candidate)
    }

    private mutating func popTouched() -> Next {
        guard let row = touched.popLast() else { return .end }
        return .row(row)
    }

    private mutating func note(_ row: StoredRow) {
        notes.append((row.id, row.lastUsed))
        guard row.lastUsed <= touchedUntil else { return }
        // The array falls: before the first that is earlier.
        let place = touched.firstIndex { $0.lastUsed < row.lastUsed } ?? touched.count
        touched.insert(row, at: place)
    }
}
