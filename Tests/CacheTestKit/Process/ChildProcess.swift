package import Glibc
import Synchronization

/// A program that was started by a test, with its output in files.
///
/// It is killed and reaped with the last reference, also when the test has failed. All methods may
/// be called from any thread.
package final class ChildProcess: Sendable {
    package enum Exit: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }

    /// Goes to the directory and becomes the program, with no descriptor but the standard three:
    /// were the sockets of other tests open in it, their ends would never be seen.
    private static let prologue = """
        cd "$1" || exit 127
        shift
        for path in /proc/self/fd/*; do
            descriptor=${path##*/}
            if [ "$descriptor" -gt 2 ]; then eval "exec $descriptor>&-"; fi
        done
        exec "$@"
        """

    package let pid: pid_t
    private let outputPath: String
    private let errorPath: String
    private let exit = Mutex<Exit?>(nil)

    /// Starts `program` with `directory` as its working directory and nothing but the given
    /// environment, PATH and what the loader and the sanitizers need.
    package init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        directory: String, outputName: String
    ) throws {
        outputPath = "\(directory)/\(outputName).out"
        errorPath = "\(directory)/\(outputName).err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, flags, 0o600)
        var variables = environment
        for name in ["PATH", "HOME", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS"] {
            if variables[name] == nil, let value = getenv(name) {
                variables[name] = String(cString: value)
            }
        }
        var pid = pid_t()
        var attributes = Self.freshSignals()
        defer { posix_spawnattr_destroy(&attributes) }
        let command = ["bash", "-c", Self.prologue, "bash", directory, program] + arguments
        let result = Self.withCStrings(command) { argv in
            Self.withCStrings(variables.map { "\($0.key)=\($0.value)" }) { envp in
                posix_spawn(&pid, "/bin/bash", &actions, &attributes, argv, envp)
            }
        }
        guard result == 0 else { throw SystemCallError("posix_spawn \(program)", result) }
        self.pid = pid
    }

    deinit {
        kill()
    }

    package var standardOutput: String { String(decoding: readFile(outputPath), as: UTF8.self) }
    package var standardError: String { String(decoding: readFile(errorPath), as: UTF8.self) }

    /// How it ended; `nil` while it runs.
    package var exitIfEnded: Exit? {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            return exit
        }
    }

    /// Sends a signal, unless it has ended already.
    package func signal(_ number: Int32) {
        exit.withLock { exit in
            if exit == nil { exit = reap(WNOHANG) }
            if exit == nil { _ = Glibc.kill(pid, number) }
        }
    }

    /// Kills it at once and waits for its end.
    package func kill() {
        exit.withLock { exit in
            guard exit == nil else { return }
            _ = Glibc.kill(pid, SIGKILL)
            exit = reap(0)
        }
    }

    /// Waits until it has ended by itself.
    ///
    /// - Throws: `DeadlineError`; the process is killed then.
    package func waitForExit(within limit: Duration = .seconds(300)) throws -> Exit {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < deadline {
            if let exit = exitIfEnded { return exit }
            usleep(5_000)
        }
        kill()
        throw DeadlineError("process \(pid) did not end within \(limit); it said\n\(standardError)")
    }

    private func reap(_ options: Int32) -> Exit? {
        var status: Int32 = 0
        var result = waitpid(pid, &status, options)
        while result < 0 && errno == EINTR { result = waitpid(pid, &status, options) }
        if result == 0 { return nil }
        if result < 0 { return .code(-1) }
        return status & 0x7F == 0 ? .code((status >> 8) & 0xFF) : .signal(status & 0x7F)
    }

    /// A test runner's threads block or ignore signals, and a child would inherit that.
    private static func freshSignals() -> posix_spawnattr_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigemptyset(&all)
        for number in [SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGQUIT] { sigaddset(&all, number) }
        posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        return attributes
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers)
    }
}
