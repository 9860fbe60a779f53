import NIOPosix
import Synchronization
import Testing

/// Runs each test on threads of its own, a few tests at a time.
///
/// The tests block in sockets and in waiting for processes. On the shared pool, which has one
/// thread for each core, they would keep every other suite waiting.
struct DrivesProcesses: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await TestPlaces.shared.enter()
        do {
            try await withTaskExecutorPreference(BlockingExecutor.shared) {
                try await function()
            }
        } catch {
            await TestPlaces.shared.leave()
            throw error
        }
        await TestPlaces.shared.leave()
    }
}

extension Trait where Self == DrivesProcesses {
    static var drivesProcesses: Self { DrivesProcesses() }
}

/// How many of these tests run at once: each has a server process, some have load.
private actor TestPlaces {
    static let shared = TestPlaces()

    private var free = 4
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}

private final class BlockingExecutor: TaskExecutor {
    static let shared = BlockingExecutor()

    private let threads = NIOThreadPool(numberOfThreads: 96)

    init() {
        threads.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        threads.submit { _ in job.runSynchronously(on: executor) }
    }
}
