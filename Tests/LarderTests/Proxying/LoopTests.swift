import CacheTestKit
import Testing

/// Proxies in front of themselves (RFC 9110 §7.6.3).
@Suite(.drivesProcesses)
struct LoopTests {
    /// A port that was free a moment ago.
    private func freePort() throws -> Int {
        let origin = try ScriptedOrigin()
        defer { origin.stop() }
        return origin.port
    }

    private func serve(
        _ directory: TemporaryDirectory, _ name: String, host: String = "127.0.0.1", port: Int,
        origin: Int
    ) throws -> LarderProcess {
        try LarderProcess(
            [
                "serve", "--listen", "\(host):\(port)", "--db", directory.file("\(name).db"),
                "--origin", "http://127.0.0.1:\(origin)", "--log-level", "debug",
            ], directory: directory.path, outputName: name)
    }

    private func exchanges(_ process: LarderProcess) -> Int {
        process.standardError.split(separator: "\n").count { $0.contains("status=") }
    }

    private func expectLoop(_ answer: RawAnswer) {
        #expect(answer.status == 508)
        #expect(
            answer.fields.values("Proxy-Status") == ["larder; error=proxy_loop_detected"])
        #expect(answer.fields["Content-Type"] == "application/problem+json")
    }

    @Test func inFrontOfItself() async throws {
        let directory = try TemporaryDirectory()
        let port = try freePort()
        // The very address it listens on is refused at the start.
        let larder = try serve(directory, "self", host: "0.0.0.0", port: port, origin: port)
        defer { larder.process.kill() }
        expectLoop(try RawClient(port: port).exchange("GET", "/a"))
        expectLoop(try RawClient(port: port).exchange("POST", "/a", body: [1]))
        try await eventually("the lines") { exchanges(larder) >= 4 }
        // For each: the one that came from outside, and the one that came back.
        #expect(exchanges(larder) == 4)
    }

    @Test func inACircle() async throws {
        let directory = try TemporaryDirectory()
        let port = try freePort()
        let second = try serve(directory, "second", port: 0, origin: port)
        defer { second.process.kill() }
        let first = try serve(directory, "first", port: port, origin: second.port)
        defer { first.process.kill() }
        expectLoop(try RawClient(port: port).exchange("GET", "/a"))
        try await eventually("the lines") { exchanges(first) >= 2 && exchanges(second) >= 1 }
        #expect(exchanges(first) == 2 && exchanges(second) == 1)
    }

    /// Two in a row are no circle, also of the same version.
    @Test func aChainIsNoCircle() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            let front = try serve(
                stand.directory, "front", port: 0, origin: try stand.port)
            defer { front.process.kill() }
            let answer = try RawClient(port: front.port).exchange("GET", "/a")
            #expect(answer.status == 200 && answer.text == "x")
            let via = stand.origin.requests.last?.fields["Via"]?.split(separator: ", ") ?? []
            #expect(via.count == 2 && Set(via).count == 2)
            #expect(via.allSatisfy { $0.hasPrefix("1.1 larder-") && $0.utf8.count == 19 })
        }
    }
}
