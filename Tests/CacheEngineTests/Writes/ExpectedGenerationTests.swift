import CacheKeys
import Testing

@testable import CacheEngine

/// Changes that are made only if no invalidation was faster.
@Suite struct ExpectedGenerationTests {
    private let queue = WriteQueue()
    private let generations = Generations()
    private let uri = digest(1000)

    /// The three changes, each of what `response(_:)` names.
    enum Change: CaseIterable, Sendable { case delete, invalidate, outdate }

    private func change(_ change: Change, expected: UInt64) -> Bool {
        switch change {
        case .delete:
            queue.delete(
                entryName(1, variant: nil), expected: expected, generations: generations)
        case .invalidate:
            queue.invalidate(uri, at: start, expected: expected, generations: generations)
        case .outdate: queue.outdate(uri, expected: expected, generations: generations)
        }
    }

    private func put(_ key: Int, uri: Int = 0, generation: UInt64 = 0) -> PutOutcome {
        queue.put(
            response(key, uri: uri, generation: generation), isFreshen: false, replacesRow: false,
            generations: generations, groups: GroupStamps())
    }

    /// Everything that is queued.
    private func takeAll() -> [String] {
        queue.close()
        var all: [String] = []
        while case .commit(let batch) = queue.nextBatch(timeoutMilliseconds: 10_000) {
            all += batch.map(\.summary)
            queue.finishBatch()
        }
        return all
    }

    private func queued(by change: Change) -> [String] {
        switch change {
        case .delete: ["delete 1"]
        case .invalidate: ["invalidate 1000"]
        case .outdate: []
        }
    }

    @Test(arguments: Change.allCases) func asExpected(_ change: Change) {
        #expect(self.change(change, expected: 0))
        #expect(generations.current(of: uri) == 1)
        // What was on its way in is older than the change.
        #expect(put(1) == .outdated)
        #expect(put(2) == .outdated, "another key of the same URL")
        #expect(put(1, generation: 1) == .queued)
        #expect(put(3, uri: 1) == .queued, "another URL")
        #expect(takeAll() == queued(by: change) + ["put 1", "put 3"])
    }

    @Test(arguments: Change.allCases, Change.allCases)
    func whoComesSecondIsRefused(_ first: Change, _ second: Change) {
        #expect(change(first, expected: 0))
        #expect(!change(second, expected: 0))
        #expect(generations.current(of: uri) == 1, "what is refused outdates nothing")
        #expect(put(1, generation: 1) == .queued)
        #expect(takeAll() == queued(by: first) + ["put 1"])
    }

    @Test(arguments: Change.allCases) func anInvalidationSinceRefuses(_ change: Change) {
        queue.invalidate(uri, at: start, generations: generations)
        #expect(!self.change(change, expected: 0))
        #expect(!self.change(change, expected: 2))
        #expect(self.change(change, expected: 1))
        let expected = change == .invalidate ? [] : queued(by: change)
        #expect(takeAll() == ["invalidate 1000"] + expected, "equal ones that wait are one")
    }

    @Test(arguments: Change.allCases) func otherURLsDoNotMatter(_ change: Change) {
        queue.invalidate(digest(1001), at: start, generations: generations)
        #expect(self.change(change, expected: 0))
        #expect(takeAll() == ["invalidate 1001"] + queued(by: change))
    }

    /// A put that is queued already is nothing that is on its way in.
    @Test(arguments: Change.allCases) func whatIsQueuedAlready(_ change: Change) {
        #expect(put(1) == .queued)
        #expect(self.change(change, expected: 0))
        #expect(queue.pending(digest(1)).count == (change == .outdate ? 1 : 0))
        #expect(takeAll() == ["put 1"] + queued(by: change))
    }

    @Test(arguments: Change.allCases) func aClosedQueueStillDeletes(_ change: Change) {
        queue.close()
        #expect(self.change(change, expected: 0))
        #expect(takeAll() == queued(by: change))
    }

    @Test func ofManyAtOnceOneIsFirst() async {
        for round in UInt64(0)..<50 {
            let done = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        change(Change.allCases[index % 3], expected: round)
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(done == 1)
            #expect(generations.current(of: uri) == round + 1)
        }
    }
}
