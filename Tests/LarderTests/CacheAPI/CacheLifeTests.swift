import CacheTestKit
import Glibc
import Testing

/// What is there after a stop, after a kill, and after a put that never came to its end.
@Suite(.drivesProcesses)
struct CacheLifeTests {
    private static let url = "http://a.example/x"

    @Test func whatWasPutIsThereAfterAStop() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let sizes = [0, 1, 65_536, 262_144, 262_145, 2_000_000]
            for size in sizes {
                let message = response("200 OK", fresh(), largeBody("\(size)", size))
                #expect(try client.put("\(Self.url)\(size)", message).isStored)
            }
            // The stop has to wait for what is queued.
            for _ in 1...2 {
                try stand.restart()
                for size in sizes {
                    let hit = try stand.match("\(Self.url)\(size)")
                    #expect(hit.isMatch)
                    expectBody(hit, largeBody("\(size)", size))
                }
            }
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
        }
    }

    @Test func whatIsInTheFileSurvivesAKill() async throws {
        try await withCacheStand { stand in
            let body = largeBody("/l", 1_000_000)
            #expect(try stand.put(Self.url, payload("small")).isStored)
            #expect(try stand.put(Self.url + "l", response("200 OK", fresh(), body)).isStored)
            #expect(try stand.put(Self.url + "d", payload("deleted")).isStored)
            try await stand.waitForEntries(3)
            // A deletion is answered when it is in the file.
            #expect(try stand.purge(Self.url + "d").status == 200)
            try stand.killAndStart()
            #expect(try stand.match(Self.url).text == "small")
            expectBody(try stand.match(Self.url + "l"), body)
            #expect(try stand.match(Self.url + "d").isMiss)
            #expect(try stand.sqlite("PRAGMA integrity_check") == "ok")
        }
    }

    @Test func everyAnsweredDeletionSurvivesAKill() async throws {
        try await withCacheStand { stand in
            for round in 0..<4 {
                let client = try stand.client()
                let urls = (0..<10).map { "\(Self.url)-\(round)-\($0)" }
                for url in urls { #expect(try client.put(url, payload(url)).isStored) }
                let operation = round % 2 == 0
                if operation {
                    for url in urls { #expect(try client.purge(url).status == 200) }
                } else {
                    #expect(
                        try client.native("delete-cache", #"{"cache":""}"#).text
                            == "{\"deleted\":true}\n")
                }
                try stand.killAndStart()
                for url in urls { #expect(try stand.match(url).isMiss, "\(url)") }
            }
        }
    }

    /// How a put can break off.
    enum Cut: CaseIterable {
        case inTheHead
        case behindTheHead
        case shortOfItsLength
        case beforeTheLastChunk
        case withinAChunk
    }

    private func begin(_ client: RawClient, _ cut: Cut, _ message: [UInt8]) throws {
        let head = "PUT \(Self.url) HTTP/1.1\r\n"
        let length = "\(head)Content-Length: \(message.count)\r\n\r\n"
        let chunk = "\(head)Transfer-Encoding: chunked\r\n\r\n"
        let start = Array(message.dropLast(1))
        switch cut {
        case .inTheHead: try client.send(Array(length.utf8) + message.prefix(20))
        case .behindTheHead:
            let end = message.firstRange(of: [13, 10, 13, 10])?.upperBound ?? 0
            try client.send(Array(length.utf8) + message[..<end])
        case .shortOfItsLength: try client.send(Array(length.utf8) + start)
        case .beforeTheLastChunk:
            try client.send(Array(chunk.utf8) + chunked(message, size: 10_000).dropLast(5))
        case .withinAChunk:
            try client.send(Array(chunk.utf8) + chunked(start, size: start.count).dropLast(20))
        }
    }

    @Test(arguments: Cut.allCases, [50, 1_500_000])
    func aPutThatBreaksOffChangesNothing(cut: Cut, size: Int) async throws {
        try await withCacheStand { stand in
            #expect(try stand.put(Self.url, payload("before")).isStored)
            let message = response("200 OK", fresh(), largeBody("/new", size))
            // One hangs up, the other only stops sending.
            for hangsUp in [true, false] {
                let client = try stand.client()
                try begin(client, cut, message)
                if hangsUp {
                    client.close()
                } else {
                    client.finishSending()
                    let answer = try? client.readAnswer()
                    #expect(answer?.isStored != true)
                }
                #expect(try stand.match(Self.url).text == "before")
            }
            // The next put is as good as ever, and nothing of the others is left.
            #expect(try stand.put(Self.url + "2", payload("other")).isStored)
            try await stand.waitForEntries(2)
            try await stand.waitForSweep()
            try stand.restart()
            #expect(try stand.match(Self.url).text == "before")
            #expect(try stand.match(Self.url + "2").text == "other")
        }
    }

    @Test func aStalledPutDoesNotHideWhatIsThere() async throws {
        try await withCacheStand(["--body-timeout", "1s"]) { stand in
            #expect(try stand.put(Self.url, payload("before")).isStored)
            let client = try stand.client()
            try begin(client, .shortOfItsLength, response("200 OK", fresh()))
            #expect(try stand.match(Self.url).text == "before")
            // It is given up, not kept for ever.
            let end = try client.readToEnd()
            #expect(!String(decoding: end, as: UTF8.self).contains("204"))
            #expect(try stand.match(Self.url).text == "before")
        }
    }

    @Test func aStopDuringAPutStoresNothing() async throws {
        try await withCacheStand(["--drain-timeout", "1s"]) { stand in
            #expect(try stand.put(Self.url, payload("before")).isStored)
            let client = try stand.client()
            try begin(
                client, .beforeTheLastChunk, response("200 OK", fresh(), largeBody("/n", 800_000)))
            try stand.restart()
            #expect(try stand.match(Self.url).text == "before")
            try await stand.waitForSweep()
        }
    }

    /// A put that is replaced: the newest is found, in every place.
    @Test func theLastPutIsTheOneThatIsFound() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            var last: [UInt8] = []
            for (number, size) in [10, 500_000, 20, 900_000, 700_000, 30].enumerated() {
                last = largeBody("\(number)", size)
                #expect(try client.put(Self.url, response("200 OK", fresh(), last)).isStored)
                expectBody(try client.match(Self.url), last)
            }
            try stand.restart()
            expectBody(try stand.match(Self.url), last)
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "1")
            try await stand.waitForSweep()
        }
    }
}
