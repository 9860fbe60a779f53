import Dispatch
import Synchronization

/// What the one writer thread calls.
extension WriteQueue {
    private enum Step { case commit([Mutation]), finished, sleep, linger }

    /// Waits for work, at most `timeoutMilliseconds` while there is none; lets a batch linger for
    /// company.
    ///
    /// Blocks: writer thread only.
    func nextBatch(timeoutMilliseconds: Int) -> Work {
        while true {
            switch state.withLock({ Self.nextStep(&$0) }) {
            case .commit(let batch): return .commit(batch)
            case .finished: return .finished
            case .sleep:
                if !waitForSignal(milliseconds: timeoutMilliseconds) { return .idle }
            case .linger:
                _ = waitForSignal(milliseconds: Self.lingerMilliseconds)
                return .commit(state.withLock { $0.queue.takeBatch() })
            }
        }
    }

    private static func nextStep(_ state: inout State) -> Step {
        if state.queue.waiting.isEmpty {
            guard !state.queue.isClosed else {
                state.hasEnded = true
                return .finished
            }
            state.writer = .sleeping
            return .sleep
        }
        if state.queue.isBatchFull || state.queue.isClosed || state.isUrgent {
            return .commit(state.queue.takeBatch())
        }
        state.writer = .lingering
        return .linger
    }

    /// Sleeps until signalled (`true`) or until the time is over.
    private func waitForSignal(milliseconds: Int) -> Bool {
        if wake.wait(timeout: .now() + .milliseconds(milliseconds)) == .success { return true }
        let wasSignalledMeanwhile = state.withLock { state -> Bool in
            defer { state.writer = .running }
            return state.writer == .running
        }
        // The signal was decided while the wait ran out: take it, or the next wait ends at once.
        if wasSignalledMeanwhile { wake.wait() }
        return wasSignalledMeanwhile
    }

    func finishBatch() {
        for chunk in endBatch({ $0.finishBatch() }) { chunk.done(true) }
    }

    /// Returns how many puts were lost.
    func failBatch() -> Int {
        let lost = endBatch(losesPuts: true) { $0.failBatch() }
        for chunk in lost.chunks { chunk.done(false) }
        return lost.puts
    }

    func dropBatch() {
        for chunk in endBatch(losesPuts: true, { $0.dropBatch() }) { chunk.done(false) }
    }

    private func endBatch<Result>(
        losesPuts: Bool = false, _ change: (inout WriteQueueState) -> Result
    ) -> Result {
        let (result, flushed) = state.withLock { state in
            state.finishedBatches &+= 1
            if losesPuts, let lost = state.queue.firstPutOfBatch {
                for index in state.flushes.indices where state.flushes[index].sequence >= lost {
                    state.flushes[index].hasLost = state.flushes[index].countsLosses
                }
            }
            let result = change(&state.queue)
            held.set(state.queue.putBytes)
            return (result, Self.takeFlushed(&state))
        }
        for flush in flushed { flush.done(!flush.hasLost) }
        return result
    }

    private static func takeFlushed(_ state: inout State) -> [Flush] {
        guard !state.flushes.isEmpty else { return [] }
        let queue = state.queue
        let flushed = state.flushes.filter { queue.isOver($0.sequence) }
        state.flushes.removeAll { queue.isOver($0.sequence) }
        state.isUrgent = !state.flushes.isEmpty
        return flushed
    }
}
