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

    /// - Parameter onNews: called on the writer thread when the file changed under us.
    func start(onNews: @escaping @Sendable (StoreNews) -> Void) {
        thread.start()
        thread.submit { [self] state in
            if case .active = state { run(onNews: onNews) }
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

    private func run(onNews: (StoreNews) -> Void) {
        var lastTended = ContinuousClock.now
        loop: while true {
            switch queue.nextBatch(timeoutMilliseconds: Self.tendIntervalMilliseconds) {
            case .commit(let batch):
                commit(batch, onNews: onNews)
                if ContinuousClock.now - lastTended < .milliseconds(Self.tendIntervalMilliseconds) {
                    continue
                }
                tend(isIdle: false, onNews: onNews)
            case .idle:
                tend(isIdle: true, onNews: onNews)
            case .finished:
                break loop
            }
            lastTended = .now
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
            tend(isIdle: true, onNews: onNews)
            sleepBeforeRetry()
        }
    }

    private func tend(isIdle: Bool, onNews: (StoreNews) -> Void) {
        do {
            let news = try store.tend(isIdle: isIdle, pins: pins)
            if news.foreignCommit { onNews(news) }
        } catch .replaced {
            onNews(StoreNews(foreignCommit: true))
        } catch {
            logger.warning("looking after the file failed", metadata: ["error": "\(error)"])
        }
    }

    private func sleepBeforeRetry() {
        _ = pause.wait(timeout: .now() + .milliseconds(Self.retryPauseMilliseconds))
    }
}
