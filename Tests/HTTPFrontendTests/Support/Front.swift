import CacheEngine
import CacheKeys
import HTTPCaching
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import HTTPFrontend

/// The real front end and engine over an origin, a store, a clock and sockets in memory.
///
/// Its loop has a time of its own, moved by `advance`.
final class Front: Sendable {
    let loop = NIOAsyncTestingEventLoop()
    let clock = ManualClock()
    let store = MemoryStore()
    let origin = ScriptedOrigin()
    let engine: Engine
    let spool: SpoolArea
    private let context: NIOLoopBound<LoopContext>

    private init(
        configuration: FrontendConfiguration, engineConfiguration: EngineConfiguration
    ) async throws {
        let secret = try #require(CredentialSecret(bytes: [UInt8](repeating: 7, count: 32)))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = Engine(
            configuration: engineConfiguration, store: store, origin: origin, clock: clock,
            renderer: StoredRendering(), secret: secret, logger: logger)
        self.engine = engine
        let spool = SpoolArea(
            directory: configuration.spoolDirectory, byteLimit: configuration.spoolBytes,
            budget: engine.budget)
        self.spool = spool
        context = try await loop.executeInContext { [loop, clock] in
            let context = try LoopContext(
                loop: loop, engine: engine, configuration: configuration, secret: secret,
                spool: spool, clock: clock, logger: logger)
            context.startTicking()
            return NIOLoopBound(context, eventLoop: loop)
        }
    }

    /// `POST` to `/search` is declared cacheable.
    static func run(
        configure: (inout FrontendConfiguration) -> Void = { _ in },
        configureEngine: (inout EngineConfiguration) -> Void = { _ in },
        _ body: (Front) async throws -> Void
    ) async throws {
        let glob = try PathGlob("/search")
        var configuration = FrontendConfiguration(
            routes: RouteTable(declared: [glob], policy: StoragePolicy()))
        configuration.spoolDirectory = "/tmp"
        configure(&configuration)
        var engineConfiguration = EngineConfiguration()
        engineConfiguration.readers = 1
        configureEngine(&engineConfiguration)
        let front = try await Front(
            configuration: configuration, engineConfiguration: engineConfiguration)
        let result: Result<Void, any Error>
        do { result = .success(try await body(front)) } catch { result = .failure(error) }
        try await front.withLoop { $0.closeAll() }
        await front.loop.run()
        _ = await front.engine.shutdown(timeout: .seconds(20))
        try result.get()
    }

    func connect() async throws -> Client {
        let channel = NIOAsyncTestingChannel(loop: loop)
        let socket = try await loop.executeInContext { [loop, context] in
            let socket = TestSocket()
            try channel.pipeline.syncOperations.addHandler(socket)
            try HTTPServer.configure(channel, context.value, limit: 100)
            return NIOLoopBound(socket, eventLoop: loop)
        }
        try await channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 40_000)).get()
        try await loop.executeInContext { channel.read() }
        return Client(front: self, channel: channel, socket: socket)
    }

    func withLoop<T: Sendable>(
        _ body: @escaping @Sendable (LoopContext) throws -> T
    ) async throws -> T {
        try await loop.executeInContext { [context] in try body(context.value) }
    }

    /// Moves the loop's time; deadlines are looked at four times a second.
    func advance(_ seconds: Int64) async { await loop.advanceTime(by: .seconds(seconds)) }

    /// Does what the loop has to do now.
    func run() async { await loop.run() }

    /// Waits until the origin has been asked so often, and gives the last exchange.
    func exchange(_ count: Int = 1) async throws -> NIOLoopBound<ScriptedExchange> {
        try await eventually("exchange \(count) with the origin") { [self] in
            origin.exchanges.count >= count
        }
        return try #require(origin.exchanges.last)
    }

    /// Runs the loop until `condition` holds.
    func eventually(
        _ what: String, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await !condition() {
            await loop.run()
            guard ContinuousClock.now < deadline else {
                Issue.record("did not happen: \(what)")
                throw CancellationError()
            }
            await Task.yield()
        }
    }
}

/// One client of the front end.
final class Client: Sendable {
    private let front: Front
    private let channel: NIOAsyncTestingChannel
    let socket: NIOLoopBound<TestSocket>
    private let output = Mutex<[UInt8]>([])

    init(front: Front, channel: NIOAsyncTestingChannel, socket: NIOLoopBound<TestSocket>) {
        self.front = front
        self.channel = channel
        self.socket = socket
    }

    /// Each part is one read of the server's.
    func send(_ parts: String...) async throws {
        try await send(parts.map { [UInt8]($0.utf8) })
    }

    func send(_ parts: [[UInt8]]) async throws {
        let buffers = parts.map { ByteBuffer(bytes: $0) }
        try await withSocket { $0.send(buffers) }
        await front.loop.run()
    }

    func withSocket<T: Sendable>(
        _ body: @escaping @Sendable (TestSocket) throws -> T
    ) async throws -> T {
        try await front.loop.executeInContext { [socket] in try body(socket.value) }
    }

    func hangUp() async throws {
        try await channel.close().get()
        await front.loop.run()
    }

    var isCut: Bool { !channel.isActive }

    /// Nothing more will come: our side was ended, or the connection cut.
    func isEnded() async throws -> Bool {
        let isOutputClosed = try await withSocket { $0.isOutputClosed }
        return isOutputClosed || isCut
    }

    /// Everything that has come so far.
    func bytes() async throws -> [UInt8] {
        await front.loop.run()
        while let buffer = try await channel.readOutbound(as: ByteBuffer.self) {
            output.withLock { $0 += Array(buffer.readableBytesView) }
        }
        return output.withLock { $0 }
    }

    /// Waits for so many final answers; fails if more come with them.
    func answers(
        _ count: Int, methods: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [WireAnswer] {
        var answers: [WireAnswer] = []
        try await front.eventually("\(count) answers") { [self] in
            let isEnded = try await isEnded()
            answers = WireAnswer.read(
                try await bytes(), methods: methods, isEnded: isEnded
            ).answers.filter { $0.status >= 200 }
            return answers.count >= count || isEnded
        }
        #expect(answers.count == count, sourceLocation: sourceLocation)
        return answers
    }

    /// Forgets what has come so far.
    func reset() async throws {
        _ = try await bytes()
        output.withLock { $0 = [] }
    }

    /// Waits until the server has ended the connection, and gives every answer.
    func lastAnswers(methods: [String] = []) async throws -> [WireAnswer] {
        try await front.eventually("the end") { [self] in try await isEnded() }
        return WireAnswer.read(try await bytes(), methods: methods, isEnded: true).answers
    }

    /// Sends a request and waits for its answer.
    func ask(_ request: String) async throws -> WireAnswer {
        output.withLock { $0 = [] }
        try await send(request)
        let method = String(request.prefix { $0 != " " })
        return try #require(try await answers(1, methods: [method]).first)
    }
}

/// A GET with the given extra lines.
func get(_ target: String, _ lines: String..., version: String = "1.1") -> String {
    (["GET \(target) HTTP/\(version)", "Host: a.example"] + lines).map { $0 + "\r\n" }.joined()
        + "\r\n"
}

/// A POST with its length.
func post(_ target: String, _ body: String, _ lines: String...) -> String {
    (["POST \(target) HTTP/1.1", "Host: a.example", "Content-Length: \(body.utf8.count)"] + lines)
        .map { $0 + "\r\n" }.joined() + "\r\n" + body
}
