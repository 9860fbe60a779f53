import CacheTestKit
import Testing

/// POST on a route that the operator has declared cacheable.
@Suite(.drivesProcesses)
struct PostCachingTests {
    private let declared = ["--cache-post", "/search"]

    /// An origin that answers with what it was asked and with the number of the request.
    private func echo(_ stand: Stand, _ fields: WireFields = [:]) {
        stand.origin.on("/search") { request in
            ScriptedAnswer(200, fields, body: Array("answer to ".utf8) + request.body)
        }
    }

    @Test func theSecondIsAHit() async throws {
        try await withStand(declared) { stand in
            echo(stand, ["Content-Type": "text/plain", "X-Origin": "yes"])
            let miss = try stand.post("/search", "q=1")
            #expect(miss.status == 200)
            #expect(miss.text == "answer to q=1")
            #expect(miss.xCache == "MISS")
            #expect(miss.cacheStatus.contains("larder; fwd=uri-miss; fwd-status=200; stored"))
            let hit = try stand.post("/search", "q=1")
            #expect(hit.status == 200)
            #expect(hit.text == "answer to q=1")
            #expect(hit.xCache == "HIT")
            #expect(hit.cacheStatus.contains("larder; hit; ttl="))
            #expect(hit.age != nil)
            #expect(hit.fields["Content-Type"] == "text/plain")
            #expect(hit.fields["X-Origin"] == "yes")
            #expect(stand.origin.count("/search") == 1)
        }
    }

    @Test func theDefaultLifetimeIsTwoHours() async throws {
        try await withStand(declared) { stand in
            echo(stand)
            _ = try stand.post("/search", "q")
            let hit = try stand.post("/search", "q")
            let ttl = hit.cacheStatus.split(separator: "ttl=").last.flatMap { Int($0) } ?? 0
            #expect((7_100...7_200).contains(ttl))
        }
    }

    @Test func anotherBodyOrTypeIsAnotherAnswer() async throws {
        try await withStand(declared) { stand in
            echo(stand)
            let requests: [(String, WireFields)] = [
                ("q=1", [:]), ("q=2", [:]), ("q=1 ", [:]), ("Q=1", [:]),
                ("q=1", ["Content-Type": "text/plain"]),
                ("q=1", ["Content-Type": "application/json"]),
                ("q=1", ["Content-Encoding": "gzip"]),
                ("q=1", ["Content-Language": "de"]),
                ("q=1", ["Accept": "text/html"]),
                ("q=1", ["Accept-Language": "de"]),
                ("q=1", ["Accept-Encoding": "gzip"]),
                ("q=1", ["Origin": "https://a.test"]),
            ]
            for (body, fields) in requests {
                #expect(
                    try stand.post("/search", body, fields).xCache == "MISS", "\(body) \(fields)")
            }
            for (body, fields) in requests {
                let hit = try stand.post("/search", body, fields)
                #expect(hit.isHit, "\(body) \(fields)")
                #expect(hit.text == "answer to \(body)")
            }
            #expect(try stand.post("/search?x", "q=1").status == 200)
            #expect(stand.origin.requests.count == requests.count + 1)
        }
    }

    @Test func everyByteValueIsKept() async throws {
        try await withStand(declared) { stand in
            let all = (0...255).map { UInt8($0) }
            echo(stand)
            let type: WireFields = ["Content-Type": "application/octet-stream"]
            _ = try stand.exchange("POST", "/search", type, body: all)
            let hit = try stand.exchange("POST", "/search", type, body: all)
            #expect(hit.isHit)
            #expect(hit.body == Array("answer to ".utf8) + all)
            #expect(stand.origin.requests.first?.body == all)
            // One bit is enough to be another body.
            var other = all
            other[128] ^= 1
            #expect(try stand.exchange("POST", "/search", type, body: other).xCache == "MISS")
        }
    }

    @Test(arguments: [1, 5, 1_000])
    func aChunkedBodyIsTheSameBody(chunkSize: Int) async throws {
        try await withStand(declared) { stand in
            echo(stand)
            var numbers = SeededGenerator(seed: 1)
            let body = numbers.bytes(3_000)
            let miss = try stand.exchange("POST", "/search", body: body, chunkSize: chunkSize)
            #expect(miss.xCache == "MISS")
            let hit = try stand.exchange("POST", "/search", body: body)
            #expect(hit.isHit)
            #expect(hit.body == Array("answer to ".utf8) + body)
            #expect(stand.origin.requests.first?.body == body)
        }
    }

    @Test func anEmptyBodyIsABody() async throws {
        try await withStand(declared) { stand throws in
            echo(stand)
            #expect(try stand.exchange("POST", "/search", body: []).xCache == "MISS")
            #expect(try stand.exchange("POST", "/search", body: []).isHit)
            #expect(try stand.exchange("POST", "/search", body: [], chunkSize: 8).isHit)
            #expect(try stand.exchange("POST", "/search", body: [0]).xCache == "MISS")
        }
    }

    @Test func aBodyOfOneMebibyteIsAKey() async throws {
        try await withStand(declared) { stand throws in
            let body = [UInt8](repeating: 7, count: 1 << 20)
            stand.origin.on("/search") { .text("\($0.body.count)") }
            #expect(try stand.exchange("POST", "/search", body: body).text == "1048576")
            #expect(try stand.exchange("POST", "/search", body: body).isHit)
        }
    }

    @Test(arguments: [nil, 65_536])
    func aLargerBodyPassesThrough(chunkSize: Int?) async throws {
        try await withStand(declared + ["--max-key-body", "1MB"]) { stand in
            var numbers = SeededGenerator(seed: 2)
            let body = numbers.bytes((1 << 20) + 1)
            stand.origin.on("/search") { ScriptedAnswer(200, fresh(), body: $0.body) }
            for number in 1...2 {
                let answer = try stand.exchange("POST", "/search", body: body, chunkSize: chunkSize)
                #expect(answer.body == body)
                #expect(!answer.isHit)
                #expect(answer.cacheStatus.contains("detail=body-limit"))
                #expect(stand.origin.count("/search") == number)
                #expect(stand.origin.requests.last?.body == body)
            }
        }
    }

    @Test func onlyA200IsStoredWithoutALifetime() async throws {
        try await withStand(declared) { stand in
            for status in [201, 204, 301, 404, 500, 503] {
                let body = "status \(status)"
                stand.origin.on("/search") { request in
                    let status = Int(String(decoding: request.body.suffix(3), as: UTF8.self)) ?? 0
                    return ScriptedAnswer(status)
                }
                for _ in 1...2 {
                    let answer = try stand.post("/search", body)
                    #expect(answer.status == status)
                    #expect(!answer.isHit)
                }
            }
            #expect(stand.origin.count("/search") == 12)
        }
    }

    @Test func rangeAndPreconditionsChangeNothing() async throws {
        try await withStand(declared) { stand in
            echo(stand, ["ETag": "\"1\""])
            _ = try stand.post("/search", "q")
            for fields: WireFields in [
                ["Range": "bytes=0-1"], ["If-None-Match": "\"1\""], ["If-None-Match": "*"],
            ] {
                let answer = try stand.post("/search", "q", fields)
                #expect(answer.status == 200)
                #expect(answer.text == "answer to q")
            }
        }
    }

    @Test func theRulingLifetimeOverrulesTheOrigin() async throws {
        try await withStand(declared + ["--ttl-override", "1h"]) { stand in
            for control in ["no-store", "private", "no-cache", "max-age=0"] {
                stand.origin.on("/search", .text(control, ["Cache-Control": control]))
                #expect(try stand.post("/search", control).xCache == "MISS")
                let hit = try stand.post("/search", control)
                #expect(hit.isHit)
                #expect(hit.text == control)
            }
            // It rules on declared routes only.
            stand.origin.on("/other", .text("other", ["Cache-Control": "no-store"]))
            for _ in 1...2 {
                #expect(try !stand.get("/other").isHit)
            }
        }
    }

    @Test(arguments: ["no-store", "private"])
    func withoutItTheOriginIsObeyed(control: String) async throws {
        try await withStand(declared) { stand throws in
            echo(stand, ["Cache-Control": control])
            for number in 1...2 {
                #expect(try stand.post("/search", "q").xCache == "MISS")
                #expect(stand.origin.count("/search") == number)
            }
        }
    }

    @Test func fieldsOfTheKeyCanBeAdded() async throws {
        try await withStand(declared + ["--key-header", "X-Tenant"]) { stand in
            stand.origin.on("/search") { .text($0.fields["X-Tenant"] ?? "none") }
            for tenant in ["a", "b"] {
                let miss = try stand.post("/search", "q", ["X-Tenant": tenant])
                #expect(miss.xCache == "MISS")
                #expect(miss.text == tenant)
                #expect(try stand.post("/search", "q", ["X-Tenant": tenant]).text == tenant)
            }
            #expect(try stand.post("/search", "q").text == "none")
            #expect(stand.origin.requests.count == 3)
        }
    }
}
