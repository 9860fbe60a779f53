import CacheEngine
import HTTPTypes
import NIOCore
import Testing

/// Notes what an exchange says; readable from everywhere.
final class Recorder: OriginReceiver, Sendable {
    struct State: Sendable {
        var informational: [Int] = []
        var head: HTTPResponse?
        var framing: OriginFraming?
        var body: [UInt8] = []
        var bodyBytes = 0
        var trailers: [String] = []
        var ends = 0
        var errors: [OriginError] = []
        var writable = 0
        /// Calls that came while `start` was running.
        var early = 0
        var isStarted = false
    }

    private let state = Arc(State())
    private let keepsBody: Bool
    private let onHead: (@Sendable () -> Void)?

    init(keepsBody: Bool = true, onHead: (@Sendable () -> Void)? = nil) {
        self.keepsBody = keepsBody
        self.onHead = onHead
    }

    var seen: State { state.withLock { $0 } }
    var body: String { String(decoding: seen.body, as: UTF8.self) }

    func started() { state.withLock { $0.isStarted = true } }

    private func note(_ change: (inout State) -> Void) {
        state.withLock {
            if !$0.isStarted { $0.early += 1 }
            change(&$0)
        }
    }

    func originInformational(_ head: HTTPResponse) {
        note { $0.informational.append(head.status.code) }
    }

    func originHead(_ head: HTTPResponse, framing: OriginFraming) {
        note {
            $0.head = head
            $0.framing = framing
        }
        onHead?()
    }

    func originBody(_ part: ByteBuffer) {
        note {
            $0.bodyBytes += part.readableBytes
            if keepsBody { $0.body += Array(part.readableBytesView) }
        }
    }

    func originTrailers(_ trailers: HTTPFields) {
        note { $0.trailers += trailers.map { "\($0.name.rawName): \($0.value)" } }
    }

    func originEnd() { note { $0.ends += 1 } }
    func originFailed(_ error: OriginError) { note { $0.errors.append(error) } }
    func originWritabilityChanged(_ isWritable: Bool) {
        note { if isWritable { $0.writable += 1 } }
    }

    /// Waits for the end or the failure.
    @discardableResult
    func over(sourceLocation: SourceLocation = #_sourceLocation) async -> State {
        await eventually(sourceLocation: sourceLocation) {
            self.seen.ends + self.seen.errors.count > 0
        }
        return seen
    }
}

/// Waits for a condition, with a deadline that only a defect reaches.
func eventually(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async rethrows {
    let deadline = ContinuousClock.now.advanced(by: .seconds(300))
    while try await !condition() {
        if ContinuousClock.now > deadline {
            Issue.record("the condition never came true", sourceLocation: sourceLocation)
            return
        }
        try? await Task.sleep(for: .milliseconds(1))
    }
}
