import CacheTestKit
import Testing

/// Parts of what is stored, through the built binary: a small body in its row, a large one in
/// chunk rows, before and after a restart.
@Suite(.drivesProcesses)
struct RangeTests {
    private static let small = Array("abcdefghijklmnopqrstuvwxyz".utf8)
    private static let large: [UInt8] = {
        var numbers = SeededGenerator(seed: 11)
        return numbers.bytes(1 << 20)
    }()

    private func script(_ stand: Stand) {
        let fields = fresh().adding(["ETag": "\"v1\"", "Content-Type": "text/x"])
        stand.origin.on("/small", ScriptedAnswer(200, fields, body: Self.small))
        stand.origin.on(
            "/large", ScriptedAnswer(200, fields, body: Self.large, framing: .chunked(70_000)))
    }

    private func check(_ stand: Stand, _ path: String, _ body: [UInt8]) throws {
        let size = body.count
        let client = try stand.client()
        for (first, last) in [
            (0, 0), (0, 25), (size - 1, size - 1), (3, size - 2), (size / 2 - 7, size / 2 + 12),
            (0, size - 1),
        ] {
            let answer = try client.exchange("GET", path, ["Range": "bytes=\(first)-\(last)"])
            #expect(answer.status == 206 && answer.isHit)
            let isExact = answer.body == Array(body[first...last])
            #expect(isExact, "\(path) \(first)-\(last)")
            #expect(answer.fields["Content-Range"] == "bytes \(first)-\(last)/\(size)")
            #expect(answer.fields["Content-Length"] == "\(last - first + 1)")
        }
        let several = try client.exchange("GET", path, ["Range": "bytes=1-2,5-9,-3"])
        let boundary =
            several.fields["Content-Type"]?.split(separator: "=").last.map { String($0) } ?? ""
        var expected: [UInt8] = []
        for (first, last) in [(1, 2), (5, 9), (size - 3, size - 1)] {
            expected += Array(
                "--\(boundary)\r\nContent-Type: text/x\r\nContent-Range: bytes ".utf8)
            expected += Array("\(first)-\(last)/\(size)\r\n\r\n".utf8) + body[first...last]
            expected += Array("\r\n".utf8)
        }
        expected += Array("--\(boundary)--\r\n".utf8)
        #expect(several.status == 206 && several.isHit && !boundary.isEmpty)
        #expect(several.body == expected)
        let beyond = try client.exchange("GET", path, ["Range": "bytes=\(size)-"])
        #expect(beyond.status == 416 && beyond.isHit && beyond.body.isEmpty)
        #expect(beyond.fields["Content-Range"] == "bytes */\(size)")
        let changed = try client.exchange(
            "GET", path, ["Range": "bytes=0-0", "If-Range": "\"v0\""])
        let isWhole = changed.body == body
        #expect(changed.status == 200 && changed.isHit && isWhole)
        let known = try client.exchange(
            "GET", path, ["Range": "bytes=0-0", "If-None-Match": "\"v1\""])
        #expect(known.status == 304 && known.isHit)
        let head = try client.exchange("HEAD", path, ["Range": "bytes=0-0"])
        #expect(head.status == 200 && head.fields["Content-Length"] == "\(size)")
    }

    @Test func partsOfWhatIsStored() async throws {
        try await withStand { stand in
            script(stand)
            for _ in 1...2 {
                for (path, body) in [("/small", Self.small), ("/large", Self.large)] {
                    _ = try stand.get(path)
                    try check(stand, path, body)
                }
                try await stand.waitForEntries(2)
                try stand.stop()
                try stand.start()
                // From the file: nothing is in memory.
                for (path, body) in [("/small", Self.small), ("/large", Self.large)] {
                    try check(stand, path, body)
                }
            }
            #expect(stand.origin.count("/small") == 1 && stand.origin.count("/large") == 1)
        }
    }

    @Test func aDamagedChunkIsNeverAPart() async throws {
        try await withStand { stand in
            stand.origin.on("/large") { request in
                guard let range = request.fields["Range"] else {
                    return ScriptedAnswer(200, fresh(), body: Self.large)
                }
                return ScriptedAnswer(
                    206, ["Content-Range": "bytes 0-0/\(Self.large.count)", "X-Asked": range],
                    body: [Self.large[0]])
            }
            _ = try stand.get("/large")
            try await stand.waitForEntries(1)
            try stand.stop()
            let damage = "data = zeroblob(length(data))"
            _ = try stand.sqlite("UPDATE chunks SET \(damage) WHERE seq = 0")
            try stand.start()
            // Beyond the damage all is well.
            let sound = try stand.get("/large", ["Range": "bytes=200000-200001"])
            #expect(sound.status == 206 && sound.isHit)
            #expect(sound.body == Array(Self.large[200_000...200_001]))
            let missed = try stand.get("/large", ["Range": "bytes=0-0"])
            #expect(missed.status == 206 && !missed.isHit)
            #expect(missed.fields["X-Asked"] == "bytes=0-0")
        }
    }

    @Test func aRangeOfAMissIsForwarded() async throws {
        try await withStand { stand in
            stand.origin.on("/part") { request in
                ScriptedAnswer(
                    206, fresh().adding(["Content-Range": "bytes 1-2/9"]),
                    body: Array((request.fields["Range"] ?? "").utf8))
            }
            let answer = try stand.get("/part", ["Range": "bytes=1-2"])
            #expect(answer.status == 206 && answer.text == "bytes=1-2")
            #expect(answer.cacheStatus.hasPrefix("larder; fwd=uri-miss; fwd-status=206"))
        }
    }
}
