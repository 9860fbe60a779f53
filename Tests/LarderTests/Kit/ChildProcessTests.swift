import CacheTestKit
import Glibc
import Testing

/// The starter of processes and the shell of these tests.
@Suite(.drivesProcesses)
struct ChildProcessTests {
    @Test func outputAndExitCode() throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            "/bin/sh", ["-c", "echo out; echo $VALUE >&2; exit 3"], environment: ["VALUE": "err"],
            directory: directory.path, outputName: "sh")
        #expect(try child.waitForExit() == .code(3))
        #expect(child.standardOutput == "out\n")
        #expect(child.standardError == "err\n")
        #expect(directory.names() == ["sh.err", "sh.out"])
    }

    @Test func signalsArrive() throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            "/bin/sleep", ["600"], directory: directory.path, outputName: "sleep")
        #expect(child.exitIfEnded == nil)
        child.signal(SIGTERM)
        #expect(try child.waitForExit() == .signal(SIGTERM))
    }

    @Test func aProcessThatDoesNotEndIsKilled() throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            "/bin/sleep", ["600"], directory: directory.path, outputName: "sleep")
        #expect(throws: DeadlineError.self) {
            try child.waitForExit(within: .milliseconds(100))
        }
        #expect(child.exitIfEnded == .signal(SIGKILL))
    }

    @Test func aProcessEndsWithItsLastReference() async throws {
        let directory = try TemporaryDirectory()
        let pid = try ChildProcess(
            "/bin/sleep", ["600"], directory: directory.path, outputName: "sleep"
        ).pid
        try await eventually("the process is gone") { kill(pid, 0) != 0 }
    }

    @Test func noDescriptorIsInherited() throws {
        let origin = try ScriptedOrigin()
        defer { origin.stop() }
        let directory = try TemporaryDirectory()
        let child = try ChildProcess(
            "/bin/ls", ["-l", "/proc/self/fd"], directory: directory.path, outputName: "ls")
        #expect(try child.waitForExit() == .code(0))
        #expect(!child.standardOutput.contains("socket:"))
    }

    @Test func directoriesGoWithTheirLastReference() throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = directory?.path ?? ""
        try writeFile("\(path)/file", [1, 2, 3])
        #expect(directory?.bytes(of: "file") == [1, 2, 3])
        #expect(access(path, F_OK) == 0)
        directory = nil
        #expect(access(path, F_OK) != 0)
    }

    @Test func theShellReadsAndComplains() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("a.db")
        let script = "CREATE TABLE t(x); INSERT INTO t VALUES (1),(2); SELECT sum(x) FROM t;"
        #expect(try sqlite(file, script, in: directory) == "3")
        #expect(throws: ShellError.self) { try sqlite(file, "SELECT y FROM t", in: directory) }
    }

    @Test(arguments: [
        ("2026-01-01T00:00:00Z info larder: listening address=127.0.0.1:4711\n", 4_711),
        ("info: address=127.0.0.1:4711 threads=2 listening\n", 4_711),
        ("info: [larder] listening address=\"127.0.0.1:80\"\n", 80),
        ("demo-origin listening on http://127.0.0.1:4712\n", 4_712),
        ("info: listening address=127.0.0.1:47", nil),
        ("info: starting address=127.0.0.1:47\n", nil),
    ])
    func theListeningLineIsFound(text: String, port: Int?) {
        #expect(LarderProcess.listeningPort(in: text) == port)
    }

    @Test func datesAreIMFFixdates() {
        let date = WireDate.now(-86_400)
        #expect(date.utf8.count == 29)
        #expect(date.hasSuffix(" GMT"))
        #expect(date != WireDate.now())
    }

    @Test func aSeedGivesTheSameNumbers() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        #expect(first.bytes(100) == second.bytes(100))
        var other = SeededGenerator(seed: 8)
        #expect(first.bytes(100) != other.bytes(100))
    }
}
