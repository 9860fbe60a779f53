import CacheKeys
import Dispatch
import Synchronization
import Testing

@testable import CacheEngine

/// A writer thread that writes down what it is given.
private final class Writer: Sendable {
    let queue: WriteQueue
    let written = Mutex<[String]>([])
    let batches = Mutex<[Int]>([])
    let isFinished = Atomic<Bool>(false)

    init(_ queue: WriteQueue) { self.queue = queue }

    func start() {
        DispatchQueue(label: "writer").async { [self] in
            while true {
                // So long that a wake-up that was lost is a test that fails.
                switch queue.nextBatch(timeoutMilliseconds: 600_000) {
                case .commit(let batch):
                    written.withLock { $0 += batch.map(\.summary) }
                    batches.withLock { $0.append(batch.count) }
                    queue.finishBatch()
                case .idle: continue
                case .finished:
                    isFinished.store(true, ordering: .releasing)
                    return
                }
            }
        }
    }

    var hasFinished: Bool { isFinished.load(ordering: .acquiring) }
}

@Suite struct WriteQueueTests {
    private let generations = Generations()

    private func put(_ queue: WriteQueue, _ key: Int) -> PutOutcome {
        queue.put(response(key), isFreshen: false, replacesRow: false, generations: generations)
    }

    @Test func aPutOfAnOlderGenerationIsNotQueued() {
        let queue = WriteQueue()
        generations.bump(digest(1000))
        #expect(put(queue, 1) == .outdated)
        #expect(queue.isEmpty)
        let now = response(1, generation: 1)
        #expect(
            queue.put(now, isFreshen: false, replacesRow: false, generations: generations)
                == .queued)
        #expect(queue.depth.entries == 1)
        #expect(queue.depth.bytes == now.cost)
    }

    @Test func anInvalidationBumpsTheGeneration() {
        let queue = WriteQueue()
        #expect(put(queue, 1) == .queued)
        queue.invalidate(digest(1000), at: start, generations: generations)
        #expect(generations.current(of: digest(1000)) == 1)
        #expect(queue.pending(digest(1)).isEmpty)
        #expect(put(queue, 1) == .outdated)
    }

    @Test func nothingToDoIsIdle() {
        let queue = WriteQueue()
        guard case .idle = queue.nextBatch(timeoutMilliseconds: 1) else {
            Issue.record("there was nothing")
            return
        }
    }

    @Test func aBatchLingersForCompany() {
        let queue = WriteQueue()
        _ = put(queue, 1)
        let before = ContinuousClock.now
        guard case .commit(let batch) = queue.nextBatch(timeoutMilliseconds: 600_000) else {
            Issue.record("no batch")
            return
        }
        #expect(batch.count == 1)
        #expect(ContinuousClock.now - before >= .milliseconds(14))
    }

    @Test func aFullBatchAndAClosedQueueDoNotLinger() {
        let queue = WriteQueue()
        for key in 0..<300 { _ = put(queue, key) }
        queue.close()
        var sizes: [Int] = []
        while case .commit(let batch) = queue.nextBatch(timeoutMilliseconds: 600_000) {
            sizes.append(batch.count)
            queue.finishBatch()
        }
        #expect(sizes == [256, 44])
        #expect(put(queue, 1) == .closed)
    }

    @Test func closingWakesASleepingWriter() async throws {
        let writer = Writer(WriteQueue())
        writer.start()
        writer.queue.close()
        try await eventually("the writer ends") { writer.hasFinished }
        #expect(writer.written.withLock { $0 } == [])
    }

    @Test func everyPutWakesTheWriter() async throws {
        let writer = Writer(WriteQueue())
        writer.start()
        for key in 0..<100 {
            #expect(put(writer.queue, key) == .queued)
            try await eventually("put \(key) is written") { writer.queue.isEmpty }
        }
        writer.queue.close()
        try await eventually("the writer ends") { writer.hasFinished }
        #expect(writer.written.withLock { $0 } == (0..<100).map { "put \($0)" })
    }

    @Test func manyProducersLoseNothingAndKeepTheirOrder() async throws {
        let writer = Writer(WriteQueue(limits: .init(entries: 1_000_000, bytes: 4 << 30)))
        writer.start()
        let generations = generations
        let producers = 8
        let each = 1500
        await withTaskGroup { group in
            for producer in 0..<producers {
                group.addTask {
                    for number in 0..<each {
                        let key = producer * 10_000 + number
                        if number.isMultiple(of: 3) {
                            writer.queue.delete(entryName(key, variant: nil))
                        } else {
                            _ = writer.queue.put(
                                response(key, bytes: 10), isFreshen: false, replacesRow: false,
                                generations: generations)
                        }
                        if number.isMultiple(of: 97) { await Task.yield() }
                    }
                }
            }
        }
        try await eventually("all is written without the end") { writer.queue.isEmpty }
        writer.queue.close()
        try await eventually("the writer ends") { writer.hasFinished }
        let written = writer.written.withLock { $0 }
        #expect(written.count == producers * each)
        for producer in 0..<producers {
            let own = written.compactMap { Int($0.split(separator: " ")[1]) }
                .filter { $0 / 10_000 == producer }
            #expect(own == (0..<each).map { producer * 10_000 + $0 })
        }
        #expect(writer.batches.withLock { $0.max() ?? 0 } <= 256)
    }
}
