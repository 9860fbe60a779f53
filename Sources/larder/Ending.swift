import ArgumentParser

/// A failure at run time that ends the process with exit code 1: a port in use, an unusable file.
struct StartFailure: Error, CustomStringConvertible {
    /// One sentence without a line break: what could not be done, on what, and why.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// How the process ends after an error: its exit code and what it says on which stream.
///
/// Exit code 0 is a finished request for help, 2 a bad command line or environment, 1 everything
/// that went wrong while running.
struct Ending: Equatable {
    let exitCode: Int32
    /// For standard output; empty unless help was asked for.
    let output: String
    /// For standard error: one line.
    let complaint: String

    /// Derives the ending from what parsing or running threw.
    ///
    /// - Parameters:
    ///   - error: What was thrown.
    ///   - arguments: The command line without the program's name; its first word chooses the
    ///     help page that is recommended.
    init(of error: any Error, arguments: [String]) {
        switch error {
        case let error as SettingError:
            self.init(exitCode: 2, complaint: error.description)
        case let error as StartFailure:
            self.init(exitCode: 1, complaint: error.description)
        default:
            self.init(ofParser: error, arguments: arguments)
        }
    }

    private init(exitCode: Int32, complaint: String) {
        self.exitCode = exitCode
        self.output = ""
        self.complaint = "larder: \(complaint.onOneLine)\n"
    }

    private init(answer: String) {
        self.exitCode = 0
        self.output = answer + "\n"
        self.complaint = ""
    }

    private init(ofParser error: any Error, arguments: [String]) {
        switch LarderCommand.exitCode(for: error) {
        case .success:
            self.init(answer: LarderCommand.fullMessage(for: error))
        case .validationFailure:
            let commands = LarderCommand.configuration.subcommands.compactMap {
                $0.configuration.commandName
            }
            let page = arguments.first.flatMap { commands.contains($0) ? "larder \($0)" : nil }
            let message = LarderCommand.message(for: error)
            self.init(exitCode: 2, complaint: "\(message) (see `\(page ?? "larder") --help`)")
        default:
            self.init(exitCode: 1, complaint: String(describing: error))
        }
    }
}

extension String {
    /// The same text with every control character written as an escape, so that it is one line.
    var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029:
                line += scalar.escaped(asASCII: true)
            default:
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
