import CacheKeys
import Testing

@testable import CacheEngine

@Suite struct WriteQueueStateTests {
    private typealias State = WriteQueueState

    private func put(
        _ state: inout State, _ response: StoredResponse, replacesRow: Bool = false
    ) -> State.Admission {
        state.put(response, isFreshen: false, replacesRow: replacesRow)
    }

    private func summaries(_ batch: [Mutation]) -> [String] { batch.map(\.summary) }

    @Test func handsOutInOrder() {
        var state = State()
        #expect(put(&state, response(1)) == .accepted)
        state.delete(entryName(2, variant: nil))
        #expect(state.put(response(3), isFreshen: true, replacesRow: true) == .accepted)
        state.invalidate(digest(4), at: start)
        #expect(!state.isEmpty)
        let batch = state.takeBatch()
        #expect(summaries(batch) == ["put 1", "delete 2", "freshen 3", "invalidate 4"])
        #expect(summaries(state.takeBatch()) == summaries(batch), "the same until it is over")
        state.finishBatch()
        #expect(state.isEmpty)
        #expect(state.putCount == 0)
        #expect(state.putBytes == 0)
        #expect(state.takeBatch().isEmpty)
    }

    @Test func equalDeletesThatWaitAreOne() {
        var state = State()
        for _ in 0..<3 {
            state.delete(entryName(1, variant: nil))
            state.delete(entryName(1, variant: digest(9)))
            state.invalidate(digest(7), at: start)
        }
        #expect(summaries(state.takeBatch()) == ["delete 1", "delete 1", "invalidate 7"])
    }

    @Test func aDeleteAfterAPutIsNoDuplicate() {
        var state = State()
        state.delete(entryName(1, variant: nil))
        _ = put(&state, response(1))
        state.delete(entryName(1, variant: nil))
        #expect(summaries(state.takeBatch()) == ["delete 1", "put 1", "delete 1"])
    }

    @Test func anInvalidationAfterAPutIsNoDuplicate() {
        var state = State()
        state.invalidate(digest(1000), at: start)
        _ = put(&state, response(1))
        state.invalidate(digest(1000), at: start)
        #expect(
            summaries(state.takeBatch()) == ["invalidate 1000", "put 1", "invalidate 1000"])
    }

    @Test func aDeleteDuringTheCommitOfItsTwinIsQueued() {
        var state = State()
        state.delete(entryName(1, variant: nil))
        state.invalidate(digest(7), at: start)
        _ = state.takeBatch()
        state.delete(entryName(1, variant: nil))
        state.invalidate(digest(7), at: start)
        state.finishBatch()
        #expect(state.hasPendingDelete(of: entryName(1, variant: nil)))
        #expect(state.hasPendingInvalidation(of: digest(7)))
        #expect(summaries(state.takeBatch()) == ["delete 1", "invalidate 7"])
        state.finishBatch()
        #expect(!state.hasPendingDelete(of: entryName(1, variant: nil)))
        #expect(!state.hasPendingInvalidation(of: digest(7)))
    }

    @Test func putsAreBoundedByNumberDeletesAreNot() {
        var state = State(limits: .init(entries: 3))
        for key in 1...3 { #expect(put(&state, response(key)) == .accepted) }
        #expect(put(&state, response(4)) == .shed)
        for key in 10..<20 { state.delete(entryName(key, variant: nil)) }
        #expect(state.waiting.count == 13)
        _ = state.takeBatch()
        #expect(put(&state, response(4)) == .shed, "what is in a transaction counts")
        state.finishBatch()
        #expect(put(&state, response(4)) == .accepted)
    }

    @Test func putsAreBoundedByBytes() {
        let cost = response(1).cost
        var state = State(limits: .init(bytes: cost * 5))
        for key in 1...5 { #expect(put(&state, response(key)) == .accepted) }
        #expect(state.putBytes == cost * 5)
        #expect(put(&state, response(6)) == .shed)
        #expect(state.pending(digest(6)).isEmpty)
    }

    @Test func oneThatIsLargerThanAQuarterIsShed() {
        let cost = response(1).cost
        var state = State(limits: .init(bytes: cost * 4 - 1))
        #expect(put(&state, response(1)) == .shed)
    }

    @Test func aShedPutThatReplacesARowDeletesIt() {
        var state = State(limits: .init(entries: 1))
        #expect(put(&state, response(1)) == .accepted)
        #expect(put(&state, response(2)) == .shed)
        #expect(put(&state, response(1), replacesRow: true) == .shed)
        #expect(summaries(state.takeBatch()) == ["put 1", "delete 1"])
        #expect(state.pending(digest(1)).isEmpty)
    }

    @Test func batchesCloseByNumberAndBytes() {
        let cost = response(1).cost
        var state = State(limits: .init(batchEntries: 3, batchBytes: cost * 2))
        for key in 1...3 { _ = put(&state, response(key)) }
        #expect(state.isBatchFull)
        #expect(state.takeBatch().count == 2)
        #expect(!state.isBatchFull)
        state.finishBatch()
        for key in 4...7 { state.delete(entryName(key, variant: nil)) }
        #expect(summaries(state.takeBatch()) == ["put 3", "delete 4", "delete 5"])
        state.finishBatch()
        #expect(summaries(state.takeBatch()) == ["delete 6", "delete 7"])
        state.finishBatch()
        _ = put(&state, response(8, bytes: 10_000))
        #expect(summaries(state.takeBatch()) == ["put 8"])
        state.finishBatch()
        #expect(state.isEmpty, "one that is larger than a batch goes alone")
    }

    @Test func aFailedBatchKeepsItsDeletesInOrder() {
        var state = State()
        _ = put(&state, response(1))
        state.delete(entryName(2, variant: nil))
        _ = put(&state, response(3), replacesRow: true)
        state.invalidate(digest(4), at: start)
        _ = state.takeBatch()
        _ = put(&state, response(5))
        #expect(state.failBatch().puts == 2)
        #expect(state.putCount == 1)
        #expect(state.putBytes == response(5).cost)
        #expect(state.pending(digest(3)).isEmpty)
        #expect(state.hasPendingDelete(of: entryName(3, variant: nil)))
        // Alone: what the file refuses may be the puts.
        #expect(summaries(state.takeBatch()) == ["delete 2", "delete 3", "invalidate 4"])
        state.finishBatch()
        #expect(summaries(state.takeBatch()) == ["put 5"])
        state.finishBatch()
        #expect(state.isEmpty)
        #expect(!state.hasPendingDelete(of: entryName(3, variant: nil)))
    }

    @Test func theDeleteOfALostPutDoesNotHideALaterPut() {
        var state = State()
        _ = put(&state, response(1), replacesRow: true)
        _ = state.takeBatch()
        let later = response(1)
        _ = put(&state, later)
        _ = state.failBatch()
        #expect(state.pending(digest(1)).map(ObjectIdentifier.init) == [ObjectIdentifier(later)])
        #expect(summaries(state.takeBatch()) == ["delete 1"])
        state.finishBatch()
        #expect(summaries(state.takeBatch()) == ["put 1"])
    }

    @Test func aDroppedBatchIsForgottenWithItsDeletes() {
        var state = State()
        _ = put(&state, response(1), replacesRow: true)
        state.delete(entryName(2, variant: nil))
        state.invalidate(digest(3), at: start)
        _ = state.takeBatch()
        _ = put(&state, response(4))
        state.dropBatch()
        #expect(state.pending(digest(1)).isEmpty)
        #expect(!state.hasPendingDelete(of: entryName(2, variant: nil)))
        #expect(!state.hasPendingInvalidation(of: digest(3)))
        #expect(summaries(state.takeBatch()) == ["put 4"])
    }

    @Test func aClosedQueueTakesDeletesOnly() {
        var state = State()
        state.close()
        #expect(put(&state, response(1)) == .closed)
        state.delete(entryName(1, variant: nil))
        state.invalidate(digest(2), at: start)
        #expect(summaries(state.takeBatch()) == ["delete 1", "invalidate 2"])
    }
}
