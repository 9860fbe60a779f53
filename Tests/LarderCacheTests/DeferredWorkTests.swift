import CacheTestKit
import LarderCache
import Synchronization
import Testing

@Suite("DeferredWork: a worker's waitUntil")
struct DeferredWorkTests {
    private struct Failure: Error {}

    @Test func drainingWaitsForAll() async {
        let work = DeferredWork()
        let done = Atomic<Int>(0)
        for _ in 0..<100 {
            let isTaken = work.waitUntil {
                try await Task.sleep(for: .milliseconds(5))
                done.wrappingAdd(1, ordering: .relaxed)
            }
            #expect(isTaken)
        }
        #expect(await work.drain(timeout: .seconds(600)) == 0)
        let doneValue = done.load(ordering: .relaxed)
        #expect(doneValue == 100)
        #expect(work.count == 0)
    }

    @Test func nothingToDoIsDrainedAtOnce() async {
        let work = DeferredWork()
        #expect(await work.drain(timeout: .seconds(600)) == 0)
        #expect(await work.drain(timeout: .seconds(600)) == 0)
    }

    @Test func oneFailureConcernsNoOther() async {
        let errors = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let work = DeferredWork { _ in errors.wrappingAdd(1, ordering: .relaxed) }
        work.waitUntil { throw Failure() }
        work.waitUntil { done.wrappingAdd(1, ordering: .relaxed) }
        work.waitUntil { throw Failure() }
        #expect(await work.drain(timeout: .seconds(600)) == 0)
        let errorsValue = errors.load(ordering: .relaxed)
        #expect(errorsValue == 2)
        let doneValue = done.load(ordering: .relaxed)
        #expect(doneValue == 1)
    }

    @Test func workOfWorkIsWaitedFor() async {
        let work = DeferredWork()
        let done = Atomic<Bool>(false)
        work.waitUntil {
            work.waitUntil {
                try await Task.sleep(for: .milliseconds(20))
                done.store(true, ordering: .relaxed)
            }
        }
        #expect(await work.drain(timeout: .seconds(600)) == 0)
        let doneValue = done.load(ordering: .relaxed)
        #expect(doneValue)
    }

    @Test func whatTakesTooLongIsCancelled() async throws {
        let work = DeferredWork()
        let wasCancelled = Atomic<Bool>(false)
        work.waitUntil {
            do {
                try await Task.sleep(for: .seconds(3600))
            } catch {
                wasCancelled.store(true, ordering: .relaxed)
            }
        }
        #expect(await work.drain(timeout: .milliseconds(20)) == 1)
        try await eventually("the cancellation arrives") {
            wasCancelled.load(ordering: .relaxed)
        }
        #expect(!work.waitUntil {})
    }

    @Test func moreThanTheLimitIsNotTaken() async {
        let work = DeferredWork(limit: 1)
        let (stream, end) = AsyncStream<Void>.makeStream()
        #expect(work.waitUntil { for await _ in stream {} })
        #expect(!work.waitUntil {})
        end.finish()
        #expect(await work.drain(timeout: .seconds(600)) == 0)
    }
}
