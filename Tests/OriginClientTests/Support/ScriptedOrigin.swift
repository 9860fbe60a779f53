import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the scripted origin does for one request.
enum OriginStep: Sendable {
    case send(String)
    case bytes(ByteBuffer)
    /// A clean end: FIN, and with TLS close_notify first.
    case close
    /// FIN without TLS's close_notify.
    case truncate
    case reset
}

/// A request as it came over the wire.
struct ReceivedRequest: Sendable {
    /// Which connection, from 0 in the order they were accepted.
    let connection: Int
    /// Which request on its connection, from 0.
    let index: Int
    let head: String
    /// Bytes behind the head, chunk framing included.
    var body: [UInt8]
}

/// A TCP server on loopback that answers with scripted bytes.
final class ScriptedOrigin: Sendable {
    typealias Script = @Sendable (ReceivedRequest) -> [OriginStep]

    struct State {
        var requests: [ReceivedRequest] = []
        var channels: [any Channel] = []
        /// Request body bytes that arrived, on all connections.
        var bodyBytes = 0
        /// Connections that the client closed, or that died.
        var closed: Set<Int> = []
    }

    let port: Int
    private let server: any Channel
    private let state: Arc<State>

    /// Binds to a free port of 127.0.0.1.
    ///
    /// - Parameters:
    ///   - readsBodies: `false`: a request is over with its head, and nothing more is read.
    ///   - script: called for each complete request, on an event loop.
    init(
        tls: NIOSSLContext? = nil, readsBodies: Bool = true, script: @escaping Script
    ) async throws {
        let state = Arc(State())
        self.state = state
        server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = NIOSSLServerHandler(context: tls)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    let connection = state.withLock { state in
                        state.channels.append(channel)
                        return state.channels.count - 1
                    }
                    let handler = ScriptedConnection(
                        connection: connection, readsBodies: readsBodies, state: state,
                        script: script)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = server.localAddress?.port ?? 0
    }

    var requests: [ReceivedRequest] { state.withLock { $0.requests } }
    var connectionCount: Int { state.withLock { $0.channels.count } }
    var closedCount: Int { state.withLock { $0.closed.count } }
    var bodyBytes: Int { state.withLock { $0.bodyBytes } }

    /// Does something on a connection that nobody asked for.
    func perform(_ steps: [OriginStep], on connection: Int) async throws {
        let channel = state.withLock { $0.channels[connection] }
        try await channel.eventLoop.submit {
            for step in steps {
                ScriptedConnection.perform(step, on: channel)
            }
        }.get()
    }

    func startReading(on connection: Int) async throws {
        let channel = state.withLock { $0.channels[connection] }
        try await channel.setOption(.autoRead, value: true).get()
    }

    func stop() async {
        try? await server.close().get()
        for channel in state.withLock({ $0.channels }) {
            try? await channel.close().get()
        }
    }
}

/// A mutex that can be shared.
final class Arc<Value>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: sending Value) {
        mutex = Mutex(value)
    }

    func withLock<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
        mutex.withLock { body(&$0) }
    }
}

private final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: Int
    private let readsBodies: Bool
    private let state: Arc<ScriptedOrigin.State>
    private let script: ScriptedOrigin.Script
    private var bytes: [UInt8] = []
    private var head: String?
    private var count = 0

    init(
        connection: Int, readsBodies: Bool, state: Arc<ScriptedOrigin.State>,
        script: @escaping ScriptedOrigin.Script
    ) {
        self.connection = connection
        self.readsBodies = readsBodies
        self.state = state
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        if head != nil || (count > 0 && !readsBodies) {
            state.withLock { $0.bodyBytes += part.readableBytes }
        }
        if count > 0 && !readsBodies { return }
        bytes += Array(part.readableBytesView)
        while advance(context: context) {}
    }

    func channelInactive(context: ChannelHandlerContext) {
        state.withLock { [connection] in _ = $0.closed.insert(connection) }
    }

    private func advance(context: ChannelHandlerContext) -> Bool {
        guard let head else {
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
            self.head = String(decoding: bytes[..<end.upperBound], as: UTF8.self)
            bytes.removeSubrange(..<end.upperBound)
            state.withLock { [bytes] in $0.bodyBytes += bytes.count }
            return true
        }
        let lower = head.lowercased()
        var length = 0
        if readsBodies, let range = lower.firstRange(of: "content-length: ") {
            length = Int(lower[range.upperBound...].prefix { $0.isNumber }) ?? 0
        } else if readsBodies, lower.contains("transfer-encoding: chunked") {
            guard let end = bytes.firstRange(of: Array("0\r\n\r\n".utf8)) else { return false }
            length = end.upperBound
        }
        guard bytes.count >= length else { return false }
        let request = ReceivedRequest(
            connection: connection, index: count, head: head, body: Array(bytes[..<length]))
        bytes.removeSubrange(..<length)
        self.head = nil
        count += 1
        state.withLock { $0.requests.append(request) }
        if !readsBodies { try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
        for step in script(request) {
            Self.perform(step, on: context.channel)
        }
        return context.channel.isActive && readsBodies
    }

    static func perform(_ step: OriginStep, on channel: any Channel) {
        switch step {
        case .send(let text): channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        case .bytes(let bytes): channel.writeAndFlush(bytes, promise: nil)
        case .close: channel.close(promise: nil)
        case .truncate:
            let pipeline = channel.pipeline.syncOperations
            (try? pipeline.context(handlerType: NIOSSLServerHandler.self))?.close(promise: nil)
        case .reset:
            let linger = linger(l_onoff: 1, l_linger: 0)
            (channel as? any SocketOptionProvider)?.setSoLinger(linger).whenComplete { _ in
                channel.close(promise: nil)
            }
        }
    }
}
