import Dispatch
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The one writer thread: takes batches from the queue and commits them; looks after the file
/// between batches and each second.
final class DeferredWriter: Sendable {
    private let queue: WriteQueue
    private let store: any EntryStore
    private let counters: EngineCounters
    private let pins: BodyPins
    private let logger: Logger
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let isFinished = Mutex(false)
    /// Never signalled: a pause of the writer thread, which may block.
    private let pause = DispatchSemaphore(value: 0)
    private static let tendIntervalMilliseconds = 1000
    private static let retryPauseMilliseconds = 100
    /// While the store has work of its own.
    private static let busyIntervalMilliseconds = 2

    init(
        queue: WriteQueue, store: any EntryStore, counters: EngineCounters, pins: BodyPins,
        logger: Logger
    ) {
        self.queue = queue
        self.store = store
        self.counters = counters
        self.pins = pins
        self.logger = logger
    }

    /// - Parameters:
    ///   - onNews: called on the writer thread when the file changed under us.
    ///   - onTend: called on the writer thread about once a second.
    func start(
        onNews: @escaping @Sendable (StoreNews) -> Void, onTend: @escaping @Sendable () -> Void
    ) {
        thread.start()
        thread.submit { [self] state in
            if case .active = state { run(onNews: onNews, onTend: onTend) }
            isFinished.withLock { $0 = true }
        }
    }

    /// Closes the queue and waits until what it holds is written and the store is closed.
    ///
    /// - Returns: `false` when that took longer than `timeout`.
    func drain(timeout: Duration) async -> Bool {
        queue.close()
        let deadline = ContinuousClock.now + timeout
        while !isFinished.withLock({ $0 }) {
            guard ContinuousClock.now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
        try? await thread.shutdownGracefully()
        return true
    }

    private func run(onNews: (StoreNews) -> Void, onTend: () -> Void) {
        var lastTended = ContinuousClock.now
        var isBusy = false
        loop: while true {
            let wait = isBusy ? Self.busyIntervalMilliseconds : Self.tendIntervalMilliseconds
            switch queue.nextBatch(timeoutMilliseconds: wait) {
            case .commit(let batch):
                commit(batch, onNews: onNews)
                let isDue =
                    ContinuousClock.now - lastTended
                    >= .milliseconds(Self.tendIntervalMilliseconds)
                guard isBusy || isDue else { continue }
                isBusy = tend(isIdle: false, onNews: onNews)
                if !isDue { continue }
            case .idle:
                isBusy = tend(isIdle: true, onNews: onNews)
            case .finished:
                break loop
            }
            lastTended = .now
            onTend()
        }
        do {
            try store.close()
        } catch {
            logger.error("closing the store failed", metadata: ["error": "\(error)"])
        }
    }

    private func commit(_ batch: [Mutation], onNews: (StoreNews) -> Void) {
        do {
            try store.commit(batch)
            queue.finishBatch()
            counters.committed.add(batch.count)
        } catch .replaced {
            queue.dropBatch()
            onNews(StoreNews(foreignCommit: true))
        } catch {
            let lost = queue.failBatch()
            counters.failedPuts.add(lost)
            logger.error(
                "commit failed; its puts are dropped, its deletes will be tried again",
                metadata: ["error": "\(error)", "puts": "\(lost)"])
            // Deletes are never shed: without a pause a lasting failure would spin.
            _ = tend(isIdle: true, onNews: onNews)
            sleepBeforeRetry()
        }
    }

    /// Returns whether the store has more work of its own.
    private func tend(isIdle: Bool, onNews: (StoreNews) -> Void) -> Bool {
        do {
            let news = try store.tend(isIdle: isIdle, pins: pins)
            if news.foreignCommit { onNews(news) }
            counters.evicted.add(news.evicted)
            return news.hasMoreWork
        } catch .replaced {
            onNews(StoreNews(foreignCommit: true))
        } catch {
            logger.warning("looking after the file failed", metadata: ["error": "\(error)"])
        }
        return false
    }

    private func sleepBeforeRetry() {
        _ = pause.wait(timeout: .now() + .milliseconds(Self.retryPauseMilliseconds))
    }
}
