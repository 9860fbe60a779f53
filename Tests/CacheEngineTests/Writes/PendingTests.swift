import CacheKeys
import CacheTestKit
import Testing

@testable import CacheEngine

/// What is readable before its commit.
@Suite struct PendingTests {
    private func identities(_ responses: [StoredResponse]) -> [ObjectIdentifier] {
        responses.map(ObjectIdentifier.init)
    }

    @Test func theLatestOfEachVariantEarliestFirst() {
        var state = WriteQueueState()
        let old = response(1, variant: 1)
        let other = response(1, variant: 2)
        let new = response(1, variant: 1)
        for one in [old, other, new] {
            _ = state.put(one, isFreshen: false, replacesRow: false)
        }
        #expect(identities(state.pending(digest(1))) == identities([other, new]))
        #expect(state.pending(digest(2)).isEmpty)
    }

    @Test func aDeleteHidesItsVariantOnly() {
        var state = WriteQueueState()
        let one = response(1, variant: 1)
        let two = response(1, variant: 2)
        _ = state.put(one, isFreshen: false, replacesRow: false)
        _ = state.put(two, isFreshen: false, replacesRow: false)
        state.delete(entryName(1, variant: digest(5001)))
        #expect(identities(state.pending(digest(1))) == identities([two]))
        let again = response(1, variant: 1)
        _ = state.put(again, isFreshen: false, replacesRow: false)
        #expect(identities(state.pending(digest(1))) == identities([two, again]))
    }

    @Test func aPutHidesTheVariantsThatItTakesThePlaceOf() {
        var state = WriteQueueState()
        let (one, two) = (response(1, variant: 1), response(1, variant: 2))
        let plain = response(1)
        for put in [one, two, plain] { _ = state.put(put, isFreshen: false, replacesRow: false) }
        state.supersede(Supersession(by: plain.name) { $0.key == digest(5001) })
        #expect(identities(state.pending(digest(1))) == identities([two, plain]))
        func isDeleted(_ stored: StoredResponse) -> Bool {
            if case .deleted = state.overlay(of: stored.name, as: stored.entry) {
                true
            } else {
                false
            }
        }
        let row = response(1, variant: 1)
        #expect(isDeleted(row))
        #expect(!isDeleted(response(2, variant: 1)))
        let again = response(1, variant: 1)
        _ = state.put(again, isFreshen: false, replacesRow: false)
        #expect(identities(state.pending(digest(1))) == identities([two, plain, again]))
        _ = state.takeBatch()
        state.finishBatch()
        #expect(!isDeleted(row) && state.pending(digest(1)).isEmpty && state.isEmpty)
    }

    @Test func whatIsUnreadableIsDeletedOnce() {
        var state = WriteQueueState()
        let mark = RowMark.checksums(head: 1, body: 2)
        for _ in 0..<3 { state.delete(entryName(1, variant: nil), unreadable: mark) }
        #expect(state.takeBatch().count == 1)
        _ = state.failBatch()
        #expect(state.takeBatch().count == 1, "a deletion is tried again")
        state.finishBatch()
        state.delete(entryName(1, variant: nil), unreadable: mark)
        #expect(state.takeBatch().count == 1)
    }

    @Test func anInvalidationHidesWhatCameBefore() {
        var state = WriteQueueState()
        let other = response(2, uri: 2)
        _ = state.put(response(1, uri: 1), isFreshen: false, replacesRow: false)
        _ = state.put(other, isFreshen: false, replacesRow: false)
        state.invalidate(digest(1001), at: start)
        #expect(state.pending(digest(1)).isEmpty)
        #expect(identities(state.pending(digest(2))) == identities([other]))
        let after = response(1, uri: 1)
        _ = state.put(after, isFreshen: false, replacesRow: false)
        #expect(identities(state.pending(digest(1))) == identities([after]))
    }

    @Test func anOverlayTellsDeletedFromReplaced() {
        var state = WriteQueueState()
        func overlay(_ variant: Digest?) -> String {
            switch state.overlay(
                of: EntryName(uriKey: digest(1000), primaryKey: digest(1), variantKey: variant))
            {
            case .none: "none"
            case .deleted: "deleted"
            case .put: "put"
            }
        }
        #expect(overlay(nil) == "none")
        state.delete(entryName(1, variant: nil))
        #expect(overlay(nil) == "deleted")
        #expect(overlay(digest(5001)) == "none")
        _ = state.put(response(1), isFreshen: false, replacesRow: false)
        #expect(overlay(nil) == "put")
        state.invalidate(digest(1000), at: start)
        #expect(overlay(nil) == "deleted")
        #expect(overlay(digest(5001)) == "deleted")
        _ = state.takeBatch()
        #expect(overlay(nil) == "deleted", "until the commit has returned")
        state.finishBatch()
        #expect(overlay(nil) == "none")
    }

    /// Whatever happens, what is pending laid over the file is what applying all in order gives.
    @Test(arguments: 0..<40)
    func agreesWithTheSequentialTruth(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) &+ 1000)
        var model = QueueModel()
        for step in 0..<400 {
            model.step(&random)
            #expect(model.disagreements() == [], "seed \(seed), step \(step)")
            #expect(model.accountingError() == nil, "seed \(seed), step \(step)")
        }
    }
}
