package import NIOCore

/// How the origin is reached, and for how long we wait for it.
package struct OriginClientConfiguration: Sendable {
    package var address: OriginAddress
    /// From the start of connecting to a usable connection, TLS included.
    ///
    /// The default is 5 s.
    package var connectTimeout: TimeAmount = .seconds(5)
    /// From the end of the request to the first byte of the answer.
    ///
    /// The default is 60 s.
    package var firstByteTimeout: TimeAmount = .seconds(60)
    /// Between two reads of an answer, and between two writes of a request.
    ///
    /// Stands still while reading is paused and while we wait for the client. The default is 60 s.
    package var betweenBytesTimeout: TimeAmount = .seconds(60)
    /// How long an unused connection is kept.
    ///
    /// The default is 30 s.
    package var idleTimeout: TimeAmount = .seconds(30)
    /// How often the timeouts are looked at: each of them may come late by up to twice this.
    ///
    /// The default is 1 s.
    package var sweepInterval: TimeAmount = .seconds(1)
    /// Unused connections kept on one event loop; the oldest goes first.
    ///
    /// The default is 64.
    package var maxIdlePerLoop = 64
    /// Connections of one event loop, used and unused.
    ///
    /// The default is 1,024.
    package var maxConnectionsPerLoop = 1_024
    /// Requests of one event loop that wait for one of these connections, each for at most
    /// `connectTimeout`; past that they fail at once.
    ///
    /// The default is 1,024.
    package var maxWaitingPerLoop = 1_024
    /// Names and values of all fields of an answer's head.
    ///
    /// The default is 64 KiB.
    package var maxHeadBytes = 65_536
    /// Fields of an answer's head.
    ///
    /// The default is 256.
    package var maxHeadFields = 256
    /// Sends the client's authority as Host instead of the origin's.
    package var preserveHost = false
    /// A PEM file with the certificates to trust instead of the system's.
    package var trustRootsFile: String?

    package init(address: OriginAddress) {
        self.address = address
    }
}
