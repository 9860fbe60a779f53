import CacheKeys
import Logging
import Synchronization
import Testing

@testable import CacheEngine

/// Waiting for the file.
@Suite struct FlushTests {
    private let queue = WriteQueue()
    private let generations = Generations()
    private let heard = Heard()

    /// What was flushed, in order.
    private final class Heard: Sendable {
        private let names = Mutex<[String]>([])

        var all: [String] { names.withLock { $0 } }

        func note(_ name: String) { names.withLock { $0.append(name) } }
    }

    private func put(_ key: Int, replacesRow: Bool = false, generation: UInt64 = 0) -> PutOutcome {
        queue.put(
            response(key, generation: generation), isFreshen: false, replacesRow: replacesRow,
            generations: generations, groups: GroupStamps())
    }

    private func flush(_ name: String = "flush") {
        queue.flush { [heard] isWritten in heard.note(isWritten ? name : "not written") }
    }

    /// What the writer is given next; nothing, after ten seconds, is a failure.
    private func take() -> [String] {
        guard case .commit(let batch) = queue.nextBatch(timeoutMilliseconds: 10_000) else {
            return []
        }
        return batch.map(\.summary)
    }

    @Test func nothingIsFlushedAtOnce() {
        flush()
        #expect(heard.all == ["flush"])
        queue.delete(entryName(1, variant: nil))
        #expect(take() == ["delete 1"])
        queue.finishBatch()
        flush("again")
        #expect(heard.all == ["flush", "again"])
    }

    @Test func whatWaitsIsFlushedByItsCommitAndNotBefore() {
        _ = put(1)
        flush()
        #expect(heard.all == [])
        #expect(take() == ["put 1"])
        #expect(heard.all == [])
        queue.finishBatch()
        #expect(heard.all == ["flush"])
        _ = put(2)
        _ = take()
        queue.finishBatch()
        #expect(heard.all == ["flush"], "each is called once")
    }

    @Test func whatIsBeingCommittedIsNotInTheFileYet() {
        _ = put(1)
        _ = take()
        flush()
        #expect(heard.all == [])
        queue.finishBatch()
        #expect(heard.all == ["flush"])
    }

    @Test func whatIsQueuedLaterIsNotWaitedFor() {
        _ = put(1)
        flush("first")
        _ = take()
        _ = put(2)
        flush("second")
        queue.finishBatch()
        #expect(heard.all == ["first"])
        #expect(take() == ["put 2"])
        queue.finishBatch()
        #expect(heard.all == ["first", "second"])
    }

    @Test func everyKindOfChangeIsWaitedFor() {
        let changes: [(String, (WriteQueue) -> Void)] = [
            ("delete 1", { $0.delete(entryName(1, variant: nil)) }),
            ("invalidate 7", { $0.invalidate(digest(7), at: start, generations: generations) }),
            (
                "groups 2",
                { $0.invalidateGroups(["a", "b"], at: start, groups: GroupStamps()) }
            ),
            ("open c", { $0.openCache("c", at: start) }),
            ("drop", { $0.dropBody(BodyID(rawValue: 1)) }),
            ("touch 1", { $0.touch([entryName(1, variant: nil)], at: start) }),
        ]
        for (name, change) in changes {
            change(queue)
            flush(name)
            #expect(heard.all.last != name)
            #expect(take() == [name])
            queue.finishBatch()
            #expect(heard.all.last == name)
        }
    }

    @Test func manyBatchesAreWaitedFor() {
        for key in 0..<600 { queue.delete(entryName(key, variant: nil)) }
        flush()
        for size in [256, 256, 88] {
            #expect(heard.all == [])
            #expect(take().count == size)
            queue.finishBatch()
        }
        #expect(heard.all == ["flush"])
    }

    @Test func aLostPutIsNotWritten() {
        _ = put(1)
        flush("before")
        _ = take()
        queue.finishBatch()
        queue.delete(entryName(9, variant: nil))
        _ = put(2)
        flush()
        queue.flush(countsLosses: false) { [heard] _ in heard.note("deletions") }
        #expect(take().count == 2)
        _ = queue.failBatch()
        #expect(heard.all == ["before"], "the deletion is tried again")
        #expect(take() == ["delete 9"])
        queue.finishBatch()
        #expect(heard.all == ["before", "not written", "deletions"])
        flush("after")
        #expect(heard.all.last == "after")
    }

    @Test func severalHearOfOneCommitInTheirOrder() {
        _ = put(1)
        for name in ["a", "b", "c"] { flush(name) }
        _ = take()
        queue.finishBatch()
        #expect(heard.all == ["a", "b", "c"])
    }

    /// Who is told may ask again: nothing is locked meanwhile.
    @Test func theCallbackMayUseTheQueue() {
        _ = put(1)
        queue.flush { [queue, heard] _ in
            queue.delete(entryName(2, variant: nil))
            queue.flush { _ in heard.note("second") }
            heard.note("first")
        }
        _ = take()
        queue.finishBatch()
        #expect(heard.all == ["first"])
        #expect(take() == ["delete 2"])
        queue.finishBatch()
        #expect(heard.all == ["first", "second"])
    }

    @Test func lostPutsAreOverWithTheirBatch() {
        _ = put(1)
        flush()
        queue.flush(countsLosses: false) { [heard] _ in heard.note("deletions") }
        _ = take()
        #expect(queue.failBatch() == 1)
        #expect(heard.all == ["not written", "deletions"], "they were dropped for good")
        #expect(queue.isEmpty)
    }

    /// Nobody is told that a deletion is in the file before it is.
    @Test(arguments: 1...3) func aDeletionIsWaitedForUntilItIsWritten(failures: Int) {
        queue.delete(entryName(1, variant: nil))
        _ = put(2)
        _ = put(3, replacesRow: true)
        queue.flush(countsLosses: false) { [heard] isWritten in
            heard.note(isWritten ? "flush" : "not written")
        }
        #expect(take() == ["delete 1", "put 2", "put 3"])
        for _ in 0..<failures {
            _ = queue.failBatch()
            #expect(heard.all == [])
            #expect(take() == ["delete 1", "delete 3"])
        }
        queue.finishBatch()
        #expect(heard.all == ["flush"])
    }

    @Test func whatWasQueuedDuringAFailureIsWaitedForByItsOwn() {
        queue.delete(entryName(1, variant: nil))
        _ = take()
        flush("first")
        _ = put(2)
        flush("second")
        _ = queue.failBatch()
        #expect(take() == ["delete 1"])
        queue.finishBatch()
        #expect(heard.all == ["first"])
        #expect(take() == ["put 2"])
        queue.finishBatch()
        #expect(heard.all == ["first", "second"])
    }

    @Test func aDroppedBatchIsOver() {
        queue.delete(entryName(1, variant: nil))
        flush()
        _ = take()
        queue.dropBatch()
        #expect(heard.all == ["flush"])
    }

    @Test(arguments: [false, true]) func aClosingQueueIsFlushedByItsWriter(isClosedFirst: Bool) {
        _ = put(1)
        if isClosedFirst { queue.close() }
        flush()
        queue.close()
        #expect(heard.all == [])
        #expect(take() == ["put 1"])
        queue.finishBatch()
        #expect(heard.all == ["flush"])
        guard case .finished = queue.nextBatch(timeoutMilliseconds: 10_000) else {
            Issue.record("there is more")
            return
        }
        flush("late")
        #expect(heard.all == ["flush", "late"])
    }

    @Test func whatAClosedQueueRefusesIsNotWaitedFor() {
        queue.close()
        #expect(put(1) == .closed)
        flush()
        #expect(heard.all == ["flush"])
    }

    @Test func theWriterThreadTells() async throws {
        let store = FakeStore()
        store.state.withLock { $0.commitErrors = [.busy, .full] }
        queue.delete(entryName(1, variant: nil))
        queue.flush { [heard] _ in
            heard.note(store.commits.isEmpty ? "too early" : "flush")
        }
        let writer = DeferredWriter(
            queue: queue, store: store, counters: EngineCounters(), pins: BodyPins(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        writer.start(onNews: { _ in }, onTend: {})
        try await eventually("the deletion is written") { !heard.all.isEmpty }
        #expect(heard.all == ["flush"])
        // A writer that sleeps is woken by what is flushed.
        for key in 0..<20 {
            _ = put(key)
            flush("\(key)")
            try await eventually("put \(key) is written") { heard.all.last == "\(key)" }
            #expect(queue.isEmpty)
        }
        #expect(await writer.drain(timeout: .seconds(30)))
    }
}
