import CacheTestKit
import Glibc
import Synchronization
import Testing

/// A scripted origin, a directory and the built binary in front of that origin.
final class Stand: Sendable {
    let directory: TemporaryDirectory
    let origin: ScriptedOrigin
    private let originPath: String
    private let flags: [String]
    private let current = Mutex<LarderProcess?>(nil)
    private let starts = Mutex(0)

    init(_ flags: [String], originPath: String) throws {
        directory = try TemporaryDirectory()
        origin = try ScriptedOrigin()
        self.flags = flags
        self.originPath = originPath
        try start()
    }

    /// The path of the database.
    var database: String { directory.file("cache.db") }

    /// The flags that every instance of this stand gets.
    var allFlags: [String] {
        ["serve", "--listen", "127.0.0.1:0", "--db", database]
            + ["--origin", origin.url + originPath] + flags
    }

    /// Starts the binary on the stand's database and waits until it listens.
    @discardableResult
    func start() throws -> LarderProcess {
        let number = starts.withLock { count in
            count += 1
            return count
        }
        let larder = try LarderProcess(
            allFlags, directory: directory.path, outputName: "larder-\(number)")
        current.withLock { $0 = larder }
        return larder
    }

    /// The process that was started last.
    var larder: LarderProcess {
        get throws {
            guard let larder = current.withLock({ $0 }) else { throw DeadlineError("not started") }
            return larder
        }
    }

    var port: Int { get throws { try larder.port } }

    /// A new connection to the proxy.
    ///
    /// The host that it asks for is part of every key, so it stays the same over restarts.
    func client() throws -> RawClient {
        try RawClient(port: port, host: "larder.test")
    }

    /// One request on a connection of its own.
    func exchange(
        _ method: String, _ target: String, _ fields: WireFields = [:], body: [UInt8]? = nil,
        chunkSize: Int? = nil
    ) throws -> RawAnswer {
        try client().exchange(method, target, fields, body: body, chunkSize: chunkSize)
    }

    func get(_ target: String, _ fields: WireFields = [:]) throws -> RawAnswer {
        try exchange("GET", target, fields)
    }

    func post(_ target: String, _ text: String, _ fields: WireFields = [:]) throws -> RawAnswer {
        try exchange("POST", target, fields, body: Array(text.utf8))
    }

    /// Asks the process to stop and waits for its end.
    @discardableResult
    func stop() throws -> ChildProcess.Exit {
        let process = try larder.process
        process.signal(SIGTERM)
        return try process.waitForExit()
    }

    /// The output of a script in the `sqlite3` shell on the database.
    func sqlite(_ script: String) throws -> String {
        try CacheTestKit.sqlite(database, script, in: directory)
    }

    /// Waits until the file holds so many entries.
    func waitForEntries(_ count: Int) async throws {
        try await eventually("\(count) entries in the file") {
            try sqlite("SELECT count(*) FROM entries") == "\(count)"
        }
    }

    fileprivate func tearDown() {
        current.withLock { $0 }?.process.kill()
        origin.stop()
    }

    fileprivate var lastWords: String {
        let text = current.withLock { $0 }?.standardError ?? ""
        return text.split(separator: "\n").suffix(12).joined(separator: "\n")
    }
}

/// Runs a test with a stand of its own and takes the stand down whatever happens.
///
/// Whatever the test is about, the proxy must have spoken correct HTTP to its origin.
func withStand(
    _ flags: [String] = [], originPath: String = "", _ body: (Stand) async throws -> Void
) async throws {
    let stand = try Stand(flags, originPath: originPath)
    defer { stand.tearDown() }
    do {
        try await body(stand)
    } catch {
        Issue.record("\(error)\nlast lines of the proxy:\n\(stand.lastWords)")
    }
    #expect(stand.origin.violations.isEmpty)
}

/// Fields of an answer that says nothing but how long it is fresh.
func fresh(_ seconds: Int = 600) -> WireFields {
    ["Cache-Control": "max-age=\(seconds)"]
}

/// Runs `body` so many times at once and gives the results in order of their numbers.
func concurrently<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Value] {
    try await withThrowingTaskGroup(of: (Int, Value).self) { group in
        for index in 0..<count {
            group.addTask { (index, try await body(index)) }
        }
        var results: [(Int, Value)] = []
        for try await result in group { results.append(result) }
        return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
