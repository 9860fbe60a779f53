import ArgumentParser

/// `larder demo-origin`: a small real origin to try the proxy on.
struct DemoOriginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-origin",
        abstract: "Run a small real origin: GET and POST, slow on purpose, counts its requests.",
        discussion: "GET / on it names what it offers. It reads nothing from the environment.")

    @Option(
        help: ArgumentHelp(
            "Address to listen on. (default: 127.0.0.1:8081)", valueName: "host:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "How long every answer but that of /count is held back. (default: 300ms)",
            valueName: "duration"))
    var delay: String?

    func run() async throws {
        let server = try DemoOriginServer(
            address: Self.parse(listen, "--listen", .listenAddress)
                ?? ListenAddress(host: "127.0.0.1", port: 8081),
            delay: Self.parse(delay, "--delay", .duration(atLeast: .zero)) ?? .milliseconds(300))
        try await server.run()
    }

    private static func parse<Value>(
        _ text: String?, _ flag: String, _ format: ValueFormat<Value>
    ) throws(SettingError) -> Value? {
        guard let text else { return nil }
        return try format.value(of: SettingText(text: text, source: flag))
    }
}
