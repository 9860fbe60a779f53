import CacheKeys
import HTTPCaching
import Synchronization

/// What is known in memory about which keys the file holds.
///
/// Nothing at first: every durable lookup reads the file. After the keys have been read once, in
/// pages and behind the traffic, a miss that the filter is sure of goes straight to the origin.
/// Callable from any thread.
final class StoredKeys: Sendable {
    private enum Phase {
        case unknown
        case loading(KeyFilter)
        case known(KeyFilter)
    }

    private struct State {
        var phase = Phase.unknown
        var lastLoad: EpochSeconds = .min
    }

    /// What a durable lookup could find.
    enum Expectation: Equatable {
        /// Perhaps the response: the file must be read.
        case response
        /// Not the response, but others of its URI.
        case uri
        case nothing
    }

    private let state = Mutex(State())
    /// Foreign commits and overflow make the filter useless; it is not made anew more often.
    private static let secondsBetweenLoads: Int64 = 30

    func expectation(of primaryKey: CacheKey, uri: URIKey) -> Expectation {
        guard case .known(let filter) = state.withLock({ $0.phase }) else { return .response }
        if filter.mayContain(primaryKey) { return .response }
        return filter.mayContain(uri) ? .uri : .nothing
    }

    /// A put was queued: it is in the file, or will be.
    func add(_ name: EntryName) {
        guard let filter = current else { return }
        filter.insert(name.primaryKey)
        filter.insert(name.uriKey)
        if filter.isFull { forget() }
    }

    /// The file may hold keys that were not added.
    func forget() {
        state.withLock { $0.phase = .unknown }
    }

    /// Begins to load if nothing is known and the last time is long enough ago.
    func beginIfDue(now: EpochSeconds) -> Bool {
        state.withLock { state in
            guard case .unknown = state.phase,
                state.lastLoad == .min || now - state.lastLoad >= Self.secondsBetweenLoads
            else { return false }
            state.lastLoad = now
            return true
        }
    }

    /// From here on puts are added to the filter that is being filled.
    func begin(capacity: Int) -> KeyFilter {
        let filter = KeyFilter(capacity: capacity)
        state.withLock { $0.phase = .loading(filter) }
        return filter
    }

    /// Every key that the file held when loading began is in the filter.
    func finish(_ filter: KeyFilter) {
        state.withLock { state in
            // Forgotten meanwhile: what was read does not count any more.
            guard case .loading(let current) = state.phase, current === filter else { return }
            state.phase = .known(filter)
        }
    }

    func isLoading(_ filter: KeyFilter) -> Bool {
        if case .loading(let current) = state.withLock({ $0.phase }) { return current === filter }
        return false
    }

    private var current: KeyFilter? {
        switch state.withLock({ $0.phase }) {
        case .unknown: nil
        case .loading(let filter), .known(let filter): filter
        }
    }
}
