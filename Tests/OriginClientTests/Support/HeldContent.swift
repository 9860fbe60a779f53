import CacheEngine
import NIOCore

/// Spooled content in memory that counts its reads, may be slow, held and may fail.
final class HeldContent: SpooledContent {
    private let bytes: [UInt8]
    private let delay: TimeAmount
    private let failsAt: Int64
    private let state: Arc<State>

    private struct State {
        var reads = 0
        var bytes = 0
        /// The first read from here on gets no answer.
        var lostAt: Int64
    }

    /// Content of so many bytes that differ.
    init(
        count: Int, delay: TimeAmount = .zero, failsAt: Int64 = .max, lostAt: Int64 = .max
    ) {
        bytes = Self.pattern(count)
        self.delay = delay
        self.failsAt = failsAt
        state = Arc(State(lostAt: lostAt))
    }

    static func pattern(_ count: Int) -> [UInt8] {
        // Of a length that no part has: what is sent twice or left out shows.
        let block = (0..<65_537).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count { bytes += block }
        return Array(bytes[..<count])
    }

    var length: Int64 { Int64(bytes.count) }
    var reads: Int { state.withLock { $0.reads } }
    var bytesRead: Int { state.withLock { $0.bytes } }

    func read(
        at offset: Int64, count: Int, on loop: any EventLoop,
        done: @escaping @Sendable (ByteBuffer?) -> Void
    ) {
        let start = Int(offset)
        let end = min(bytes.count, start + count)
        let part = ByteBuffer(bytes: bytes[start..<end])
        let isLost = state.withLock { state in
            state.reads += 1
            state.bytes += end - start
            defer { if offset >= state.lostAt { state.lostAt = .max } }
            return offset >= state.lostAt
        }
        if isLost { return }
        let fails = offset >= failsAt
        loop.scheduleTask(in: delay) { done(fails ? nil : part) }
    }
}
