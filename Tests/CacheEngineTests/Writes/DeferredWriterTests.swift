import CacheKeys
import Logging
import Synchronization
import Testing

@testable import CacheEngine

@Suite struct DeferredWriterTests {
    private let store = FakeStore()
    private let queue = WriteQueue()
    private let counters = EngineCounters()
    private let generations = Generations()

    private func start(onNews: @escaping @Sendable (StoreNews) -> Void = { _ in }) -> DeferredWriter
    {
        let writer = DeferredWriter(
            queue: queue, store: store, counters: counters, pins: BodyPins(),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        writer.start(onNews: onNews, onTend: {})
        return writer
    }

    private func put(_ key: Int, replacesRow: Bool = false) {
        let outcome = queue.put(
            response(key), isFreshen: false, replacesRow: replacesRow, generations: generations,
            groups: GroupStamps())
        #expect(outcome == .queued)
    }

    @Test func writesWhatIsQueuedAndClosesTheStore() async {
        put(1)
        queue.delete(entryName(2, variant: nil))
        let writer = start()
        #expect(await writer.drain(timeout: .seconds(30)))
        #expect(store.commits.map { $0.map(\.summary) } == [["put 1", "delete 2"]])
        #expect(counters.committed.current == 2)
        #expect(counters.failedPuts.current == 0)
        #expect(store.state.withLock { $0.isClosed })
        #expect(queue.isEmpty)
    }

    @Test func aFailedCommitLosesPutsAndRepeatsDeletes() async throws {
        store.state.withLock { $0.commitErrors = [.full, .busy] }
        put(1)
        put(2, replacesRow: true)
        queue.delete(entryName(3, variant: nil))
        queue.invalidate(digest(4), at: 1, generations: generations)
        let writer = start()
        try await eventually("the deletes are written") { queue.isEmpty }
        put(5)
        #expect(await writer.drain(timeout: .seconds(30)))
        #expect(counters.failedPuts.current == 2)
        #expect(counters.committed.current == 4)
        let expected = [["delete 2", "delete 3", "invalidate 4"], ["put 5"]]
        #expect(store.commits.map { $0.map(\.summary) } == expected)
        #expect(store.state.withLock { $0.tried.count } == 4)
    }

    @Test func aReplacedFileDropsTheBatchAndIsNews() async throws {
        let news = Mutex(0)
        store.state.withLock { $0.commitErrors = [.replaced] }
        put(1, replacesRow: true)
        queue.delete(entryName(2, variant: nil))
        let writer = start { if $0.foreignCommit { news.withLock { $0 += 1 } } }
        try await eventually("the batch is dropped") { queue.isEmpty }
        #expect(await writer.drain(timeout: .seconds(30)))
        #expect(store.commits.isEmpty)
        #expect(news.withLock { $0 } == 1)
    }

    @Test func aStuckWriterDoesNotHoldTheDrainForever() async {
        store.hold()
        put(1)
        let writer = start()
        #expect(await !writer.drain(timeout: .milliseconds(50)))
        store.release()
        #expect(await writer.drain(timeout: .seconds(30)))
        #expect(store.commits.count == 1)
    }

    @Test func foreignCommitsAreNews() async throws {
        let news = Mutex(0)
        store.state.withLock { $0.news = StoreNews(foreignCommit: true) }
        let writer = start { if $0.foreignCommit { news.withLock { $0 += 1 } } }
        try await eventually("the news arrive") { news.withLock { $0 } == 1 }
        #expect(await writer.drain(timeout: .seconds(30)))
    }
}
