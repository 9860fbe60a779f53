import HTTPCaching
import NIOCore
import Testing

@testable import CacheEngine

/// The readers of one log: late, slow, behind the window, leaving, cut off.
@Suite struct FillLogReadersTests {
    private let body = BodyID(rawValue: 7)

    /// A log of 20 bytes in chunks of 4, all but the last committed and out of the window.
    private func logWithRows() -> FillLogState {
        var log = FillLogState.opened(chunk: 4, window: 0)
        log.keep(.rows, body: body)
        log.grow(by: 18)
        for chunk in log.takeChunks() { log.committed(chunk.sequence) }
        return log
    }

    // MARK: Rows

    @Test func whoIsBehindTheWindowReadsRows() {
        var log = logWithRows()
        var reader = LogReader(&log)
        #expect(log.windowStart == 16)
        #expect(reader.step(&log) == "head")
        #expect(reader.step(&log) == "row 0+0")
        #expect(reader.step(&log) == "row 0+0", "until it has passed it")
        for row in 0..<4 {
            reader.takeRow(patterned(row * 4..<row * 4 + 4), &log)
        }
        #expect(reader.readOn(&log) == "16..<18")
        _ = log.takeChunks(isLast: true)
        _ = log.end(.complete)
        #expect(reader.readOn(&log) == "end")
        #expect(reader.faults == [])
    }

    @Test func aRowIsReadFromWhereTheReaderStands() {
        var log = FillLogState.opened(chunk: 4, window: 0)
        log.keep(.rows, body: body)
        var reader = LogReader(&log)
        log.grow(by: 3)
        #expect(reader.readOn(&log) == "head, 0..<3")
        log.grow(by: 6)
        for chunk in log.takeChunks() { log.committed(chunk.sequence) }
        #expect(log.windowStart == 8)
        #expect(reader.step(&log) == "row 0+3")
        reader.takeRow(patterned(3..<4), &log)
        #expect(reader.step(&log) == "row 1+0")
        reader.takeRow(patterned(4..<8), &log)
        #expect(reader.readOn(&log) == "8..<9")
    }

    @Test func theShortLastRowIsReadToo() {
        var log = logWithRows()
        for chunk in log.takeChunks(isLast: true) { log.committed(chunk.sequence) }
        _ = log.end(.complete)
        var reader = LogReader(&log)
        #expect(log.windowBytes == 0)
        #expect(reader.readOn(&log) == "head, row 0+0")
        for row in 0..<4 { reader.takeRow(patterned(row * 4..<row * 4 + 4), &log) }
        #expect(reader.step(&log) == "row 4+0")
        reader.takeRow(patterned(16..<18), &log)
        #expect(reader.readOn(&log) == "end")
    }

    @Test func storingIsGivenUpWithReadersBehindTheWindow() {
        var log = logWithRows()
        var behind = LogReader(&log)
        var ahead = LogReader(&log)
        _ = behind.step(&log)
        _ = ahead.step(&log)
        for row in 0..<4 { ahead.takeRow(patterned(row * 4..<row * 4 + 4), &log) }
        log.giveUpStoring()
        log.grow(by: 6)
        #expect(log.takeChunks(isLast: true) == [], "no more of it is written")
        #expect(ahead.readOn(&log) == "16..<18, 18..<24")
        #expect(log.windowStart == 16, "what was never written is kept for the other")
        for row in 0..<4 {
            #expect(behind.step(&log) == "row \(row)+0")
            behind.takeRow(patterned(row * 4..<row * 4 + 4), &log)
        }
        #expect(behind.readOn(&log) == "16..<18, 18..<24")
        #expect(log.windowBytes == 0)
        _ = log.end(.complete)
        #expect(behind.readOn(&log) == "end" && ahead.readOn(&log) == "end")
        #expect(behind.faults == [] && ahead.faults == [])
    }

    @Test func chunksThatWereNotCommittedStayWhenStoringIsGivenUp() {
        var log = FillLogState.opened(chunk: 4, window: 0)
        log.keep(.rows, body: body)
        var reader = LogReader(&log)
        log.grow(by: 13)
        _ = log.takeChunks()
        log.committed(0)
        log.giveUpStoring()
        log.committed(1)
        _ = log.end(.complete)
        #expect(reader.readOn(&log) == "head, row 0+0")
        reader.takeRow(patterned(0..<4), &log)
        #expect(reader.readOn(&log) == "4..<8, 8..<12, 12..<13, end")
        #expect(reader.faults == [])
    }

    // MARK: Coming and going

    @Test func whoComesLateReadsFromTheStart() {
        var log = FillLogState.opened()
        log.keep(.whole)
        log.grow([2, 2])
        var late = LogReader(&log)
        #expect(late.readOn(&log) == "head, 0..<2, 2..<4")
        _ = log.end(.complete)
        var last = LogReader(&log)
        #expect(last.readOn(&log) == "head, 0..<2, 2..<4, end")
        #expect(late.readOn(&log) == "end")
    }

    @Test func placesAreUsedAgain() {
        var log = FillLogState.opened()
        log.keep(.whole)
        var readers = (0..<4).map { LogReader(&log, audience: $0) }
        log.grow(by: 3)
        for index in readers.indices { _ = readers[index].readOn(&log) }
        log.leave(readers[1].number)
        log.leave(readers[2].number)
        #expect(log.cursorCount == 2)
        var new = [LogReader(&log, audience: 8), LogReader(&log, audience: 9)]
        #expect(Set(new.map(\.number)) == [1, 2])
        #expect(new[0].readOn(&log) == "head, 0..<3", "nothing is left of the one before")
        #expect(log.grow(by: 1) == [0, 8, 9, 3])
        #expect(new[1].readOn(&log) == "head, 0..<3, 3..<4")
        #expect(readers[3].readOn(&log) == "3..<4")
        #expect(log.cursorCount == 4)
    }

    @Test func whoHasLeftGetsNothing() {
        var log = FillLogState.opened()
        var reader = LogReader(&log)
        let other = LogReader(&log)
        log.grow(by: 2)
        log.leave(reader.number)
        #expect(reader.step(&log) == "wait")
        log.passed(reader.number, bytes: 2)
        #expect(log.windowBytes == 2, "it moves nothing any more")
        log.leave(other.number)
        #expect(log.windowBytes == 0)
    }

    @Test func numbersThatNobodyHasAreHarmless() {
        var log = FillLogState.opened()
        log.leave(0)
        log.leave(-1)
        log.passed(5, bytes: 3)
        guard case .wait = log.next(9) else { return #expect(Bool(false), "a step for nobody") }
        #expect(log.cursorCount == 0)
    }

    // MARK: Joining

    @Test func whoComesTooLateForTheStartCannotJoin() {
        var log = FillLogState.opened()
        #expect(log.isReadableFromStart)
        var reader = LogReader(&log)
        log.grow([2, 2])
        #expect(log.isReadableFromStart)
        _ = reader.readOn(&log)
        #expect(!log.isReadableFromStart, "what came first is gone")
    }

    @Test func rowsAreReadableFromTheStartUntilStoringIsGivenUp() {
        var log = logWithRows()
        #expect(log.isReadableFromStart)
        log.giveUpStoring()
        #expect(!log.isReadableFromStart, "the next bytes are in no row")
    }

    @Test func whatHasFailedIsNotJoined() {
        var log = FillLogState.opened()
        log.keep(.whole)
        log.grow(by: 2)
        _ = log.end(.failed(.origin(.closed)))
        #expect(!log.isReadableFromStart)
        var other = FillLogState()
        _ = other.open(.failed(.noOrigin))
        #expect(!other.isReadableFromStart)
        var whole = FillLogState.opened()
        whole.keep(.whole)
        whole.grow(by: 2)
        _ = whole.end(.complete)
        #expect(whole.isReadableFromStart)
    }

    // MARK: Pacing

    @Test func onlyReadersOfWhatIsNotStoredHoldTheOriginBack() {
        for (keeping, mustPace) in [
            (FillLogState.Keeping.nothing, true), (.whole, false), (.rows, false),
        ] {
            var log = FillLogState.opened(pacing: 10)
            log.keep(keeping, body: body)
            let reader = LogReader(&log)
            log.grow(by: 9)
            #expect(!log.mustPace)
            log.grow(by: 1)
            #expect(log.mustPace == mustPace)
            log.leave(reader.number)
            #expect(!log.mustPace)
        }
    }

    @Test func theSlowestAreCutAndTheOthersGoOn() {
        var log = FillLogState.opened(pacing: 10)
        var slow = LogReader(&log, audience: 1)
        var fast = LogReader(&log, audience: 2)
        _ = slow.step(&log)
        log.grow([6, 6])
        _ = fast.readOn(&log)
        #expect(log.mustPace)
        #expect(log.cutSlowest() == [1])
        #expect(!log.mustPace, "it holds nothing any more, whether it hears of it or not")
        #expect(log.windowBytes == 0)
        #expect(log.grow(by: 10) == [2])
        #expect(fast.readOn(&log) == "12..<22")
        #expect(slow.readOn(&log) == "failed tooSlow")
        log.leave(slow.number)
        _ = log.end(.complete)
        #expect(fast.readOn(&log) == "end")
    }

    @Test func nobodyIsCutWhereNobodyWaits() {
        var log = FillLogState.opened(pacing: 10)
        let readers = [LogReader(&log), LogReader(&log)]
        log.grow(by: 9)
        #expect(log.cutSlowest() == [], "nothing is held back")
        log.grow(by: 3)
        #expect(log.cutSlowest() == [], "both are equally slow")
        #expect(log.mustPace)
        log.leave(readers[0].number)
        #expect(log.cutSlowest() == [], "alone")
    }
}
