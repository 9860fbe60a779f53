import CacheEngine
import GRDBSQLite
import HTTPCaching

/// Which rows go when the file is full: first those that no window covers any more, then the least
/// recently used.
extension Writer {
    /// Removes some rows, or some chunks of what was removed before; false when nothing may go.
    func evictStep(need: Int64, now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        // What is nobody's goes before what is somebody's.
        if try sweepStep(now: now) { return true }
        if try expireStep(before: now, need: need, now: now) { return true }
        return try leastUsedStep(need: need, now: now)
    }

    /// Removes rows whose last window ended before `time`, on the whole quarter of a day.
    func expireStep(
        before time: EpochSeconds, need: Int64, now: EpochSeconds
    ) throws(SQLiteFailure) -> Bool {
        let end = ReuseTerms.difference(time, configuration.staleMargin) / 21_600
        var step = EvictionStep(need: need)
        try expiredRows(before: end) { row in
            guard !step.isFull else { return false }
            if !isPinned(row) { step.take(row) }
            return true
        }
        guard !step.victims.isEmpty else { return false }
        try remove(step, now: now)
        return true
    }

    private func expiredRows(
        before end: Int64, _ body: (StoredRow) -> Bool
    ) throws(SQLiteFailure) {
        let statement = statements.expired
        defer { statement.reset() }
        var hasRow = try statement.firstRow { $0.integer(end) }
        while hasRow, body(StoredRow(statement, lastUsed: 0)) {
            hasRow = try statement.step()
        }
    }

    private func leastUsedStep(need: Int64, now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        var step = EvictionStep(need: need)
        var order = RecencyOrder(hand: hand)
        try readTouched(into: &order)
        choosing: while !step.isFull {
            switch order.next() {
            case .row(let row):
                if isPinned(row) {
                    // An answer is being read from it: that is a use.
                    order.notes.append((row.id, now))
                } else {
                    step.take(row)
                }
            case .needsMore:
                guard order.examined < Self.examinedRows else { break choosing }
                try readUntouched(into: &order)
            case .end:
                break choosing
            }
        }
        let isProgress =
            !step.victims.isEmpty || !order.dangling.isEmpty || order.hand > hand
            || order.notes.contains { $0.time != now }
        guard isProgress else { return startOver(now: now) }
        step.notes = order.notes
        step.dangling = order.dangling
        step.hand = order.hand
        try remove(step, now: now)
        return true
    }

    /// Rows that a step looks at to find the next one that was never used.
    private static let examinedRows = 1_024

    /// Someone may have taken rows out of `touches`: what stands behind the hand is looked at again,
    /// once in a while.
    private func startOver(now: EpochSeconds) -> Bool {
        guard hand > .min, now < lastStartOver || now - max(lastStartOver, 0) >= 60 else {
            return false
        }
        lastStartOver = now
        hand = .min
        return true
    }

    private func readTouched(into order: inout RecencyOrder) throws(SQLiteFailure) {
        let statement = statements.leastTouched
        defer { statement.reset() }
        var rows: [(row: StoredRow, storedAt: Int64)] = []
        var count = 0
        var hasRow = try statement.firstRow { $0.integer(.min) }
        while hasRow {
            count += 1
            if statement.isNull(0) {
                order.dangling.append(statement.integer(6))
            } else {
                rows.append(
                    (StoredRow(statement, lastUsed: statement.integer(7)), statement.integer(5)))
            }
            hasRow = try statement.step()
        }
        order.begin(touched: rows, isAll: count < Self.stepRows)
    }

    private func readUntouched(into order: inout RecencyOrder) throws(SQLiteFailure) {
        let statement = statements.fromHand
        defer { statement.reset() }
        var count = 0
        var hasRow = try statement.firstRow { $0.integer(order.examinedTo) }
        while hasRow {
            count += 1
            order.examine(
                StoredRow(statement, lastUsed: statement.integer(5)),
                isTouched: !statement.isNull(6), isStoredAnew: statement.integer(7) != 0)
            hasRow = try statement.step()
        }
        if count < Self.stepRows { order.endOfUntouched() }
    }

    private func isPinned(_ row: StoredRow) -> Bool { row.body.map(isPinned) ?? false }

    private func remove(_ step: EvictionStep, now: EpochSeconds) throws(SQLiteFailure) {
        let before = hand
        if let moved = step.hand { hand = moved }
        do {
            try transaction(now: now) { () throws(SQLiteFailure) in
                for row in step.victims {
                    try statements.deleteRow.run { $0.integer(row.id) }
                }
                for note in step.notes {
                    try statements.noteUse.run { binder in
                        binder.integer(note.id)
                        binder.integer(note.time)
                    }
                }
                for id in step.dangling {
                    try statements.deleteTouch.run { $0.integer(id) }
                }
            }
        } catch {
            hand = before
            throw error
        }
        evicted += step.victims.count
    }

    func takeEvicted() -> Int {
        defer { evicted = 0 }
        return evicted
    }
}

extension StoredRow {
    /// From the columns `id, body_id, body_size, bytes, head bytes` that start a statement.
    fileprivate init(_ row: RawStatement, lastUsed: Int64) {
        let body = row.isNull(1) ? nil : BodyID(rawValue: row.integer(1))
        self.init(
            id: row.integer(0), lastUsed: lastUsed, body: body,
            bytes: Self.sum(row.integer(3), row.integer(4)) + Self.fixedBytes,
            bodyBytes: body == nil ? 0 : Self.sum(row.integer(2), 0))
    }
}
