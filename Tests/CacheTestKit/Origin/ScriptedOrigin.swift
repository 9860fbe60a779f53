import NIOCore
import NIOPosix
import Synchronization

/// A real HTTP/1.1 server on loopback whose answers a test decides, and that remembers everything.
///
/// All methods may be called from any thread. A path without a script is answered 404.
package final class ScriptedOrigin: Sendable {
    /// One whole request as it arrived.
    package struct Request: Sendable {
        package let method: String
        package let target: String
        package let version: String
        package let message: WireMessage
        /// Counts the connections of this origin from 1.
        package let connection: Int

        package var fields: WireFields { message.fields }
        package var body: [UInt8] { message.body }
        package var path: String { String(target.prefix { $0 != "?" }) }
    }

    package typealias Script = @Sendable (Request) -> ScriptedAnswer

    private struct State {
        var scripts: [String: Script] = [:]
        var fallback: Script = { _ in ScriptedAnswer(404, body: Array("no script".utf8)) }
        var requests: [Request] = []
        var incomplete: [WireMessage] = []
        var violations: [String] = []
        var connections = 0
        var open: [ObjectIdentifier: any Channel] = [:]
        var listener: (any Channel)?
        /// Of the port, once nobody listens on it any more.
        var reservation: PortReservation?
    }

    /// Weak, or the listener would keep its origin alive for ever.
    private struct Handed {
        weak var origin: ScriptedOrigin?
    }

    package let port: Int
    private let state = Mutex(State())

    /// Starts listening on 127.0.0.1, by default on a port of the system's choice.
    package init(port: Int = 0) throws {
        let handed = Mutex(Handed())
        let listener = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let origin = handed.withLock({ $0.origin }) else {
                        throw ChannelError.eof
                    }
                    try channel.pipeline.syncOperations.addHandler(OriginConnection(origin: origin))
                }
            }
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: port).wait()
        self.port = listener.localAddress?.port ?? 0
        state.withLock { $0.listener = listener }
        handed.withLock { $0.origin = self }
        try listener.setOption(.autoRead, value: true).wait()
    }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// Every request to `path` (whatever its query) is answered by `script`.
    package func on(_ path: String, _ script: @escaping Script) {
        state.withLock { $0.scripts[path] = script }
    }

    /// The requests to `path` are answered one after another; the last answer stays.
    package func on(_ path: String, _ first: ScriptedAnswer, _ others: ScriptedAnswer...) {
        let answers = [first] + others
        let served = Mutex(0)
        on(path) { _ in
            served.withLock { index in
                defer { index = min(index + 1, answers.count - 1) }
                return answers[index]
            }
        }
    }

    /// What requests to all other paths get.
    package func onOther(_ script: @escaping Script) {
        state.withLock { $0.fallback = script }
    }

    /// Every whole request that arrived, in order.
    package var requests: [Request] { state.withLock { $0.requests } }

    /// The whole requests that arrived for a path, in order.
    package func requests(_ path: String) -> [Request] { requests.filter { $0.path == path } }

    package func count(_ path: String) -> Int { requests(path).count }

    /// Requests whose connection ended before they were complete.
    package var incomplete: [WireMessage] { state.withLock { $0.incomplete } }

    /// What a client of this origin did against HTTP/1.1, or sent where nothing was expected.
    package var violations: [String] { state.withLock { $0.violations } }

    package var connectionCount: Int { state.withLock { $0.connections } }

    /// Ends listening and every connection at once; the port stays this origin's.
    package func stop() {
        let (listener, open) = state.withLock { state in
            defer { (state.listener, state.open) = (nil, [:]) }
            return (state.listener, state.open)
        }
        if let listener {
            try? listener.close().wait()
            let reservation = PortReservation(port: port)
            state.withLock { $0.reservation = reservation }
        }
        for channel in open.values { channel.close(promise: nil) }
    }

    deinit {
        stop()
    }

    func opened(_ channel: any Channel) -> Int {
        state.withLock { state in
            state.connections += 1
            state.open[ObjectIdentifier(channel)] = channel
            return state.connections
        }
    }

    func closed(_ channel: any Channel, partial: WireMessage?) {
        state.withLock { state in
            state.open[ObjectIdentifier(channel)] = nil
            if let partial { state.incomplete.append(partial) }
        }
    }

    func violated(_ text: String) {
        state.withLock { $0.violations.append(text) }
    }

    func answer(_ message: WireMessage, connection: Int) -> ScriptedAnswer {
        let (method, target, version) = message.startParts
        let request = Request(
            method: method, target: target, version: version, message: message,
            connection: connection)
        let script = state.withLock { state in
            state.requests.append(request)
            return state.scripts[request.path] ?? state.fallback
        }
        return script(request)
    }
}
