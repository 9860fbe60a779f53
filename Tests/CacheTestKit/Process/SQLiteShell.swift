/// Runs one script in the `sqlite3` shell on a file, as a visitor would, and gives its output.
///
/// - Throws: `ShellError` when the shell ends with an error or says anything on standard error.
package func sqlite(
    _ file: String, _ script: String, in directory: TemporaryDirectory,
    within limit: Duration = .seconds(300)
) throws -> String {
    let name = "sqlite-\(UInt32.random(in: 0 ... .max))"
    // The shell is found by PATH, which posix_spawn does not look at.
    let shell = try ChildProcess(
        "/usr/bin/env", ["sqlite3", "-batch", "-bail", file, script], directory: directory.path,
        outputName: name)
    let exit = try shell.waitForExit(within: limit)
    let complaint = shell.standardError
    guard exit == .code(0), complaint.isEmpty else {
        throw ShellError(description: "sqlite3 ended with \(exit): \(complaint)")
    }
    var output = shell.standardOutput
    if output.hasSuffix("\n") { output.removeLast() }
    return output
}

/// What the `sqlite3` shell complained about.
package struct ShellError: Error, CustomStringConvertible {
    package let description: String
}
