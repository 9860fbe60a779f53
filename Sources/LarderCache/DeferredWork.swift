import Synchronization

/// Work that goes on after its cause was answered: a worker's `waitUntil`.
///
/// The host that made it drains it before it ends. Callable from any task.
public final class DeferredWork: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var nextID: UInt64 = 0
        var isClosed = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let limit: Int
    private let onError: @Sendable (any Error) -> Void

    /// - Parameters:
    ///   - limit: pieces of work at a time; more are not taken.
    ///   - onError: told what a piece of work throws, which concerns no other.
    public init(limit: Int = 4096, onError: @escaping @Sendable (any Error) -> Void = { _ in }) {
        self.limit = limit
        self.onError = onError
    }

    /// Pieces of work that are not done.
    public var count: Int { state.withLock { $0.tasks.count } }

    /// Begins a piece of work; the caller does not wait for it.
    ///
    /// - Returns: false, and nothing is begun, when there is too much of it already or the host has
    ///   drained it.
    @discardableResult
    public func waitUntil(_ work: @escaping @Sendable () async throws -> Void) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.tasks.count < limit else { return false }
            let id = state.nextID
            state.nextID += 1
            // Its end waits for the lock that is held here.
            state.tasks[id] = Task {
                do {
                    try await work()
                } catch {
                    onError(error)
                }
                end(id)
            }
            return true
        }
    }

    private func end(_ id: UInt64) {
        let waiting = state.withLock { state in
            state.tasks[id] = nil
            guard state.tasks.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Waits until all work is done, work that begins meanwhile included, then takes no more.
    ///
    /// What is not done after `timeout` is cancelled and waited for no longer.
    /// - Returns: how many pieces of work were cancelled.
    @discardableResult
    public func drain(timeout: Duration = .seconds(30)) async -> Int {
        let deadline = ContinuousClock.now + timeout
        let alarm = Task { [self] in
            // Cancelled when all is done before.
            if (try? await Task.sleep(until: deadline, clock: .continuous)) != nil { wake() }
        }
        defer { alarm.cancel() }
        while ContinuousClock.now < deadline {
            let isDone = state.withLock { state in
                // In one step: what is taken is waited for.
                if state.tasks.isEmpty { state.isClosed = true }
                return state.tasks.isEmpty
            }
            if isDone { return 0 }
            await withCheckedContinuation { continuation in
                let isIdle = state.withLock { state in
                    guard !state.tasks.isEmpty, ContinuousClock.now < deadline else { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isIdle { continuation.resume() }
            }
        }
        let rest = state.withLock { state in
            state.isClosed = true
            return Array(state.tasks.values)
        }
        for task in rest { task.cancel() }
        return rest.count
    }

    private func wake() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
