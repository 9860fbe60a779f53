package import CacheEngine
package import NIOCore

/// The origin over HTTP/1.1: a pool of keep-alive connections for each event loop of a group.
package final class OriginClient: Origin, Sendable {
    private let group: any EventLoopGroup
    /// Each is touched on its own loop only; the dictionary never changes.
    private let pools: [ObjectIdentifier: NIOLoopBoundBox<LoopPool>]

    /// Sets up the pools; connects to nothing yet.
    ///
    /// - Parameters:
    ///   - configuration: the origin, timeouts and limits.
    ///   - group: its loops are the only ones `start` may be called on.
    /// - Throws: `OriginTrustError` where the certificates to trust cannot be read.
    package init(
        _ configuration: OriginClientConfiguration, group: any EventLoopGroup
    ) throws(OriginTrustError) {
        let opener = try ConnectionOpener(configuration)
        let limits = PoolLimits(configuration)
        let renderer = RequestRenderer(
            address: configuration.address, preserveHost: configuration.preserveHost)
        var pools: [ObjectIdentifier: NIOLoopBoundBox<LoopPool>] = [:]
        for loop in group.makeIterator() {
            pools[ObjectIdentifier(loop)] = NIOLoopBoundBox.makeBoxSendingValue(
                LoopPool(loop: loop, limits: limits, opener: opener, renderer: renderer),
                eventLoop: loop)
        }
        self.group = group
        self.pools = pools
    }

    /// Sends a request over a connection of `loop`, which must be the current one and of the
    /// client's group.
    package func start(
        _ request: OriginRequest, on loop: any EventLoop, receiver: any OriginReceiver
    ) -> any OriginExchange {
        guard let pool = pools[ObjectIdentifier(loop)] else {
            return FailedExchange(
                .connectFailed(.other, "the event loop is not of the client's group"),
                loop: loop, receiver: receiver)
        }
        return pool.value.start(request, receiver: receiver)
    }

    /// Takes no more requests, closes unused connections, lets the others finish and fails, with
    /// `shuttingDown`, what still runs after the grace.
    ///
    /// Callable from everywhere, more than once.
    ///
    /// - Returns: fulfilled when every connection is closed; never fails.
    @discardableResult
    package func shutdown(gracePeriod: TimeAmount = .zero) -> EventLoopFuture<Void> {
        let closed = pools.values.map { pool in
            let loop = pool.eventLoop
            let promise = loop.makePromise(of: Void.self)
            loop.execute { pool.value.shutDown(promise) }
            loop.scheduleTask(in: max(.zero, gracePeriod)) { pool.value.cancelAll() }
            return promise.futureResult
        }
        return EventLoopFuture.andAllComplete(closed, on: group.any())
    }
}
