import HTTPCaching
import Logging
import Synchronization

/// Says that the origin fails, once a second at most: an origin that is down must not fill the disk
/// with lines about it.
///
/// Callable from any thread.
final class OriginFailureLog: Sendable {
    private struct State {
        var lastLine: EpochSeconds = .min
        var silent = 0
    }

    private let state = Mutex(State())

    func note(_ error: OriginError, now: EpochSeconds, logger: Logger) {
        let silent = state.withLock { state -> Int? in
            guard now != state.lastLine else {
                state.silent += 1
                return nil
            }
            state.lastLine = now
            defer { state.silent = 0 }
            return state.silent
        }
        guard let silent else { return }
        logger.warning(
            "the origin failed",
            metadata: ["error": "\(error)", "not-logged-before": "\(silent)"])
    }
}
