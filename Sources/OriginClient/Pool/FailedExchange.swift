import CacheEngine
import NIOCore

/// An exchange that failed before it began; says so once `start` has returned.
final class FailedExchange: OriginExchange {
    private var receiver: (any OriginReceiver)?

    init(_ error: OriginError, loop: any EventLoop, receiver: any OriginReceiver) {
        self.receiver = receiver
        loop.assumeIsolated().execute {
            let receiver = self.receiver
            self.receiver = nil
            receiver?.originFailed(error)
        }
    }

    var isSecondAttempt: Bool { false }

    func write(_ part: ByteBuffer) -> Bool { true }
    func finishBody() {}
    func pauseReading() {}
    func resumeReading() {}

    func cancel() {
        receiver = nil
    }
}

@available(*, unavailable)
extension FailedExchange: Sendable {}
