import CacheTestKit
import Glibc
import Testing

/// A visitor with the plain `sqlite3` shell while the proxy runs.
@Suite(.drivesProcesses)
struct ShellTests {
    @Test func entriesCanBeRead() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/a", .text("hello", fresh()))
            stand.origin.on("/search", .text("found"))
            stand.origin.on("/gone", ScriptedAnswer(404, fresh()))
            _ = try stand.get("/a?x=1", ["Host": "shop.test"])
            _ = try stand.get("/gone", ["Host": "shop.test"])
            _ = try stand.post("/search", "q", ["Host": "shop.test"])
            try await stand.waitForEntries(3)
            let rows = try stand.sqlite(
                "SELECT method, url, status FROM entries ORDER BY method, url")
            let expected = [
                "GET|http://shop.test/a?x=1|200", "GET|http://shop.test/gone|404",
                "POST|http://shop.test/search|200",
            ]
            #expect(rows.split(separator: "\n").map(String.init) == expected)
        }
    }

    @Test func aDeleteInTheShellIsAMissSoon() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/a", .text("hello", fresh()))
            stand.origin.on("/b", .text("other", fresh()))
            stand.origin.on("/search", .text("found"))
            _ = try stand.get("/a")
            _ = try stand.get("/b")
            _ = try stand.post("/search", "q")
            try await stand.waitForEntries(3)
            #expect(try stand.get("/a").isHit)
            #expect(try stand.post("/search", "q").isHit)
            _ = try stand.sqlite(
                """
                PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=5000;
                DELETE FROM responses WHERE id IN
                    (SELECT id FROM entries WHERE url LIKE '%/a' OR method = 'POST');
                """)
            try await eventually("the deleted GET is a miss") { try !stand.get("/a").isHit }
            try await eventually("the deleted POST is a miss") {
                try !stand.post("/search", "q").isHit
            }
            #expect(try stand.get("/b").isHit)
            #expect(try stand.get("/a").isHit)
            #expect(stand.origin.count("/a") == 2)
            #expect(stand.origin.count("/b") == 1)
        }
    }

    @Test func aShellThatHoldsATransactionStopsNoAnswer() async throws {
        try await withStand { stand in
            stand.origin.onOther { .text($0.target, fresh()) }
            _ = try stand.get("/before")
            try await stand.waitForEntries(1)
            let shell = try ChildProcess(
                "/bin/sh", ["-c", "mkfifo in && exec sqlite3 \"$1\" < in", "sh", stand.database],
                directory: stand.directory.path, outputName: "holder")
            var input: Int32 = -1
            try await eventually("the shell reads") {
                input = open(stand.directory.file("in"), O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                return input >= 0
            }
            let script = "PRAGMA busy_timeout=5000; BEGIN IMMEDIATE; SELECT 'begun';\n"
            #expect(write(input, script, script.utf8.count) == script.utf8.count)
            try await eventually("the transaction is open") {
                shell.standardOutput.contains("begun")
            }
            for number in 1...20 {
                #expect(try stand.get("/\(number)").text == "/\(number)")
                #expect(try stand.get("/before").isHit)
            }
            // Pending puts can be read.
            #expect(try stand.get("/1").isHit)
            // The end of its input ends the shell, and its end the transaction.
            close(input)
            #expect(try shell.waitForExit() == .code(0))
            try await stand.waitForEntries(21)
        }
    }

    @Test func filesAreTheOwnersOnly() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            _ = try stand.get("/a")
            try await stand.waitForEntries(1)
            for name in stand.directory.names() where name.hasPrefix("cache.db") {
                var status = stat()
                #expect(stat(stand.directory.file(name), &status) == 0)
                #expect(status.st_mode & 0o777 == 0o600, "\(name)")
            }
        }
    }
}
