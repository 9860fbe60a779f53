import CacheTestKit
import Glibc
import Testing

/// Starting, and refusing to start.
@Suite(.drivesProcesses)
struct StartTests {
    private static let origin = ["--origin", "http://127.0.0.1:9"]

    /// The exit, and that it is explained in one line.
    private func refusal(
        _ arguments: [String], environment: [String: String] = [:],
        in directory: TemporaryDirectory
    ) throws -> ChildProcess.Exit {
        let process = try LarderProcess.run(
            arguments, environment: environment, directory: directory.path)
        let exit = try process.waitForExit()
        let lines = process.standardError.split(separator: "\n")
        #expect(lines.count == 1, "\(process.standardError)")
        #expect((lines.first?.utf8.count ?? 0) > 10)
        return exit
    }

    @Test(arguments: [
        ["--frobnicate"], ["--listen", "nonsense"], ["--listen", "127.0.0.1:99999"],
        ["--default-ttl", "5x"], ["--default-ttl", "-1s"], ["--ttl-override", "soon"],
        ["--set-cookie", "maybe"], ["--memory", "lots"], ["--memory", "-1MB"],
        ["--max-object", "1XB"], ["--durability", "off"], ["--log-level", "loud"],
        ["--threads", "0"], ["--threads", "many"], ["--cache-post", "search"],
        ["--cache-post", ""], ["--credential-header", "bad name"], ["--key-header", "a:b"],
        ["--host", "a/b"], ["--origin", "ftp://a.test"], ["--origin", "nonsense"],
        ["--origin", "http://"], ["--drain-timeout", "10"], ["stray"],
    ])
    func badFlags(flags: [String]) throws {
        let directory = try TemporaryDirectory()
        let origin = flags.contains("--origin") ? [] : Self.origin
        let exit = try refusal(
            ["serve", "--listen", "127.0.0.1:0"] + origin + flags, in: directory)
        #expect(exit == .code(2))
        #expect(directory.names() == ["larder.err", "larder.out"])
    }

    @Test func theOriginIsNeeded() throws {
        let directory = try TemporaryDirectory()
        #expect(try refusal(["serve"], in: directory) == .code(2))
        #expect(directory.names() == ["larder.err", "larder.out"])
    }

    @Test func theEnvironmentCountsAndTheFlagWins() async throws {
        let directory = try TemporaryDirectory()
        let exit = try refusal(
            ["serve"] + Self.origin, environment: ["LARDER_DEFAULT_TTL": "5x"], in: directory)
        #expect(exit == .code(2))
        let origin = try ScriptedOrigin()
        defer { origin.stop() }
        origin.onOther { _ in .text("x") }
        let larder = try LarderProcess(
            ["serve", "--default-ttl", "1h"],
            environment: [
                "LARDER_ORIGIN": origin.url, "LARDER_LISTEN": "127.0.0.1:0",
                "LARDER_DB": "named.db", "LARDER_CACHE_POST": "/one,/two/*",
                "LARDER_DEFAULT_TTL": "2s",
            ], directory: directory.path)
        for path in ["/one", "/two/a"] {
            for result in ["MISS", "HIT"] {
                let answer = try RawClient(port: larder.port).exchange("POST", path, body: [1])
                #expect(answer.xCache == result)
                if result == "HIT" { #expect(!answer.cacheStatus.contains("ttl=2")) }
            }
        }
        #expect(directory.names().contains("named.db"))
        withExtendedLifetime(larder) {}
    }

    @Test func aPortInUse() throws {
        let directory = try TemporaryDirectory()
        let other = try ScriptedOrigin()
        defer { other.stop() }
        let listen = ["--listen", "127.0.0.1:\(other.port)"]
        #expect(try refusal(["serve"] + Self.origin + listen, in: directory) == .code(1))
        #expect(directory.names() == ["larder.err", "larder.out"])
    }

    @Test func aFileThatCannotBe() throws {
        let directory = try TemporaryDirectory()
        let listen = ["--listen", "127.0.0.1:0"]
        for path in ["/nowhere/at/all.db", directory.path, "/dev/null/x.db"] {
            let exit = try refusal(["serve", "--db", path] + Self.origin + listen, in: directory)
            #expect(exit == .code(1), "\(path)")
        }
        #expect(directory.names() == ["larder.err", "larder.out"])
    }

    @Test func aDatabaseOfSomethingElse() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("other.db")
        let script = "PRAGMA application_id=1234; CREATE TABLE diary(day TEXT);"
        _ = try sqlite(file, script, in: directory)
        let before = directory.bytes(of: "other.db")
        let exit = try refusal(
            ["serve", "--listen", "127.0.0.1:0", "--db", file] + Self.origin, in: directory)
        #expect(exit == .code(1))
        #expect(directory.bytes(of: "other.db") == before)
    }

    @Test func aSecondInstanceOnTheSameFile() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            _ = try stand.get("/a")
            #expect(try refusal(stand.allFlags, in: stand.directory) == .code(1))
            #expect(try stand.get("/a").isHit)
            // A lock file that is left behind by a kill locks nothing.
            try stand.larder.process.kill()
            try stand.start()
            #expect(try stand.get("/a").status == 200)
        }
    }

    @Test func theStartIsLogged() async throws {
        try await withStand(["--cache-post", "/search", "--default-ttl", "3h"]) { stand in
            let log = try stand.larder.standardError
            #expect(log.contains("listening"))
            #expect(log.contains(stand.origin.url))
            #expect(log.contains("/search"))
            try stand.stop()
            #expect(try stand.larder.standardError.utf8.count > log.utf8.count)
        }
    }

    @Test func theVersionIsPrinted() throws {
        let directory = try TemporaryDirectory()
        let process = try LarderProcess.run(["version"], directory: directory.path)
        #expect(try process.waitForExit() == .code(0))
        #expect(process.standardOutput.contains { $0.isNumber })
    }

    @Test func helpNamesEveryFlag() throws {
        let directory = try TemporaryDirectory()
        let process = try LarderProcess.run(["serve", "--help"], directory: directory.path)
        #expect(try process.waitForExit() == .code(0))
        for flag in [
            "--origin", "--listen", "--cache-api", "--cache-api-token-file",
            "--cache-ttl-defaults", "--cache-api-5xx", "--db", "--cache-post", "--default-ttl",
            "--ttl-override",
            "--set-cookie", "--ignore-credentials", "--ignore-request-directives",
            "--validate-post",
            "--credential-header", "--key-header",
            "--key-file", "--host", "--preserve-host", "--origin-ca", "--memory", "--max-object",
            "--max-key-body", "--spool-size", "--durability", "--threads", "--log-level",
        ] {
            #expect(process.standardOutput.contains(flag), "\(flag)")
        }
    }
}
