import CacheTestKit
import Testing

/// Cache groups, answers to POST that serve later GETs, HEAD and stored answers, through the built
/// binary.
@Suite(.drivesProcesses)
struct GroupTests {
    private static func grouped(_ groups: String) -> WireFields {
        fresh().adding(["Cache-Groups": groups])
    }

    @Test func anUnsafeAnswerInvalidatesItsGroups() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("a1", Self.grouped("\"one\", \"two\"")), .text("a2"))
            stand.origin.on("/b", .text("b1", Self.grouped("\"two\"")), .text("b2"))
            stand.origin.on("/c", .text("c1", Self.grouped("\"three\"")), .text("c2"))
            stand.origin.on(
                "/edit", ScriptedAnswer(204, ["Cache-Group-Invalidation": "\"two\""]))
            for path in ["/a", "/b", "/c"] {
                _ = try stand.get(path)
                #expect(try stand.get(path).isHit)
            }
            #expect(try stand.post("/edit", "x").status == 204)
            #expect(try stand.get("/a").text == "a2")
            #expect(try stand.get("/b").text == "b2")
            #expect(try stand.get("/c").isHit)
        }
    }

    @Test func whatIsInTheFileOnlyIsInvalidatedToo() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("a1", Self.grouped("\"g\"")), .text("a2"))
            stand.origin.on("/b", .text("b1", fresh()), .text("b2"))
            stand.origin.on("/edit", ScriptedAnswer(204, ["Cache-Group-Invalidation": "\"g\""]))
            _ = try stand.get("/a")
            _ = try stand.get("/b")
            try await stand.waitForEntries(2)
            try stand.stop()
            try stand.start()
            _ = try stand.post("/edit", "x")
            #expect(try stand.get("/a").text == "a2")
            #expect(try stand.get("/b").isHit)
        }
    }

    @Test func answersToGetsInvalidateNoGroups() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("a1", Self.grouped("\"g\"")), .text("a2"))
            stand.origin.on("/b", .text("b", ["Cache-Group-Invalidation": "\"g\""]))
            _ = try stand.get("/a")
            _ = try stand.get("/b")
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test func anAnswerToPostThatNamesItsTargetServesLaterGets() async throws {
        try await withStand { stand in
            stand.origin.on(
                "/a",
                .text("posted", fresh().adding(["Content-Location": "/a"])),
                .text("got"))
            let post = try stand.post("/a", "x")
            #expect(post.text == "posted" && post.cacheStatus.contains("stored"))
            let hit = try stand.get("/a")
            #expect(hit.isHit && hit.text == "posted")
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func anOlderAnswerToPostDoesNotCoverANewerOne() async throws {
        try await withStand { stand in
            let gate = Gate()
            let own = fresh().adding(["Content-Location": "/a"])
            stand.origin.on("/a") { request in
                switch (request.method, String(decoding: request.body, as: UTF8.self)) {
                case ("POST", "1"): .text("after 1", own).held(by: gate)
                case ("POST", _): .text("after 2", own)
                default: .text("got")
                }
            }
            async let first = stand.post("/a", "1")
            try await eventually("the first is with the origin") { stand.origin.count("/a") == 1 }
            #expect(try stand.post("/a", "2").text == "after 2")
            #expect(try stand.get("/a").text == "after 2")
            gate.open()
            #expect(try await first.text == "after 1")
            #expect(try stand.get("/a").text != "after 1")
        }
    }

    @Test(arguments: [
        fresh(), fresh().adding(["Content-Location": "/b"]), ["Content-Location": "/a"],
    ])
    func otherAnswersToPostDoNot(fields: WireFields) async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("posted", fields), .text("got"))
            _ = try stand.post("/a", "x")
            #expect(try stand.get("/a").text == "got")
        }
    }

    @Test func aHeadWithAnotherValidatorMakesTheStoredAnswerUnusable() async throws {
        try await withStand { stand in
            let one = fresh().adding(["ETag": "\"1\""])
            stand.origin.on(
                "/a", .text("one", one), .text("two", fresh().adding(["ETag": "\"2\""])),
                .text("two", fresh().adding(["ETag": "\"2\""])))
            _ = try stand.get("/a")
            #expect(try stand.get("/a").isHit)
            _ = try stand.exchange("HEAD", "/a", ["Cache-Control": "no-cache"])
            #expect(try stand.get("/a").text == "two")
        }
    }

    @Test func aHeadWithTheSameValidatorFreshens() async throws {
        try await withStand { stand in
            let tag: WireFields = ["ETag": "\"1\""]
            stand.origin.on(
                "/a", .text("one", fresh(600).adding(tag)),
                .text("one", fresh(600).adding(tag).adding(["X-New": "yes"])))
            _ = try stand.get("/a")
            _ = try stand.exchange("HEAD", "/a", ["Cache-Control": "no-cache"])
            let hit = try stand.get("/a")
            #expect(hit.isHit && hit.text == "one" && hit.fields["X-New"] == "yes")
        }
    }

    @Test func aClientsTagAndTheStoredOneAreAskedTogether() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                guard let tags = request.fields["If-None-Match"] else {
                    return .text("one", ["Cache-Control": "no-cache", "ETag": "\"1\""])
                }
                return tags == "\"old\", \"1\""
                    ? ScriptedAnswer(304, fresh().adding(["ETag": "\"1\""])) : .text("wrong")
            }
            _ = try stand.get("/a")
            let answer = try stand.get("/a", ["If-None-Match": "\"old\""])
            #expect(answer.status == 200 && answer.text == "one")
            #expect(try stand.get("/a").isHit)
        }
    }
}
