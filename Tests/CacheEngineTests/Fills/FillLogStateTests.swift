import HTTPCaching
import NIOCore
import Testing

@testable import CacheEngine

/// What a log does with the bytes that come: pieces, chunks, and what it keeps.
@Suite struct FillLogStateTests {
    // MARK: Opening

    @Test func nothingIsReadBeforeTheHead() {
        var log = FillLogState()
        var reader = LogReader(&log, audience: 3)
        #expect(reader.step(&log) == "wait")
        #expect(log.open(.head(fillHead())) == [3])
        #expect(reader.readOn(&log) == "head")
        #expect(!log.isOver)
    }

    @Test func whatIsNoHeadIsTheWholeAnswer() {
        var log = FillLogState()
        var reader = LogReader(&log)
        #expect(log.open(.stored(response(1), .init(result: .hit))) == [0])
        #expect(log.isOver)
        #expect(reader.readOn(&log) == "stored")
        var failed = FillLogState()
        var other = LogReader(&failed)
        #expect(failed.open(.failed(.noOrigin)) == [0])
        #expect(other.readOn(&failed) == "failed noOrigin")
        #expect(failed.isOver)
    }

    @Test func eachAudienceIsWokenOnce() {
        var log = FillLogState()
        let readers = [0, 1, 1, 0, 2].map { LogReader(&log, audience: $0) }
        #expect(log.open(.head(fillHead())) == [0, 1, 2])
        #expect(log.grow(by: 1) == [], "nobody has come back to wait")
        var reader = readers[1]
        #expect(reader.readOn(&log) == "head, 0..<1")
        #expect(log.grow(by: 1) == [1])
        #expect(log.end(.complete) == [])
        #expect(reader.readOn(&log) == "1..<2, end")
    }

    // MARK: Pieces

    @Test func partsAreReadAsTheyCame() {
        var log = FillLogState.opened()
        var reader = LogReader(&log)
        log.grow([3, 1, 5])
        #expect(reader.readOn(&log) == "head, 0..<3, 3..<4, 4..<9")
        log.grow(by: 2)
        #expect(reader.readOn(&log) == "9..<11")
        #expect(reader.faults == [])
    }

    @Test func emptyPartsAreNothing() {
        var log = FillLogState.opened()
        var reader = LogReader(&log)
        _ = reader.readOn(&log)
        #expect(log.grow(by: 0) == [])
        #expect(reader.step(&log) == "wait")
        log.grow([0, 2, 0, 0, 1, 0])
        #expect(reader.readOn(&log) == "0..<2, 2..<3")
        #expect(log.windowEnd == 3)
    }

    @Test func nothingComesBehindTheEnd() {
        for ending in [FillLogState.Ending.complete, .failed(.origin(.closed))] {
            var log = FillLogState.opened()
            log.grow(by: 2)
            _ = log.end(ending)
            #expect(log.grow(by: 2) == [])
            #expect(log.end(.complete) == [])
            #expect(log.ending == ending)
            #expect(log.windowEnd == 2)
        }
    }

    @Test func aFailureComesBehindWhatCame() {
        var log = FillLogState.opened()
        var early = LogReader(&log)
        log.grow([2, 2])
        #expect(early.readOn(&log) == "head, 0..<2, 2..<4")
        log.grow(by: 2)
        _ = log.end(.failed(.origin(.closed)))
        #expect(early.readOn(&log) == "4..<6, failed origin(CacheEngine.OriginError.closed)")
    }

    @Test func anEmptyBodyHasHeadAndEnd() {
        for keeping in [FillLogState.Keeping.whole, .rows, .nothing] {
            var log = FillLogState.opened()
            log.keep(keeping, body: BodyID(rawValue: 1))
            var reader = LogReader(&log)
            #expect(log.takeChunks(isLast: true) == [])
            _ = log.end(.complete)
            #expect(reader.readOn(&log) == "head, end")
            #expect(log.whole().readableBytes == 0)
        }
    }

    // MARK: Chunks

    /// Every length around the multiples of a chunk, in parts smaller, larger and of just its size.
    @Test(arguments: [1, 2, 3, 4, 5, 7, 8, 9, 13, 40])
    func chunksAreOfOneSizeButTheLast(part: Int) {
        for length in 0...26 {
            var log = FillLogState.opened(chunk: 8)
            log.keep(.rows, body: BodyID(rawValue: 1))
            var chunks: [FillLogState.Chunk] = []
            while log.windowEnd < length {
                log.grow(by: min(part, length - Int(log.windowEnd)))
                chunks += log.takeChunks()
                #expect(chunks.count == Int(log.windowEnd) / 8)
            }
            chunks += log.takeChunks(isLast: true)
            #expect(chunks.map(\.sequence) == Array(0..<(length + 7) / 8))
            #expect(chunks.dropLast().allSatisfy { $0.bytes.readableBytes == 8 })
            #expect(chunks.reduce(0) { $0 + $1.bytes.readableBytes } == length)
            for chunk in chunks { #expect(isPatterned(chunk.bytes, from: chunk.sequence * 8)) }
            #expect(log.takeChunks(isLast: true) == [], "each byte once")
            #expect(log.uncommittedBytes == length)
        }
    }

    @Test func onlyRowsAreCut() {
        for keeping in [FillLogState.Keeping.whole, .nothing] {
            var log = FillLogState.opened()
            log.keep(keeping)
            log.grow(by: 20)
            #expect(log.takeChunks(isLast: true) == [])
        }
    }

    @Test func whatBeganWholeIsCutFromItsStart() {
        var log = FillLogState.opened(chunk: 4)
        log.keep(.whole)
        var reader = LogReader(&log)
        log.grow([3, 3, 3])
        _ = reader.readOn(&log)
        log.keep(.rows, body: BodyID(rawValue: 1))
        let chunks = log.takeChunks()
        #expect(chunks.map(\.bytes) == [patterned(0..<4), patterned(4..<8)])
        log.grow(by: 1)
        #expect(reader.readOn(&log) == "9..<10")
        #expect(log.takeChunks(isLast: true).map(\.bytes) == [patterned(8..<10)])
    }

    @Test func aReaderInTheMiddleOfAChunkGoesOnThere() {
        var log = FillLogState.opened(chunk: 4)
        log.keep(.rows, body: BodyID(rawValue: 1))
        var reader = LogReader(&log)
        log.grow(by: 3)
        #expect(reader.readOn(&log) == "head, 0..<3")
        log.grow(by: 7)
        _ = log.takeChunks()
        #expect(reader.readOn(&log) == "3..<4, 4..<8, 8..<10")
        var late = LogReader(&log)
        #expect(late.readOn(&log) == "head, 0..<4, 4..<8, 8..<10")
        #expect(reader.faults == [] && late.faults == [])
    }

    @Test func theWholeIsEverythingInOrder() {
        var log = FillLogState.opened()
        log.keep(.whole)
        var reader = LogReader(&log)
        log.grow([1, 5, 2])
        _ = reader.readOn(&log)
        #expect(log.whole() == patterned(0..<8))
        #expect(log.windowBytes == 8, "kept although it was read")
    }

    // MARK: What is kept

    @Test func whatIsNotStoredGoesWhenAllHaveReadIt() {
        var log = FillLogState.opened()
        var fast = LogReader(&log)
        var slow = LogReader(&log)
        _ = slow.step(&log)
        log.grow([2, 3])
        _ = fast.readOn(&log)
        #expect(log.windowBytes == 5)
        #expect(slow.step(&log) == "0..<2")
        #expect(log.windowBytes == 3)
        #expect(slow.step(&log) == "2..<5")
        #expect(log.windowBytes == 0)
    }

    @Test func withoutReadersNothingIsHeld() {
        var log = FillLogState.opened()
        log.grow(by: 5)
        #expect(log.windowBytes == 0)
        var other = FillLogState.opened()
        let reader = LogReader(&other)
        other.grow(by: 5)
        #expect(other.windowBytes == 5)
        other.leave(reader.number)
        #expect(other.windowBytes == 0 && other.cursorCount == 0)
        other.leave(reader.number)
        #expect(other.cursorCount == 0, "leaving twice is leaving once")
    }

    @Test func rowsStayInTheWindowUntilTheyAreCommitted() {
        var log = FillLogState.opened(chunk: 4, window: 8)
        log.keep(.rows, body: BodyID(rawValue: 1))
        log.grow(by: 21)
        #expect(log.takeChunks().count == 5)
        #expect(log.windowBytes == 21 && log.uncommittedBytes == 20)
        log.committed(0)
        #expect(log.windowStart == 4, "nobody reads, so nothing is kept for them")
        log.committed(1)
        #expect(log.windowStart == 8 && log.uncommittedBytes == 12)
        log.committed(4)
        #expect(log.windowStart == 20)
        log.committed(2)
        #expect(log.windowStart == 20 && log.committedEnd == 20, "it never goes back")
        #expect(log.takeChunks(isLast: true).map(\.sequence) == [5])
        log.committed(5)
        #expect(log.windowBytes == 0 && log.committedEnd == 21)
    }

    @Test func committedRowsStayForReadersThatKeepUp() {
        var log = FillLogState.opened(chunk: 4, window: 10)
        log.keep(.rows, body: BodyID(rawValue: 1))
        var reader = LogReader(&log)
        log.grow(by: 24)
        for chunk in log.takeChunks() { log.committed(chunk.sequence) }
        // The slow reader is served from memory for the last ten bytes only.
        #expect(log.windowStart == 16)
        #expect(reader.readOn(&log) == "head, row 0+0")
    }

    @Test func aCommitBeyondWhatWasCutCountsOnlyThat() {
        var log = FillLogState.opened(chunk: 4)
        log.keep(.rows, body: BodyID(rawValue: 1))
        log.grow(by: 6)
        _ = log.takeChunks()
        log.committed(7)
        #expect(log.committedEnd == 4)
        #expect(log.windowStart == 4)
    }
}
