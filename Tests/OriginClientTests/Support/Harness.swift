import CacheEngine
import HTTPTypes
import NIOCore
import NIOPosix
import Testing

@testable import OriginClient

/// A client on one event loop, and exchanges that can be driven from a test.
struct Harness {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let client: OriginClient
    let loop = Harness.group.any()

    init(
        _ url: String, configure: (inout OriginClientConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = OriginClientConfiguration(address: try OriginAddress(url))
        // Machines that run tests are slow at times: seconds pass between two lines of a test, and
        // only a test that is about a limit may meet one.
        configuration.connectTimeout = .minutes(10)
        configuration.firstByteTimeout = .minutes(10)
        configuration.betweenBytesTimeout = .minutes(10)
        configuration.idleTimeout = .minutes(10)
        configure(&configuration)
        client = try OriginClient(configuration, group: Self.group)
    }

    init(
        _ origin: ScriptedOrigin, configure: (inout OriginClientConfiguration) -> Void = { _ in }
    ) throws {
        try self.init("http://127.0.0.1:\(origin.port)", configure: configure)
    }

    /// Starts an exchange; `then` runs at once behind `start`, before anything else on the loop.
    func start(
        _ request: OriginRequest, _ recorder: Recorder = Recorder(),
        then: @escaping @Sendable (any OriginExchange) -> Void = { _ in }
    ) async throws -> Running {
        let client = client
        let loop = loop
        let exchange = try await loop.submit {
            let exchange = client.start(request, on: loop, receiver: recorder)
            recorder.started()
            then(exchange)
            return NIOLoopBound(exchange, eventLoop: loop)
        }.get()
        return Running(recorder: recorder, exchange: exchange, loop: loop)
    }

    /// Sends a request and waits for the end.
    func answer(
        to request: OriginRequest = .get("/")
    ) async throws -> Recorder.State {
        try await start(request).recorder.over()
    }
}

struct Running {
    let recorder: Recorder
    let exchange: NIOLoopBound<any OriginExchange>
    let loop: any EventLoop

    func on<Result: Sendable>(
        _ body: @escaping @Sendable (any OriginExchange) -> Result
    ) async throws -> Result {
        let exchange = exchange
        return try await loop.submit { body(exchange.value) }.get()
    }
}

extension OriginRequest {
    static func get(_ target: String, isRetryable: Bool = true) -> OriginRequest {
        make(.get, target, isRetryable: isRetryable)
    }

    static func make(
        _ method: HTTPRequest.Method, _ target: String = "/", fields: HTTPFields = [:],
        body: Body = .none, isRetryable: Bool = false
    ) -> OriginRequest {
        OriginRequest(
            method: method, target: target, clientAuthority: "client.example", fields: fields,
            body: body, isRetryable: isRetryable)
    }
}
