import CacheTestKit
import Glibc
import Testing

/// SIGTERM and SIGINT finish what is in flight and keep what was stored.
@Suite(.drivesProcesses)
struct ShutdownTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func underLoadEverythingStoredIsInTheFile(signal: Int32) async throws {
        try await withStand(["--cache-post", "/load/*"]) { stand in
            Load.script(stand)
            let load = Load(stand)
            let process = try stand.larder.process
            try await load.run(clients: 8, until: 300) { process.signal(signal) }
            #expect(try process.waitForExit() == .code(0))
            #expect(load.faults.isEmpty)
            // Everything is in the one file: the log of writes is gone or empty.
            #expect(stand.directory.bytes(of: "cache.db-wal").isEmpty)
            let urls = try Set(
                stand.sqlite("SELECT url FROM entries").split(separator: "\n").map {
                    $0.split(separator: "/").last.flatMap { Int($0) } ?? -1
                })
            let stored = load.notes.filter(\.isStored).map(\.number)
            #expect(!stored.isEmpty)
            #expect(stored.filter { !urls.contains($0) }.isEmpty)
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
        }
    }

    @Test func whatIsInFlightIsAnsweredWhole() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            let gate = Gate()
            let body = [UInt8](repeating: 9, count: 300_000)
            stand.origin.onOther { _ in ScriptedAnswer(200, fresh(), body: body).held(by: gate) }
            let clients = try (0..<6).map { _ in try stand.client() }
            for (number, client) in clients.enumerated() {
                if number % 2 == 0 {
                    try client.send("GET", "/\(number)")
                } else {
                    try client.send("POST", "/search", body: [UInt8(number)])
                }
            }
            try await eventually("all are held") { gate.waitingCount == clients.count }
            let idle = try stand.client()
            let process = try stand.larder.process
            process.signal(SIGTERM)
            // No new connection is taken, and idle ones end.
            try await eventually("it stops accepting") { (try? stand.client()) == nil }
            #expect(try idle.readToEnd().isEmpty)
            #expect(process.exitIfEnded == nil)
            gate.open()
            for client in clients {
                let answer = try client.readAnswer()
                #expect(answer.status == 200)
                #expect(answer.body == body)
                #expect(try client.readToEnd().isEmpty)
            }
            #expect(try process.waitForExit() == .code(0))
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "6")
        }
    }

    @Test func aSecondSignalEndsAtOnce() async throws {
        try await withStand(["--drain-timeout", "10m"]) { stand in
            let gate = Gate()
            stand.origin.on("/a", ScriptedAnswer.text("x").held(by: gate))
            let client = try stand.client()
            try client.send("GET", "/a")
            try await eventually("it is held") { gate.waitingCount == 1 }
            let process = try stand.larder.process
            process.signal(SIGTERM)
            try await eventually("it stops accepting") { (try? stand.client()) == nil }
            #expect(process.exitIfEnded == nil)
            process.signal(SIGTERM)
            let exit = try process.waitForExit()
            #expect(exit != .code(0))
            gate.open()
        }
    }

    @Test func drainingHasAnEnd() async throws {
        try await withStand(["--drain-timeout", "200ms"]) { stand in
            let gate = Gate()
            stand.origin.on("/kept", .text("kept", fresh()))
            stand.origin.on("/a", ScriptedAnswer.text("x").held(by: gate))
            _ = try stand.get("/kept")
            let client = try stand.client()
            try client.send("GET", "/a")
            try await eventually("it is held") { gate.waitingCount == 1 }
            let process = try stand.larder.process
            process.signal(SIGTERM)
            _ = try process.waitForExit()
            gate.open()
            // Even so, what was stored is there.
            try stand.start()
            #expect(try stand.get("/kept").isHit)
        }
    }

    @Test func aStopWithoutTrafficIsClean() async throws {
        try await withStand { stand in
            #expect(try stand.stop() == .code(0))
            try stand.start()
            #expect(try stand.stop() == .code(0))
        }
    }
}
