import Dispatch
import Synchronization

/// Lets one thread wait for another, once.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    private let semaphore = DispatchSemaphore(value: 0)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() {
        value.store(true, ordering: .releasing)
        semaphore.signal()
    }

    func wait() { semaphore.wait() }
}
