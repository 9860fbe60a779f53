import CacheTestKit
import Testing

/// What a client may ask of the cache (RFC 9111 §5.2.1).
@Suite(.drivesProcesses)
struct RequestDirectiveTests {
    @Test(
        arguments: [
            ["Cache-Control": "no-cache"], ["Cache-Control": "max-age=0"], ["Pragma": "no-cache"],
            ["Cache-Control": "min-fresh=601"],
        ] as [WireFields])
    func aFreshAnswerCanBeRefused(fields: WireFields) async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("one", fresh()), .text("two", fresh()))
            _ = try stand.get("/a")
            // An age of 0 is not above max-age=0: wait until it is.
            if fields["Cache-Control"] == "max-age=0" {
                try await eventually("it has an age") { (try stand.get("/a").age ?? 0) > 0 }
            }
            let forced = try stand.get("/a", fields)
            #expect(forced.text == "two")
            #expect(!forced.isHit)
            #expect(forced.cacheStatus.contains("fwd="))
            // What came is stored for the others.
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.text == "two")
        }
    }

    @Test func theOperatorMayIgnoreThem() async throws {
        try await withStand(["--ignore-request-directives"]) { stand in
            stand.origin.on("/a") { request in
                .text(request.fields["Cache-Control"] ?? request.fields["Pragma"] ?? "-", fresh())
            }
            let all: [WireFields] = [
                ["Cache-Control": "no-store"], ["Cache-Control": "no-cache"],
                ["Pragma": "no-cache"], ["Cache-Control": "max-age=0, min-fresh=9999"],
                ["Cache-Control": "only-if-cached"],
            ]
            for (number, fields) in all.enumerated() {
                let answer = try stand.get("/a", fields)
                #expect(answer.status == 200 && answer.text == "-")
                #expect(answer.isHit == (number > 0))
            }
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func onlyIfCached() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("one", fresh()))
            let only: WireFields = ["Cache-Control": "only-if-cached"]
            #expect(try stand.get("/a", only).status == 504)
            #expect(stand.origin.requests.isEmpty)
            _ = try stand.get("/a")
            let hit = try stand.get("/a", only)
            #expect(hit.status == 200)
            #expect(hit.isHit)
        }
    }

    @Test func noStoreLeavesNothing() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("one", fresh()))
            let first = try stand.get("/a", ["Cache-Control": "no-store"])
            #expect(first.text == "one")
            #expect(!first.cacheStatus.contains("stored"))
            #expect(try stand.get("/a").xCache == "MISS")
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test func maxStaleTakesAStaleAnswer() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("one", fresh(1)), .text("two", fresh()))
            _ = try stand.get("/a")
            try await eventually("it is stale") {
                let answer = try stand.get("/a", ["Cache-Control": "only-if-cached"])
                return answer.status == 504
            }
            let stale = try stand.get("/a", ["Cache-Control": "max-stale=600"])
            #expect(stale.text == "one")
            #expect(["STALE", "HIT"].contains(stale.xCache))
            #expect(stand.origin.count("/a") == 1)
            #expect(try stand.get("/a").text == "two")
        }
    }
}
