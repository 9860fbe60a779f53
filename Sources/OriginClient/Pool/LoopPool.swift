import CacheEngine
import NIOCore

/// The connections of one event loop, used and unused.
///
/// Confined to that loop.
final class LoopPool {
    let loop: any EventLoop
    let opener: ConnectionOpener
    let limits: PoolLimits
    private let renderer: RequestRenderer

    /// Open connections, each at its `poolIndex`.
    private(set) var connections: [OriginConnection] = []
    /// Unused ones; the most recently used is the last and goes first.
    private var idle: [OriginConnection] = []
    /// Requests whose connection is being opened; those that gave up stay until the next sweep.
    private var opening: [PooledExchange] = []
    /// Connections being opened, with and without somebody who waits.
    private var openingCount = 0
    /// Requests beyond the greatest number of connections, the first come first.
    private var waiting = CircularBuffer<PooledExchange>()
    private var isSweeping = false
    private var isShutDown = false
    private var whenEmpty: EventLoopPromise<Void>?

    init(
        loop: any EventLoop, limits: PoolLimits, opener: ConnectionOpener,
        renderer: RequestRenderer
    ) {
        self.loop = loop
        self.limits = limits
        self.opener = opener
        self.renderer = renderer
    }

    func start(_ request: OriginRequest, receiver: any OriginReceiver) -> any OriginExchange {
        switch renderer.head(for: request) {
        case .failure(let error): return FailedExchange(error, loop: loop, receiver: receiver)
        case .success(let head):
            let exchange = PooledExchange(
                request: request, head: head, loop: loop, receiver: receiver)
            place(exchange)
            exchange.started()
            return exchange
        }
    }

    private func place(_ exchange: PooledExchange) {
        if isShutDown { return exchange.fail(.shuttingDown) }
        while let connection = idle.popLast() {
            if connection.isOpen { return connection.run(exchange) }
        }
        if connections.count + openingCount < limits.maxConnections {
            open(for: exchange)
        } else if waiting.count < limits.maxWaiting {
            waiting.append(exchange)
            keepSweeping()
        } else {
            exchange.fail(.connectFailed(.limit, "too many requests wait for a connection"))
        }
    }

    /// Sends a request again whose connection died under it: on a fresh one, in any case.
    func retry(_ exchange: PooledExchange) {
        if isShutDown { return exchange.fail(.shuttingDown) }
        exchange.isSecondAttempt = true
        open(for: exchange)
    }

    /// A connection has done its work and may take the next request.
    func release(_ connection: OriginConnection) {
        if isShutDown { return connection.cancel() }
        while let exchange = waiting.popFirst() {
            if !exchange.isOver {
                connection.run(exchange)
                return exchange.connected()
            }
        }
        if limits.maxIdle <= 0 { return connection.cancel() }
        idle.append(connection)
        if idle.count > limits.maxIdle { idle.removeFirst().cancel() }
    }

    /// A connection is closed.
    func remove(_ connection: OriginConnection) {
        let index = connection.poolIndex
        guard connections.indices.contains(index), connections[index] === connection else {
            return
        }
        let last = connections.removeLast()
        if last !== connection {
            connections[index] = last
            last.poolIndex = index
        }
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
        serveWaiting()
    }

    private func serveWaiting() {
        while connections.count + openingCount < limits.maxConnections,
            let exchange = waiting.popFirst()
        {
            if !exchange.isOver { open(for: exchange) }
        }
        tellIfEmpty()
    }
}

// MARK: - Opening

extension LoopPool {
    private func open(for exchange: PooledExchange) {
        exchange.waitingTicks = 0
        opening.append(exchange)
        openingCount += 1
        keepSweeping()
        opener.open(on: loop) { result in
            switch result {
            case .success(let connection): self.opened(connection, for: exchange)
            case .failure(let error): self.failedToOpen(error, for: exchange)
            }
        }
    }

    private func opened(_ connection: OriginConnection, for exchange: PooledExchange) {
        openingCount -= 1
        opening.removeAll { $0 === exchange }
        connection.pool = self
        connection.poolIndex = connections.count
        connections.append(connection)
        connection.opened()
        if exchange.isOver { return release(connection) }
        connection.run(exchange)
        exchange.connected()
    }

    private func failedToOpen(_ error: OriginError, for exchange: PooledExchange) {
        openingCount -= 1
        opening.removeAll { $0 === exchange }
        exchange.fail(error)
        serveWaiting()
    }
}

// MARK: - Sweeping

extension LoopPool {
    /// One task a second and loop instead of one for each request; none where there is nothing.
    private func keepSweeping() {
        guard !isSweeping else { return }
        isSweeping = true
        loop.assumeIsolated().scheduleTask(in: limits.sweepInterval) { [weak self] in
            self?.sweep()
        }
    }

    private func sweep() {
        isSweeping = false
        // Copies: what expires takes itself off the lists.
        for connection in connections {
            connection.tick(limits.ticks)
        }
        for exchange in opening {
            expire(exchange)
        }
        opening.removeAll { $0.isOver }
        for exchange in waiting {
            expire(exchange)
        }
        waiting.removeAll { $0.isOver }
        if !connections.isEmpty || openingCount > 0 || !waiting.isEmpty { keepSweeping() }
    }

    private func expire(_ exchange: PooledExchange) {
        exchange.waitingTicks += 1
        if exchange.waitingTicks > limits.ticks.opening { exchange.fail(.connectTimeout) }
    }
}

// MARK: - Shutting down

extension LoopPool {
    /// Takes no more requests and fails those without a connection; the promise is fulfilled when
    /// the last connection is closed, which `cancelAll` hastens.
    func shutDown(_ promise: EventLoopPromise<Void>) {
        if let whenEmpty {
            whenEmpty.futureResult.cascade(to: promise)
            return
        }
        isShutDown = true
        whenEmpty = promise
        for exchange in opening {
            exchange.fail(.shuttingDown)
        }
        for exchange in waiting {
            exchange.fail(.shuttingDown)
        }
        waiting.removeAll()
        for connection in idle {
            connection.cancel()
        }
        idle.removeAll()
        tellIfEmpty()
    }

    /// Fails what still runs.
    func cancelAll() {
        for connection in connections {
            connection.shutDown()
        }
    }

    private func tellIfEmpty() {
        guard isShutDown, connections.isEmpty, openingCount == 0 else { return }
        whenEmpty?.succeed()
    }
}

@available(*, unavailable)
extension LoopPool: Sendable {}
