import NIOCore

/// The configuration's numbers as a pool uses them.
struct PoolLimits: Sendable {
    let maxConnections: Int
    let maxWaiting: Int
    let maxIdle: Int
    let sweepInterval: TimeAmount
    let ticks: ConnectionState.Limits

    init(_ configuration: OriginClientConfiguration) {
        maxConnections = max(1, configuration.maxConnectionsPerLoop)
        maxWaiting = max(0, configuration.maxWaitingPerLoop)
        maxIdle = max(0, configuration.maxIdlePerLoop)
        let interval = max(.milliseconds(1), configuration.sweepInterval)
        sweepInterval = interval
        // The first sweep after an event may follow at once: it counts as none.
        func ticks(_ time: TimeAmount) -> Int {
            Int(max(0, time.nanoseconds) / interval.nanoseconds) + 1
        }
        self.ticks = ConnectionState.Limits(
            opening: ticks(configuration.connectTimeout),
            firstByte: ticks(configuration.firstByteTimeout),
            betweenBytes: ticks(configuration.betweenBytesTimeout),
            idle: ticks(configuration.idleTimeout))
    }
}
