import Logging
import Synchronization
import Testing

@testable import CacheEngine

@Suite struct OriginFailureLogTests {
    /// Keeps what is logged.
    private final class Lines: Sendable {
        let metadata = Mutex<[Logger.Metadata]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.metadata.withLock { $0.append(event.metadata ?? [:]) }
        }
    }

    @Test func onceASecondWithTheNumberOfTheOthers() {
        let lines = Lines()
        let logger = Logger(label: "test") { _ in Handler(lines: lines) }
        let log = OriginFailureLog()
        for _ in 0..<5 { log.note(.closed, now: 100, logger: logger) }
        log.note(.firstByteTimeout, now: 101, logger: logger)
        let seen = lines.metadata.withLock { $0 }
        #expect(seen.map { $0["not-logged-before"] } == ["0", "4"])
        #expect(seen.map { $0["error"] } == ["closed", "firstByteTimeout"])
    }
}
