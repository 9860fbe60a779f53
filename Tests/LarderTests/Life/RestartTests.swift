import CacheTestKit
import Glibc
import Testing

/// What is there after a stop and a start.
@Suite(.drivesProcesses)
struct RestartTests {
    @Test func theFirstRequestAfterARestartIsAHit() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            let all = (0...255).map { UInt8($0) }
            let aged = fresh().adding(["Age": "100", "X-Kept": "é", "X-Kept": "2"])
            stand.origin.on("/a", ScriptedAnswer(200, aged, body: all))
            stand.origin.on("/search") { ScriptedAnswer(200, ["ETag": "\"1\""], body: $0.body) }
            stand.origin.on("/empty", ScriptedAnswer(404, fresh()))
            let first = try stand.get("/a")
            _ = try stand.exchange("POST", "/search", body: all)
            _ = try stand.get("/empty")
            #expect(try stand.stop() == .code(0))
            stand.origin.stop()
            try stand.start()
            let get = try stand.get("/a")
            #expect(get.isHit)
            #expect(get.body == all)
            #expect(get.fields.values("X-Kept") == first.fields.values("X-Kept"))
            #expect(get.fields["Date"] == first.fields["Date"])
            #expect((100...300).contains(get.age ?? 0))
            let post = try stand.exchange("POST", "/search", body: all)
            #expect(post.isHit)
            #expect(post.body == all)
            #expect(post.fields["ETag"] == "\"1\"")
            let empty = try stand.get("/empty")
            #expect(empty.isHit)
            #expect(empty.status == 404)
            #expect(empty.body.isEmpty)
        }
    }

    @Test func ageGoesOnWhileNothingRuns() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh(2)))
            _ = try stand.get("/a")
            #expect(try stand.get("/a").isHit)
            try stand.stop()
            try await eventually("two seconds have passed") {
                try stand.start()
                let answer = try stand.get("/a", ["Cache-Control": "only-if-cached"])
                try stand.stop()
                return answer.status == 504
            }
        }
    }

    @Test func variantsCredentialsAndInvalidationsSurvive() async throws {
        try await withStand(["--cache-post", "/me"]) { stand in
            stand.origin.on("/vary") { request in
                .text(request.fields["X-Kind"] ?? "", fresh().adding(["Vary": "X-Kind"]))
            }
            stand.origin.on("/me") { .text($0.fields["Authorization"] ?? "nobody") }
            stand.origin.on("/item") { .text($0.method, fresh()) }
            for kind in ["one", "two"] {
                _ = try stand.get("/vary", ["X-Kind": kind])
                _ = try stand.post("/me", "q", ["Authorization": kind])
            }
            _ = try stand.get("/item")
            _ = try stand.post("/item", "change")
            try stand.stop()
            try stand.start()
            for kind in ["one", "two"] {
                let get = try stand.get("/vary", ["X-Kind": kind])
                #expect(get.isHit)
                #expect(get.text == kind)
                let post = try stand.post("/me", "q", ["Authorization": kind])
                #expect(post.isHit)
                #expect(post.text == kind)
            }
            #expect(try stand.post("/me", "q").text == "nobody")
            #expect(try stand.get("/item").xCache == "MISS")
        }
    }

    @Test func anInvalidationSurvivesAKill() async throws {
        try await withStand { stand in
            stand.origin.on("/item") { .text($0.method, fresh()) }
            _ = try stand.get("/item")
            try await stand.waitForEntries(1)
            _ = try stand.post("/item", "change")
            try await stand.waitForEntries(0)
            try stand.larder.process.kill()
            try stand.start()
            #expect(try stand.get("/item").xCache == "MISS")
        }
    }

    @Test func aDamagedFileNeverGivesAWrongAnswer() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var numbers = SeededGenerator(seed: seed)
        try await withStand { stand in
            stand.origin.onOther { request in
                ScriptedAnswer(200, fresh(), body: selfDescribing(Array(request.target.utf8)))
            }
            let client = try stand.client()
            for number in 0..<60 { _ = try client.exchange("GET", "/\(number)") }
            try stand.stop()
            var bytes = stand.directory.bytes(of: "cache.db")
            try #require(bytes.count > 100)
            for _ in 0..<40 {
                bytes[Int.random(in: 100..<bytes.count, using: &numbers)] ^= 0x55
            }
            try writeFile(stand.database, bytes)
            do {
                try stand.start()
            } catch  where "\(error)".contains("schema step") {
                // The damage hit the bookkeeping of the schema: refused, which is no wrong answer.
                return
            }
            let after = try stand.client()
            for number in 0..<60 {
                let answer = try after.exchange("GET", "/\(number)")
                #expect(answer.status == 200)
                let expected = selfDescribing(Array("/\(number)".utf8))
                #expect(answer.body == expected, "seed \(seed)")
            }
        }
    }
}

/// Content that can be checked against the request it answers, some KB long.
func selfDescribing(_ request: [UInt8]) -> [UInt8] {
    var seed: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in request { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var numbers = SeededGenerator(seed: seed)
    let length = Int.random(in: 0...6_000, using: &numbers)
    return Array("for ".utf8) + request + numbers.bytes(length)
}
