import CacheTestKit
import Glibc
import Synchronization
import Testing

/// A directory and the built binary with its Cache API, and with the proxy where there is an origin.
final class CacheStand: Sendable {
    let directory: TemporaryDirectory
    let origin: ScriptedOrigin?
    private let flags: [String]
    private let current = Mutex<LarderProcess?>(nil)
    private let starts = Mutex(0)

    /// - Parameter flags: made from the stand's directory.
    init(hasOrigin: Bool, _ flags: (TemporaryDirectory) throws -> [String]) throws {
        directory = try TemporaryDirectory()
        origin = hasOrigin ? try ScriptedOrigin() : nil
        self.flags = try flags(directory)
        try start()
    }

    var database: String { directory.file("cache.db") }

    private var allFlags: [String] {
        var all = ["serve", "--cache-api", "127.0.0.1:0", "--db", database]
        if let origin { all += ["--origin", origin.url, "--listen", "127.0.0.1:0"] }
        return all + flags
    }

    /// Starts the binary on the stand's database and waits until it listens.
    func start() throws {
        let number = starts.withLock { count in
            count += 1
            return count
        }
        let larder = try LarderProcess(
            allFlags, directory: directory.path, outputName: "larder-\(number)")
        current.withLock { $0 = larder }
    }

    var larder: LarderProcess {
        get throws {
            guard let larder = current.withLock({ $0 }) else { throw DeadlineError("not started") }
            return larder
        }
    }

    /// Asks the process to stop and waits for its end.
    func stop() throws {
        let process = try larder.process
        process.signal(SIGTERM)
        #expect(try process.waitForExit() == .code(0))
    }

    func restart() throws {
        try stop()
        try start()
    }

    /// kill -9.
    func killAndStart() throws {
        try larder.process.kill()
        try start()
    }

    /// A new connection to the Cache API.
    func client() throws -> RawClient {
        try RawClient(port: larder.cacheAPIPort)
    }

    /// A new connection to the proxy.
    func proxyClient() throws -> RawClient {
        try RawClient(port: larder.port, host: "larder.test")
    }

    func sqlite(_ script: String) throws -> String {
        try CacheTestKit.sqlite(database, script, in: directory)
    }

    func waitForEntries(_ count: Int) async throws {
        try await eventually("\(count) entries in the file") {
            try sqlite("SELECT count(*) FROM entries") == "\(count)"
        }
    }

    /// Nothing of bodies is in the file but what can be found.
    func waitForSweep() async throws {
        try await eventually("what nobody names is swept") {
            try sqlite("SELECT count(*) FROM bodies WHERE state <> 1") == "0"
        }
        let strays = "SELECT count(*) FROM chunks WHERE body_id NOT IN (SELECT id FROM bodies)"
        #expect(try sqlite(strays) == "0")
    }

    fileprivate func tearDown() {
        current.withLock { $0 }?.process.kill()
        origin?.stop()
    }

    fileprivate var lastWords: String {
        let text = current.withLock { $0 }?.standardError ?? ""
        return text.split(separator: "\n").suffix(12).joined(separator: "\n")
    }
}

/// Runs a test with a stand of its own and takes the stand down whatever happens.
func withCacheStand(
    _ flags: [String] = [], hasOrigin: Bool = false, _ body: (CacheStand) async throws -> Void
) async throws {
    try await withCacheStand(hasOrigin: hasOrigin, flags: { _ in flags }, body)
}

func withCacheStand(
    hasOrigin: Bool = false, flags: (TemporaryDirectory) throws -> [String],
    _ body: (CacheStand) async throws -> Void
) async throws {
    let stand = try CacheStand(hasOrigin: hasOrigin, flags)
    defer { stand.tearDown() }
    do {
        try await body(stand)
    } catch {
        Issue.record("\(error)\nlast lines of the server:\n\(stand.lastWords)")
    }
    #expect(stand.origin?.violations.isEmpty ?? true)
}

// MARK: Operations, each on a connection of its own

extension CacheStand {
    @discardableResult
    func put(_ url: String, _ payload: [UInt8], _ fields: WireFields = [:]) throws -> RawAnswer {
        try client().put(url, payload, fields)
    }

    func match(_ url: String, _ fields: WireFields = [:]) throws -> RawAnswer {
        try client().match(url, fields)
    }

    func purge(_ url: String, _ fields: WireFields = [:]) throws -> RawAnswer {
        try client().purge(url, fields)
    }

    func native(_ operation: String, _ json: String = "{}") throws -> RawAnswer {
        try client().native(operation, json)
    }
}

/// The three requests of the workers' runtime as it writes them with `style = proxy`: the key's URL
/// as target, no Host; and the native one.
extension RawClient {
    func put(_ url: String, _ payload: [UInt8], _ fields: WireFields = [:]) throws -> RawAnswer {
        let head = "PUT \(url) HTTP/1.1\r\n\(fields)Content-Length: \(payload.count)\r\n\r\n"
        try send(Array(head.utf8) + payload)
        return try readAnswer()
    }

    func match(
        _ url: String, _ fields: WireFields = [:], method: String = "GET"
    ) throws -> RawAnswer {
        try send(
            "\(method) \(url) HTTP/1.1\r\n\(fields)Cache-Control: only-if-cached\r\n\r\n")
        return try readAnswer(toHead: method == "HEAD")
    }

    func purge(_ url: String, _ fields: WireFields = [:]) throws -> RawAnswer {
        try send(
            "PURGE \(url) HTTP/1.1\r\n\(fields)X-Real-IP: 127.0.0.1\r\n"
                + "Content-Length: 0\r\n\r\n")
        return try readAnswer()
    }

    func native(_ operation: String, _ json: String = "{}") throws -> RawAnswer {
        try exchange(
            "POST", "/larder/\(operation)", ["Content-Type": "application/json"],
            body: Array(json.utf8))
    }
}

// MARK: What was put and what came of it

/// The payload of a put as the runtime makes it from a response of known length.
func response(
    _ status: String = "200 OK", _ fields: WireFields, _ body: [UInt8] = Array("content".utf8)
) -> [UInt8] {
    Array("HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(fields)\r\n".utf8) + body
}

/// The same of a 200 that is fresh for ten minutes.
func payload(_ text: String, _ fields: WireFields = [:]) -> [UInt8] {
    response("200 OK", fresh().adding(fields), Array(text.utf8))
}

extension RawAnswer {
    /// As the runtime decides it: by this field and its exact letters.
    var isMatch: Bool { fields.values("CF-Cache-Status") == ["HIT"] }

    /// The one form of a match without a result.
    var isMiss: Bool {
        status == 504 && fields.values("CF-Cache-Status") == ["MISS"] && body.isEmpty
    }

    var isStored: Bool { status == 204 && larderPut.hasPrefix("stored; ttl=") }

    var larderPut: String { fields["Larder-Put"] ?? "" }

    /// Seconds that a put is found for.
    var ttl: Int? { Int(larderPut.dropFirst("stored; ttl=".count)) }

    /// The boundary of multipart content.
    var boundary: String {
        fields["Content-Type"]?.split(separator: "boundary=").last.map { String($0) } ?? ""
    }
}
