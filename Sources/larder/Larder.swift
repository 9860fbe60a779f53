import ArgumentParser

/// The entry point: parses, runs, and turns every failure into one line and an exit code.
@main
enum Larder {
    static func main() async {
        // A peer or a pipe that went away is an error of one write, not the end of the process.
        Platform.shareFreedMemory()
        Platform.ignoreBrokenPipes()
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try LarderCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            let ending = Ending(of: error, arguments: arguments)
            Platform.writeToStandardOutput(ending.output)
            Platform.writeToStandardError(ending.complaint)
            Platform.end(ending.exitCode)
        }
    }
}
