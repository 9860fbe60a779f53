import Glibc

/// The built binary, running.
package final class LarderProcess: Sendable {
    /// The path of the binary: `LARDER_BINARY`, or `larder` beside the test bundle.
    package static let binary: String = {
        if let path = getenv("LARDER_BINARY") { return String(cString: path) }
        var buffer = [CChar](repeating: 0, count: 4_096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let bundle = String(
            decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        for start in [bundle, CommandLine.arguments.first ?? ""] {
            // A bundle is a file here and a directory elsewhere: look beside it and above.
            var directory = start[...]
            for _ in 0..<4 {
                guard let slash = directory.lastIndex(of: "/") else { break }
                directory = directory[..<slash]
                let path = "\(directory)/larder"
                if access(path, X_OK) == 0 { return path }
            }
        }
        return "larder"
    }()

    package let process: ChildProcess
    /// The port of the first `listening` line.
    package let port: Int
    /// The port of the line `listening for the Cache API`; the other one without `--cache-api`.
    package let cacheAPIPort: Int

    private static let cacheAPIMark = "listening for the cache api"

    /// Starts the binary and waits until it says that it listens, everywhere that it was told to.
    ///
    /// - Throws: `DeadlineError` with what it said, when it ends or stays silent instead.
    package init(
        _ arguments: [String], environment: [String: String] = [:], directory: String,
        outputName: String = "larder", within limit: Duration = .seconds(300)
    ) throws {
        process = try Self.run(
            arguments, environment: environment, directory: directory, outputName: outputName)
        let deadline = ContinuousClock.now.advanced(by: limit)
        let mark = arguments.contains("--cache-api") ? Self.cacheAPIMark : "listening"
        while true {
            let output = process.standardError + process.standardOutput
            if let port = Self.listeningPort(in: output),
                let cacheAPIPort = Self.listeningPort(in: output, mark: mark)
            {
                self.port = port
                self.cacheAPIPort = cacheAPIPort
                return
            }
            if let exit = process.exitIfEnded {
                throw DeadlineError("larder ended with \(exit):\n\(process.standardError)")
            }
            guard ContinuousClock.now < deadline else {
                throw DeadlineError("larder does not listen:\n\(process.standardError)")
            }
            usleep(5_000)
        }
    }

    /// Minutes where the program has seconds: a busy machine pauses a test between any two lines,
    /// and only a test that is about a limit, by its flag, may meet one.
    private static let patience = Dictionary(
        uniqueKeysWithValues: [
            "HEAD", "BODY", "KEEP_ALIVE", "WRITE", "CONNECT", "FIRST_BYTE", "BETWEEN_BYTES",
            "ORIGIN_IDLE", "COLLAPSE", "DRAIN",
        ].map { ("LARDER_\($0)_TIMEOUT", "10m") })

    /// Starts the binary and does not wait for anything.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], directory: String,
        outputName: String = "larder"
    ) throws -> ChildProcess {
        try ChildProcess(
            binary, arguments, environment: patience.merging(environment) { $1 },
            directory: directory, outputName: outputName)
    }

    package var standardError: String { process.standardError }

    /// The port in the first line that holds the word `listening`, or another lower-case mark, and an
    /// address: as `address=HOST:PORT`, or as `http://HOST:PORT`.
    package static func listeningPort(in text: String, mark: String = "listening") -> Int? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: true)
        // A line that is being written is not read before its end is there.
        let whole = text.hasSuffix("\n") ? lines[...] : lines.dropLast()
        for line in whole where line.lowercased().contains(mark) {
            let words = line.filter { $0 != "\"" }.split { " ,[]".contains($0) }
            for word in words {
                let isAddress = word.hasPrefix("address=") || word.hasPrefix("http://")
                if isAddress, let port = Int(word.split(separator: ":").last ?? "") { return port }
            }
        }
        return nil
    }
}
