import ArgumentParser

/// The command line as a whole.
struct LarderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "larder",
        abstract: "A durable caching HTTP proxy: GET and declared POST, kept in one SQLite file.",
        version: "larder \(Version.current)",
        subcommands: [Serve.self, DemoOriginCommand.self, VersionCommand.self])
}

/// `larder version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version.")

    func run() {
        Platform.writeToStandardOutput("larder \(Version.current)\n")
    }
}
