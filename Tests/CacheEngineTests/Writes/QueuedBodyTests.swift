import HTTPCaching
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// The chunks of large bodies in the write queue.
@Suite struct QueuedBodyTests {
    private typealias State = WriteQueueState

    private static let body = BodyID(rawValue: 5)

    private func chunk(_ sequence: Int, bytes: Int = 100) -> BodyChunk {
        BodyChunk(body: Self.body, sequence: sequence, bytes: patterned(0..<bytes))
    }

    /// A response whose body is in chunks.
    private func large(_ key: Int) -> StoredResponse {
        let small = response(key)
        var entry = small.entry
        entry.body = .chunked(ChunkedBody(id: Self.body, length: 200, chunkBytes: 100))
        return StoredResponse(
            entry: entry, rendering: small.rendering, generation: 0, epoch: 0)
    }

    private func summaries(_ batch: [Mutation]) -> [String] { batch.map(\.summary) }

    @Test func chunksHaveHalfOfTheBytesAndPutsTheirs() {
        var state = State(limits: .init(bytes: 20_000))
        var taken = 0
        while state.offer(chunk(taken, bytes: 1_000)) { taken += 1 }
        #expect(taken == 10)
        #expect(state.chunkBytes == 10_000 && state.putBytes == 0)
        #expect(state.put(response(1), isFreshen: false, replacesRow: false) == .accepted)
        _ = state.takeBatch()
        #expect(state.offer(chunk(10, bytes: 1_000)) == false, "what is in a transaction counts")
        state.finishBatch()
        #expect(state.chunkBytes == 0 && state.isEmpty)
        #expect(state.offer(chunk(10, bytes: 1_000)) == true)
    }

    @Test func oneIsTakenHoweverLarge() {
        var state = State(limits: .init(bytes: 1_000))
        #expect(state.offer(chunk(0, bytes: 5_000)) == true)
        #expect(state.offer(chunk(1, bytes: 1)) == false)
    }

    @Test func theyAreHandedOutBeforeTheirPutAndFinishedOnce() {
        var state = State()
        for number in 0..<2 { #expect(state.offer(chunk(number)) == true) }
        _ = state.put(large(1), isFreshen: false, replacesRow: false)
        #expect(summaries(state.takeBatch()) == ["chunk 0", "chunk 1", "put 1"])
        let finished = state.finishBatch().map(\.sequence)
        #expect(finished == [0, 1] && state.isEmpty)
        let again = state.finishBatch()
        #expect(again.isEmpty)
    }

    @Test func aFailedBatchLosesItsChunksAndKeepsItsDrops() {
        var state = State()
        #expect(state.offer(chunk(0)) == true)
        state.dropBody(Self.body)
        #expect(state.offer(chunk(1)) == true)
        _ = state.takeBatch()
        let lost = state.failBatch()
        #expect(lost.puts == 0 && lost.chunks.map(\.sequence) == [0, 1])
        #expect(state.chunkBytes == 0)
        #expect(summaries(state.takeBatch()) == ["drop"])
    }

    /// Its chunks are in the file since an earlier batch, and no response will ever name them.
    @Test(arguments: [false, true])
    func aLostPutTakesItsBodyAlong(replacesRow: Bool) {
        var state = State()
        #expect(state.offer(chunk(0)) == true)
        _ = state.takeBatch()
        state.finishBatch()
        _ = state.put(large(1), isFreshen: false, replacesRow: replacesRow)
        _ = state.takeBatch()
        _ = state.put(response(2), isFreshen: false, replacesRow: false)
        let lost = state.failBatch()
        #expect(lost.puts == 1)
        let retried = summaries(state.takeBatch())
        #expect(retried.sorted() == (replacesRow ? ["delete 1", "drop"] : ["drop"]))
        state.finishBatch()
        #expect(summaries(state.takeBatch()) == ["put 2"])
        state.finishBatch()
        #expect(state.isEmpty)
    }

    @Test func aLostFresheningLeavesTheBodyToItsRow() {
        var state = State()
        _ = state.put(large(1), isFreshen: true, replacesRow: false)
        _ = state.takeBatch()
        let lost = state.failBatch()
        #expect(lost.puts == 1)
        #expect(state.isEmpty)
    }

    @Test func aClosedQueueTakesNoChunks() {
        var state = State()
        state.close()
        #expect(state.offer(chunk(0)) == false)
        state.dropBody(Self.body)
        #expect(summaries(state.takeBatch()) == ["drop"])
    }

    @Test(arguments: [true, false])
    func eachChunkHearsOnceWhatBecameOfIt(isCommitted: Bool) {
        let queue = WriteQueue()
        let heard = Mutex<[Bool]>([])
        let told = BodyChunk(body: Self.body, sequence: 0, bytes: patterned(0..<10)) {
            isCommitted in
            heard.withLock { $0.append(isCommitted) }
        }
        #expect(queue.offer(told))
        guard case .commit = queue.nextBatch(timeoutMilliseconds: 10_000) else {
            Issue.record("no batch")
            return
        }
        #expect(heard.withLock { $0 } == [])
        if isCommitted { queue.finishBatch() } else { _ = queue.failBatch() }
        #expect(heard.withLock { $0 } == [isCommitted])
        queue.finishBatch()
        #expect(heard.withLock { $0 } == [isCommitted])
    }
}
