package import HTTPTypes
package import NIOCore

/// A request to the origin.
///
/// The fields are end-to-end fields only; Host and framing are the adapter's.
package struct OriginRequest: Sendable {
    package enum Body: Sendable {
        case none
        /// All of it is here; a retry sends it again.
        case buffered(ByteBuffer)
        /// All of it is in a file; a retry reads it again.
        case spooled(any SpooledContent)
        /// Arrives by `OriginExchange.write`; `length` `nil` means chunked.
        case streamed(length: Int64?)
    }

    package var method: HTTPRequest.Method
    /// Origin-form, byte for byte as the client sent it; the adapter prefixes the origin's path.
    package var target: String
    /// The client's authority in normal form (for `--preserve-host`).
    package var clientAuthority: String
    package var fields: HTTPFields
    package var body: Body
    /// May be sent once more when a reused connection dies before any byte of the answer.
    package var isRetryable: Bool

    package init(
        method: HTTPRequest.Method, target: String, clientAuthority: String, fields: HTTPFields,
        body: Body, isRetryable: Bool
    ) {
        self.method = method
        self.target = target
        self.clientAuthority = clientAuthority
        self.fields = fields
        self.body = body
        self.isRetryable = isRetryable
    }
}

/// The whole content of a request in a file: readable from any place, any number of times.
package protocol SpooledContent: AnyObject, Sendable {
    /// Bytes of it.
    var length: Int64 { get }

    /// Reads at most `count` bytes at `offset`, off the loop; `done` is called on `loop`, later, with
    /// no bytes where the file ends and `nil` when it cannot be read.
    func read(
        at offset: Int64, count: Int, on loop: any EventLoop,
        done: @escaping @Sendable (ByteBuffer?) -> Void)
}

/// How the end of an answer's body is known (RFC 9112 §6.3).
package enum OriginFraming: Sendable, Equatable {
    case none
    case length(Int64)
    case chunked
    case closeDelimited
}

/// What kept a connection to the origin from being opened.
package enum ConnectFailure: Sendable, Equatable {
    /// The name has no address.
    case name
    case refused
    /// It was there for a moment.
    case closed
    case tls
    /// The origin's certificate is not trusted, or another name's.
    case certificate
    /// As many requests wait for a connection as may.
    case limit
    case other
}

/// Why the origin gave no (whole) answer.
package enum OriginError: Error, Sendable, Equatable {
    /// Text for the log only.
    case connectFailed(ConnectFailure, String)
    case connectTimeout
    /// The origin closed or reset before the answer was complete.
    case closed
    case firstByteTimeout
    case betweenBytesTimeout
    /// The answer breaks HTTP (bad framing, status line, 101, junk): it is not passed on.
    case malformed(String)
    /// The request's spooled content could not be read.
    case contentUnreadable
    case shuttingDown
}

/// The origin as the engine sees it.
///
/// A pure cache or a replay has none.
package protocol Origin: Sendable {
    /// Sends a request. Called on `loop`; every call of `receiver` comes on `loop`, never before
    /// this function has returned. The receiver is kept until end, failure or cancel.
    func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange
}

/// The running exchange with the origin; confined to the loop it was started on.
package protocol OriginExchange: AnyObject {
    /// The request was sent a second time, because a reused connection had died under it.
    var isSecondAttempt: Bool { get }
    /// Sends a part of a streamed body; `false` means: wait for `originWritabilityChanged(true)`.
    func write(_ part: ByteBuffer) -> Bool
    /// The streamed body is complete.
    func finishBody()
    /// Stops reading from the origin's socket until `resumeReading` (at most what was read
    /// already still arrives).
    func pauseReading()
    func resumeReading()
    /// Gives up: the connection is closed, the receiver hears nothing more. Harmless after the end.
    func cancel()
}

/// Who receives the origin's answer; called on the exchange's loop.
package protocol OriginReceiver: AnyObject {
    /// Any 1xx but 100, which is swallowed, and 101, which is an error; at most ten.
    func originInformational(_ head: HTTPResponse)
    /// The final head: fields as received, in order, framing fields (Content-Length,
    /// Transfer-Encoding) and hop-by-hop fields still in place.
    func originHead(_ head: HTTPResponse, framing: OriginFraming)
    func originBody(_ part: ByteBuffer)
    /// Trailer fields as received, where there are some; `originEnd` follows at once.
    func originTrailers(_ trailers: HTTPFields)
    /// The answer is complete: length reached, last chunk seen, or a clean close (FIN, close_notify).
    func originEnd()
    /// No further call follows.
    func originFailed(_ error: OriginError)
    func originWritabilityChanged(_ isWritable: Bool)
}

extension OriginReceiver {
    package func originTrailers(_ trailers: HTTPFields) {}
}
