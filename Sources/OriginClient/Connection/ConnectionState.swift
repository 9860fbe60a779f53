import CacheEngine
import HTTPCaching

/// What the owner of a connection does next.
enum ConnectionAction: Equatable {
    case nothing
    /// Hand the event on: bytes to the decoder, parts to the receiver, a part to the origin.
    case pass
    /// Hand the final head on.
    case respond(OriginFraming)
    /// The answer is complete; the connection stays until the read that brought it is over.
    case finish
    /// The answer is complete; close.
    case finishAndClose
    /// Back to the pool.
    case release
    /// Close; nobody is told.
    case close
    /// Close and tell the receiver.
    case fail(OriginError)
    /// Close and send the request once more on a fresh connection.
    case retry
}

/// One connection to the origin: events in, action out.
///
/// Knows no channel and no clock.
struct ConnectionState: Equatable {
    enum Phase: Equatable {
        /// TCP or TLS is being set up.
        case opening
        /// In the pool.
        case idle
        /// A request is on its way or its answer is.
        case active
        /// The answer is complete, but the read that brought it may hold more.
        case draining
        case closed
    }

    /// What a request's state starts from.
    struct Request: Equatable {
        var isHead = false
        /// May be sent again: safe or declared so, and its body is at hand.
        var isRetryable = false
        /// Whether the body arrives in parts.
        var isStreamed = false
        /// Bytes of a streamed body still to come; `nil` where no length was promised.
        var remaining: Int64?
    }

    private(set) var phase = Phase.opening
    private(set) var isReused = false
    /// The request that is on its way; meaningless outside `active`.
    private(set) var request = Request()
    private(set) var isRequestComplete = false
    /// Bytes of the request may still be in our own buffers.
    private(set) var hasUnsentBytes = false
    private(set) var framing: OriginFraming?
    var isPaused = false
    var isWritable = true

    private let maxHeadBytes: Int
    /// The request is being written: nothing can answer it yet.
    private var isStarting = false
    private var hasSeenBytes = false
    /// No byte has come since the request or the last informational head.
    private var awaitsFirstByte = false
    private var keepsAlive = false
    private var informationalCount = 0
    private var bytesRead: Int64 = 0
    private var bodyBytes: Int64 = 0
    /// Sweeps since something last happened.
    private var quietTicks = 0

    init(maxHeadBytes: Int = 65_536) {
        self.maxHeadBytes = maxHeadBytes
    }

    // MARK: Life

    mutating func opened() {
        guard phase == .opening else { return }
        phase = .idle
        quietTicks = 0
    }

    /// A request is about to be written; `false` where the connection is not to be had.
    mutating func start(_ request: Request) -> Bool {
        guard phase == .idle else { return false }
        phase = .active
        self.request = request
        isRequestComplete = !request.isStreamed
        isStarting = true
        hasSeenBytes = false
        hasUnsentBytes = false
        awaitsFirstByte = true
        framing = nil
        keepsAlive = false
        informationalCount = 0
        bytesRead = 0
        bodyBytes = 0
        quietTicks = 0
        isPaused = false
        return true
    }

    /// The request, or as much of it as is here, has been written.
    mutating func started() {
        isStarting = false
    }

    /// The connection ended or broke.
    mutating func broke(_ error: OriginError) -> ConnectionAction {
        let broken = phase
        if broken == .closed { return .nothing }
        phase = .closed
        guard broken == .active else { return .close }
        // RFC 9110 §9.2.2: only where nothing tells that the origin took the request up.
        let isSilent = isReused && !hasSeenBytes
        return isSilent && request.isRetryable && error == .closed ? .retry : .fail(error)
    }

    /// The receiver gave up, or the pool does.
    mutating func cancelled() -> ConnectionAction {
        if phase == .closed { return .nothing }
        phase = .closed
        return .close
    }

    private mutating func fail(_ error: OriginError) -> ConnectionAction {
        phase = .closed
        return .fail(error)
    }
}

// MARK: - The answer

extension ConnectionState {
    /// Bytes from the socket, before the decoder.
    mutating func received(bytes count: Int) -> ConnectionAction {
        switch phase {
        case .closed: return .nothing
        case .opening, .idle, .draining:
            // Nobody asked: whatever this is, it must not become the answer to a later request.
            phase = .closed
            return .close
        case .active: break
        }
        // Was there before the request was.
        if isStarting { return broke(.closed) }
        // Heads, chunk sizes and extensions may not outweigh what they carry.
        let overhead = bytesRead &- bodyBytes
        let limit = Int64(clamping: maxHeadBytes) &+ 65_536
        if overhead > limit, framing == nil || overhead / 16 > bodyBytes &+ limit {
            return fail(.malformed("more framing than content"))
        }
        bytesRead &+= Int64(clamping: count)
        hasSeenBytes = true
        awaitsFirstByte = false
        quietTicks = 0
        return .pass
    }

    /// A head that passed the checks.
    mutating func head(
        status: Int, framing: OriginFraming, keepsAlive: Bool
    ) -> ConnectionAction {
        guard phase == .active else { return .nothing }
        guard self.framing == nil else { return fail(.malformed("second head")) }
        guard status < 200 else {
            self.framing = framing
            awaitsFirstByte = false
            self.keepsAlive = keepsAlive
            return .respond(framing)
        }
        informationalCount += 1
        // Whether the client speaks HTTP/1.0 is the front end's to know.
        let handling = Informational.handling(
            status: status, count: informationalCount, isClientHTTP10: false)
        if handling == .refuse { return fail(.malformed("101, or too many informational heads")) }
        bytesRead = 0
        awaitsFirstByte = true
        return handling == .forward ? .pass : .nothing
    }

    mutating func body(bytes count: Int) -> ConnectionAction {
        guard phase == .active, let framing else { return .nothing }
        bodyBytes &+= Int64(clamping: count)
        if case .length(let length) = framing, bodyBytes > length {
            return fail(.malformed("body longer than its length"))
        }
        return .pass
    }

    /// The decoder saw the end of the message, or of the connection.
    mutating func end() -> ConnectionAction {
        guard phase == .active, let framing else { return .nothing }
        switch framing {
        case .length(let length) where bodyBytes != length: return fail(.closed)
        // The end of the connection is the end of the answer only where we did not cause it: a
        // write that fails closes the channel in the same way.
        case .closeDelimited where !isRequestComplete || hasUnsentBytes: return fail(.closed)
        default: break
        }
        // RFC 9112 §9.3: no reuse while the request is still being sent.
        if keepsAlive && isRequestComplete && framing != .closeDelimited {
            phase = .draining
            return .finish
        }
        phase = .closed
        return .finishAndClose
    }

    /// Bytes came behind the end of the answer.
    mutating func surplus() -> ConnectionAction {
        guard phase == .draining else { return .nothing }
        phase = .closed
        return .close
    }

    /// All that one read brought has been seen.
    mutating func readCompleted() -> ConnectionAction {
        guard phase == .draining else { return .nothing }
        phase = .idle
        isReused = true
        isPaused = false
        quietTicks = 0
        return .release
    }
}

// MARK: - The request

extension ConnectionState {
    /// A part of a streamed body.
    mutating func requestPart(bytes count: Int) -> ConnectionAction {
        guard phase == .active, !isRequestComplete else { return .nothing }
        quietTicks = 0
        guard let remaining = request.remaining else { return .pass }
        let rest = remaining &- Int64(clamping: count)
        // One byte more would be the start of another request.
        guard rest >= 0 else { return fail(.malformed("request longer than its length")) }
        request.remaining = rest
        return .pass
    }

    mutating func requestFinished() -> ConnectionAction {
        guard phase == .active, !isRequestComplete else { return .nothing }
        if let remaining = request.remaining, remaining > 0 {
            return fail(.malformed("request shorter than its length"))
        }
        isRequestComplete = true
        quietTicks = 0
        return .pass
    }

    mutating func setUnsentBytes(_ hasUnsentBytes: Bool) {
        self.hasUnsentBytes = hasUnsentBytes
    }

    /// Reading goes on; the pause does not count against the origin.
    mutating func resumed() {
        isPaused = false
        quietTicks = 0
    }

    mutating func becameWritable(_ isWritable: Bool) {
        self.isWritable = isWritable
        quietTicks = 0
    }
}

// MARK: - Timeouts

extension ConnectionState {
    /// Timeouts in sweeps.
    struct Limits: Equatable {
        var opening = 6
        var firstByte = 61
        var betweenBytes = 61
        var idle = 31
    }

    /// A sweep came by.
    mutating func tick(_ limits: Limits) -> ConnectionAction {
        switch phase {
        // Opening has a deadline of its own.
        case .closed, .opening: return .nothing
        case .idle, .draining: return expired(limits.idle) ? broke(.closed) : .nothing
        case .active: break
        }
        if !isRequestComplete && isWritable {
            // It is the client we wait for, or our own disk.
            quietTicks = 0
            return .nothing
        }
        if isPaused && isRequestComplete {
            quietTicks = 0
            return .nothing
        }
        if isRequestComplete && awaitsFirstByte {
            return expired(limits.firstByte) ? fail(.firstByteTimeout) : .nothing
        }
        return expired(limits.betweenBytes) ? fail(.betweenBytesTimeout) : .nothing
    }

    private mutating func expired(_ limit: Int) -> Bool {
        quietTicks += 1
        return quietTicks > limit
    }
}
