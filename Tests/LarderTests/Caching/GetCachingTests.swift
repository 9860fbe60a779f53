import CacheTestKit
import Testing

/// GET and HEAD as RFC 9111 says.
@Suite(.drivesProcesses)
struct GetCachingTests {
    @Test func theSecondIsAHit() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("hello", fresh()))
            let miss = try stand.get("/a?x=1")
            #expect(miss.xCache == "MISS")
            #expect(miss.cacheStatus.contains("larder; fwd=uri-miss; fwd-status=200; stored"))
            #expect(miss.fields["Date"] != nil)
            let hit = try stand.get("/a?x=1")
            #expect(hit.isHit)
            #expect(hit.text == "hello")
            #expect(hit.cacheStatus.contains("larder; hit; ttl="))
            #expect(hit.age != nil)
            #expect(hit.fields["Cache-Control"] == "max-age=600")
            #expect(try stand.get("/a?x=2").xCache == "MISS")
            #expect(stand.origin.requests.map(\.target) == ["/a?x=1", "/a?x=2"])
        }
    }

    @Test func fieldsKeepTheirLinesAndOrder() async throws {
        try await withStand { stand in
            let own: WireFields = [
                "X-First": "1", "Link": "</a>", "X-Between": "", "Link": "</b>", "x-lower": "é",
            ]
            stand.origin.on("/a", .text("x", fresh().adding(own)))
            for _ in 1...2 {
                let names = Set(own.lines.map(\.name))
                let got = try stand.get("/a").fields.lines.filter { names.contains($0.name) }
                #expect(got == own.lines)
            }
        }
    }

    @Test func withoutALifetimeNothingIsStored() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", ["Date": WireDate.now()]))
            for number in 1...2 {
                let answer = try stand.get("/a")
                #expect(answer.xCache == "MISS")
                #expect(!answer.cacheStatus.contains("stored"))
                #expect(stand.origin.count("/a") == number)
            }
        }
    }

    @Test func lastModifiedGivesATenthOfItsAge() async throws {
        try await withStand { stand in
            let tenDays: WireFields = [
                "Date": WireDate.now(), "Last-Modified": WireDate.now(-10 * 86_400),
            ]
            stand.origin.on("/a", .text("x", tenDays))
            stand.origin.on("/201", ScriptedAnswer(201, tenDays))
            #expect(try stand.get("/a").xCache == "MISS")
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            let ttl = hit.cacheStatus.split(separator: "ttl=").last.flatMap { Int($0) } ?? 0
            #expect((86_000...86_400).contains(ttl))
            _ = try stand.get("/201")
            #expect(try stand.get("/201").xCache == "MISS")
        }
    }

    @Test func ageAndExpiresAreUsed() async throws {
        try await withStand { stand in
            stand.origin.on("/aged", .text("x", fresh().adding(["Age": "100"])))
            #expect(try stand.get("/aged").age == 100)
            let again = try stand.get("/aged")
            // Another loop's clock may be a second behind.
            #expect((99...160).contains(again.age ?? 0))
            stand.origin.on("/old", .text("x", fresh().adding(["Age": "600"])))
            _ = try stand.get("/old")
            #expect(try !stand.get("/old").isHit)
            let expires: WireFields = ["Date": WireDate.now(), "Expires": WireDate.now(600)]
            stand.origin.on("/expires", .text("x", expires))
            _ = try stand.get("/expires")
            #expect(try stand.get("/expires").isHit)
            stand.origin.on("/junk", .text("x", ["Expires": "0"]))
            _ = try stand.get("/junk")
            #expect(try !stand.get("/junk").isHit)
        }
    }

    @Test(arguments: [
        "no-store", "private", "max-age=0", "max-age=junk", "max-age=600, no-store",
        "private, max-age=600", "s-maxage=0, max-age=600",
    ])
    func directivesThatForbidReuse(control: String) async throws {
        try await withStand { stand throws in
            stand.origin.on("/a", .text("x", ["Cache-Control": control]))
            for number in 1...2 {
                #expect(try !stand.get("/a").isHit)
                #expect(stand.origin.count("/a") == number)
            }
        }
    }

    @Test func cookiesThatAreSetKeepAnAnswerOut() async throws {
        let fields = fresh().adding(["Set-Cookie": "id=1", "Set-Cookie": "b=2"])
        let answer = ScriptedAnswer.text("x", fields)
        try await withStand { stand in
            stand.origin.on("/a", answer)
            for number in 1...2 {
                let got = try stand.get("/a")
                #expect(got.xCache == "MISS")
                #expect(got.fields.values("Set-Cookie") == ["id=1", "b=2"])
                #expect(stand.origin.count("/a") == number)
            }
        }
        try await withStand(["--set-cookie", "strip"]) { stand in
            stand.origin.on("/a", answer)
            _ = try stand.get("/a")
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(!hit.fields.contains("Set-Cookie"))
        }
        try await withStand(["--set-cookie", "store"]) { stand in
            stand.origin.on("/a", answer)
            _ = try stand.get("/a")
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.fields.values("Set-Cookie") == ["id=1", "b=2"])
        }
    }

    @Test(arguments: [nil, 16_384])
    func anAnswerOverTheLimitPassesThrough(chunkSize: Int?) async throws {
        try await withStand(["--max-object", "1MB"]) { stand in
            var numbers = SeededGenerator(seed: 3)
            let body = numbers.bytes((1 << 20) + 1)
            let framing = chunkSize.map { ScriptedAnswer.Framing.chunked($0) } ?? .length
            stand.origin.on("/a", ScriptedAnswer(200, fresh(), body: body, framing: framing))
            for number in 1...2 {
                let answer = try stand.get("/a")
                #expect(answer.body == body)
                #expect(!answer.isHit)
                if chunkSize == nil { #expect(answer.cacheStatus.contains("detail=")) }
                #expect(stand.origin.count("/a") == number)
            }
        }
    }

    @Test func framingsThatAreStored() async throws {
        try await withStand { stand in
            let body = Array("0123456789".utf8)
            stand.origin.on("/length", ScriptedAnswer(200, fresh(), body: body))
            stand.origin.on(
                "/chunked", ScriptedAnswer(200, fresh(), body: body, framing: .chunked(3)))
            stand.origin.on(
                "/close", ScriptedAnswer(200, fresh(), body: body, framing: .untilClose))
            stand.origin.on("/empty", ScriptedAnswer(200, fresh()))
            for path in ["/length", "/chunked", "/close", "/empty"] {
                let expected = path == "/empty" ? [] : body
                #expect(try stand.get(path).body == expected)
                let hit = try stand.get(path)
                #expect(hit.isHit, "\(path)")
                #expect(hit.body == expected)
                #expect(hit.fields["Content-Length"] == "\(expected.count)")
            }
        }
    }

    @Test func headIsAnsweredFromAStoredGet() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("hello", fresh().adding(["X-A": "1"])))
            _ = try stand.get("/a")
            let head = try stand.exchange("HEAD", "/a")
            #expect(head.isHit)
            #expect(head.body.isEmpty)
            #expect(head.fields["Content-Length"] == "5")
            #expect(head.fields["X-A"] == "1")
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func headIsForwardedAsHead() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("hello", fresh()))
            let client = try stand.client()
            let head = try client.exchange("HEAD", "/a")
            #expect(head.status == 200)
            #expect(head.fields["Content-Length"] == "5")
            // The same connection goes on: nothing waits for a body that never comes.
            #expect(try client.exchange("GET", "/a").text == "hello")
            #expect(stand.origin.requests.first?.method == "HEAD")
        }
    }

    @Test func aGetWithContentIsNeitherLookedUpNorStored() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { .text("\($0.body.count)", fresh()) }
            for number in 1...2 {
                let answer = try stand.exchange("GET", "/a", body: [1, 2, 3])
                #expect(answer.text == "3")
                #expect(!answer.isHit)
                #expect(stand.origin.count("/a") == number)
            }
            #expect(try stand.get("/a").text == "0")
            #expect(try stand.exchange("GET", "/a", body: [1]).text == "1")
        }
    }
}
