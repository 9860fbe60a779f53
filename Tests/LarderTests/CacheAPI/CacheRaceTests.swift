import CacheTestKit
import Glibc
import Testing

/// Puts and deletions that meet: each match sees one of the states that an order of them allows.
@Suite(.drivesProcesses)
struct CacheRaceTests {
    private static let url = "http://a.example/x"

    /// Back to back on one connection, so that the put is still queued when it is deleted.
    @Test(arguments: [10, 400_000])
    func aDeletionWinsOverAQueuedPut(size: Int) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let urls = (0..<60).map { "\(Self.url)\($0)" }
            let message = response("200 OK", fresh(), largeBody("/q", size))
            for url in urls {
                let put = "PUT \(url) HTTP/1.1\r\nContent-Length: \(message.count)\r\n\r\n"
                let purge = "PURGE \(url) HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
                try client.send(Array(put.utf8) + message + Array(purge.utf8))
                #expect(try client.readAnswer().isStored)
                #expect(try client.readAnswer().status == 200)
                #expect(try client.match(url).isMiss)
            }
            #expect(try client.put("\(Self.url)-last", payload("last")).isStored)
            try stand.restart()
            for url in urls { #expect(try stand.match(url).isMiss, "\(url)") }
            #expect(try stand.match("\(Self.url)-last").text == "last")
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "1")
            try await stand.waitForSweep()
        }
    }

    /// What is deleted while it comes in is older than its deletion.
    @Test(arguments: ["purge", "delete", "delete-cache", "delete-tagged"], [60_000, 1_200_000])
    func aDeletionDuringAPut(deletion: String, size: Int) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let fields = fresh().adding(["Cache-Tag": "tag"])
            let message = response("200 OK", fields, largeBody("/u", size))
            for isThere in [false, true] {
                if isThere { #expect(try stand.put(Self.url, message).isStored) }
                let head = "PUT \(Self.url) HTTP/1.1\r\nContent-Length: \(message.count)\r\n\r\n"
                try client.send(Array(head.utf8) + message.prefix(size / 2))
                try await waitUntilRead(stand)
                #expect(try stand.match(Self.url).isMatch == isThere)
                let deleted: Bool
                switch deletion {
                case "purge": deleted = try stand.purge(Self.url).status == 200
                case "delete":
                    deleted =
                        try stand.native("delete", "{\"url\":\"\(Self.url)\"}").text
                        == "{\"deleted\":true}\n"
                case "delete-cache":
                    deleted =
                        try stand.native("delete-cache", #"{"cache":""}"#).text
                        == "{\"deleted\":true}\n"
                default:
                    #expect(
                        try stand.native("delete-tagged", "{\"tags\":[\"tag\"]}").status == 200)
                    deleted = isThere
                }
                #expect(deleted == isThere)
                #expect(try stand.match(Self.url).isMiss)
                try client.send(Array(message.dropFirst(size / 2)))
                let answer = try client.readAnswer()
                #expect(answer.status == 413 && answer.larderPut == "refused; reason=invalidated")
                #expect(try stand.match(Self.url).isMiss)
            }
            try stand.restart()
            #expect(try stand.match(Self.url).isMiss)
            #expect(try stand.put(Self.url, message).isStored)
            #expect(try stand.match(Self.url).isMatch)
        }
    }

    /// Until the server has taken what was sent to it.
    private func waitUntilRead(_ stand: CacheStand) async throws {
        let port = try stand.larder.cacheAPIPort
        let suffix = ":" + String(repeating: "0", count: 4 - String(port, radix: 16).count)
        let local = (suffix + String(port, radix: 16)).uppercased()
        try await eventually("no bytes wait in the sockets") {
            let table = String(decoding: readFile("/proc/net/tcp"), as: UTF8.self)
            return table.split(separator: "\n").dropFirst().allSatisfy { line in
                let columns = line.split(separator: " ")
                // State 01 is established; the fifth column is what waits to be sent and read.
                let isOurs =
                    columns.count > 4 && columns[3] == "01"
                    && (columns[1].hasSuffix(local) || columns[2].hasSuffix(local))
                return !isOurs || columns[4] == "00000000:00000000"
            }
        }
    }

    @Test func oneOfManyDeletionsHasFoundIt() async throws {
        try await withCacheStand { stand in
            for round in 0..<12 {
                let message = response(
                    "200 OK", fresh(), largeBody("/", round % 3 == 0 ? 400_000 : 10))
                #expect(try stand.put(Self.url, message).isStored)
                // From memory, from the queue, and from the file alone.
                if round % 4 == 1 { try stand.restart() }
                let port = try stand.larder.cacheAPIPort
                let isNative = round % 2 == 0
                let found = try await concurrently(8) { number in
                    let client = try RawClient(port: port)
                    if isNative, number % 2 == 0 {
                        let json = "{\"url\":\"\(Self.url)\"}"
                        return try client.native("delete", json).text == "{\"deleted\":true}\n"
                    }
                    return try client.purge(Self.url).status == 200
                }
                #expect(found.filter { $0 }.count == 1, "round \(round)")
                #expect(try stand.match(Self.url).isMiss)
            }
        }
    }

    /// Every match gives the whole of one put, or nothing; the end is that of the last in time.
    @Test func putsMatchesAndDeletionsOfOneKey() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await withCacheStand { stand in
            let port = try stand.larder.cacheAPIPort
            let bodies = (0..<6).map { number in
                largeBody("\(number)", [5, 40, 70_000, 300_000, 5, 600_000][number])
            }
            let faults = try await concurrently(8) { worker in
                var numbers = SeededGenerator(seed: seed &+ UInt64(worker))
                var faults: [String] = []
                let client = try RawClient(port: port)
                for step in 0..<60 {
                    switch Int.random(in: 0..<4, using: &numbers) {
                    case 0:
                        let body = bodies[Int.random(in: 0..<6, using: &numbers)]
                        let put = try client.put(Self.url, response("200 OK", fresh(), body))
                        let isLegal =
                            put.isStored || put.larderPut == "refused; reason=invalidated"
                        if !isLegal { faults.append("put \(step): \(put.larderPut)") }
                    case 1:
                        let status = try client.purge(Self.url).status
                        if status != 200 && status != 404 { faults.append("purge \(status)") }
                    default:
                        let answer = try client.match(Self.url)
                        if answer.isMiss { continue }
                        let isWhole = answer.isMatch && bodies.contains(answer.body)
                        if !isWhole { faults.append("match \(step): \(answer.body.count)") }
                    }
                }
                return faults
            }
            #expect(faults.allSatisfy { $0.isEmpty }, "seed \(seed): \(faults)")
            // Quiet again: what a match says holds, in memory as in the file.
            let end = try stand.match(Self.url)
            try stand.restart()
            let again = try stand.match(Self.url)
            #expect(again.isMatch == end.isMatch && again.isMiss == end.isMiss, "seed \(seed)")
            let isSame = again.body == end.body
            #expect(isSame, "seed \(seed)")
            #expect(try stand.purge(Self.url).status == (end.isMatch ? 200 : 404))
            #expect(try stand.match(Self.url).isMiss)
            try await stand.waitForSweep()
        }
    }

    /// `await put(); match()` hits: the answer comes when it is found, by everyone.
    @Test func anAnsweredPutIsFoundByAll() async throws {
        try await withCacheStand(["--threads", "4"]) { stand in
            let port = try stand.larder.cacheAPIPort
            let faults = try await concurrently(6) { worker in
                let writer = try RawClient(port: port)
                let reader = try RawClient(port: port)
                var faults = 0
                for number in 0..<50 {
                    let url = "\(Self.url)-\(worker)-\(number % 7)"
                    let text = "\(worker) \(number)"
                    guard try writer.put(url, payload(text)).isStored else { return -1 }
                    if try reader.match(url).text != text { faults += 1 }
                    guard number % 5 == 0 else { continue }
                    if try writer.purge(url).status != 200 { faults += 1 }
                    if try !reader.match(url).isMiss { faults += 1 }
                }
                return faults
            }
            #expect(faults.allSatisfy { $0 == 0 }, "\(faults)")
        }
    }
}
