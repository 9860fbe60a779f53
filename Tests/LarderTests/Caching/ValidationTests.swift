import CacheTestKit
import Testing

/// Stale answers are validated (RFC 9111 §4.3), and clients' own conditions are answered.
@Suite(.drivesProcesses)
struct ValidationTests {
    /// An origin that answers 304 to the condition it is meant to get.
    private func validating(
        _ stand: Stand, _ fields: WireFields, condition: String, value: String
    ) {
        stand.origin.on("/a") { request in
            request.fields[condition] == value
                ? ScriptedAnswer(304, fields) : .text("body", fields)
        }
    }

    @Test func anETagIsSentExactlyAsItCame() async throws {
        for tag in ["\"v1\"", "W/\"v1\"", "\"\"", "\"a,b\""] {
            try await withStand { stand in
                let fields: WireFields = ["ETag": tag, "Cache-Control": "no-cache"]
                validating(stand, fields, condition: "If-None-Match", value: tag)
                #expect(try stand.get("/a").xCache == "MISS")
                let answer = try stand.get("/a")
                #expect(answer.status == 200)
                #expect(answer.text == "body")
                #expect(answer.xCache == "REVALIDATED")
                #expect(answer.cacheStatus.contains("fwd=stale; fwd-status=304"))
                #expect(stand.origin.count("/a") == 2)
            }
        }
    }

    @Test func aDateIsSentExactlyAsItCame() async throws {
        try await withStand { stand in
            let date = "Sunday, 06-Nov-94 08:49:37 GMT"
            let fields: WireFields = ["Last-Modified": date, "Cache-Control": "no-cache"]
            validating(stand, fields, condition: "If-Modified-Since", value: date)
            _ = try stand.get("/a")
            let answer = try stand.get("/a")
            #expect(answer.text == "body")
            #expect(answer.xCache == "REVALIDATED")
        }
    }

    @Test func afterItsLifetimeAnAnswerIsValidatedAndFreshAgain() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                request.fields["If-None-Match"] == "\"1\""
                    ? ScriptedAnswer(304, fresh(600).adding(["ETag": "\"1\"", "X-New": "yes"]))
                    : .text("body", fresh(2).adding(["ETag": "\"1\"", "X-Old": "yes"]))
            }
            _ = try stand.get("/a")
            var last = try stand.get("/a")
            try await eventually("the answer is stale") {
                last = try stand.get("/a")
                return !last.isHit
            }
            #expect(last.xCache == "REVALIDATED")
            #expect(last.text == "body")
            // What the 304 brought is there, the rest is kept.
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.text == "body")
            #expect(hit.fields["X-New"] == "yes")
            #expect(hit.fields["X-Old"] == "yes")
            #expect(hit.fields["Content-Length"] == "4")
            #expect(stand.origin.count("/a") == 2)
        }
    }

    @Test func withoutAValidatorItIsFetchedAnew() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("one", fresh(2)), .text("two", fresh(600)))
            _ = try stand.get("/a")
            var last = try stand.get("/a")
            try await eventually("the answer is stale") {
                last = try stand.get("/a")
                return !last.isHit
            }
            #expect(last.xCache == "MISS")
            #expect(last.cacheStatus.contains("fwd=stale; fwd-status=200"))
            #expect(last.text == "two")
            #expect(try stand.get("/a").text == "two")
        }
    }

    @Test func aNewAnswerReplacesTheOld() async throws {
        try await withStand { stand in
            let control: WireFields = ["Cache-Control": "no-cache"]
            stand.origin.on(
                "/a", .text("one", control.adding(["ETag": "\"1\""])),
                .text("two", fresh().adding(["ETag": "\"2\""])))
            _ = try stand.get("/a")
            let changed = try stand.get("/a")
            #expect(changed.text == "two")
            #expect(changed.xCache == "MISS")
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.text == "two")
        }
    }

    @Test(arguments: [true, false])
    func aDeclaredPostIsValidatedWhereItsRouteSaysSo(validates: Bool) async throws {
        let flags = ["--cache-post", "/a"] + (validates ? ["--validate-post"] : [])
        try await withStand(flags) { stand in
            let fields: WireFields = ["ETag": "\"1\"", "Cache-Control": "no-cache"]
            stand.origin.on("/a") { request in
                request.fields["If-None-Match"] == "\"1\""
                    ? ScriptedAnswer(304, fields) : .text("body", fields)
            }
            _ = try stand.post("/a", "x")
            let answer = try stand.post("/a", "x")
            #expect(answer.status == 200 && answer.text == "body")
            #expect(answer.xCache == (validates ? "REVALIDATED" : "MISS"))
        }
    }

    @Test func conditionsOfClientsAreAnsweredFromAFreshAnswer() async throws {
        try await withStand { stand in
            let modified = WireDate.now(-3_600)
            let own: WireFields = [
                "ETag": "\"1\"", "Last-Modified": modified, "Content-Type": "text/plain",
            ]
            stand.origin.on("/a", .text("body", fresh().adding(own)))
            _ = try stand.get("/a")
            let same: [WireFields] = [
                ["If-None-Match": "\"1\""], ["If-None-Match": "W/\"1\""],
                ["If-None-Match": "\"0\", \"1\""], ["If-None-Match": "*"],
                ["If-Modified-Since": modified], ["If-Modified-Since": WireDate.now()],
                ["If-None-Match": "\"1\"", "If-Modified-Since": WireDate.now(-86_400)],
            ]
            let client = try stand.client()
            for condition in same {
                let answer = try client.exchange("GET", "/a", condition)
                #expect(answer.status == 304, "\(condition)")
                #expect(answer.isHit)
                #expect(answer.body.isEmpty)
                #expect(answer.fields["ETag"] == "\"1\"")
            }
            let other: [WireFields] = [
                ["If-None-Match": "\"2\""], ["If-Modified-Since": WireDate.now(-86_400)],
                ["If-None-Match": "\"2\"", "If-Modified-Since": WireDate.now()],
                ["If-Modified-Since": "yesterday"],
            ]
            for condition in other {
                let answer = try client.exchange("GET", "/a", condition)
                #expect(answer.status == 200, "\(condition)")
                #expect(answer.isHit)
                #expect(answer.text == "body")
            }
            #expect(stand.origin.count("/a") == 1)
        }
    }

    @Test func conditionsThatAreNotForACacheAreForwarded() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                request.fields.contains("If-Match")
                    ? ScriptedAnswer(412) : .text("body", fresh().adding(["ETag": "\"1\""]))
            }
            _ = try stand.get("/a")
            #expect(try stand.get("/a", ["If-Match": "\"2\""]).status == 412)
            #expect(try stand.get("/a").isHit)
        }
    }

    @Test func aClientsConditionOnAMissDoesNotSpoilTheStore() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                request.fields["If-None-Match"] == "\"1\""
                    ? ScriptedAnswer(304, ["ETag": "\"1\""])
                    : .text("body", fresh().adding(["ETag": "\"1\""]))
            }
            let conditional = try stand.get("/a", ["If-None-Match": "\"1\""])
            #expect([200, 304].contains(conditional.status))
            for _ in 1...2 {
                let plain = try stand.get("/a")
                #expect(plain.status == 200)
                #expect(plain.text == "body")
            }
        }
    }

    @Test func aRangeNeverYieldsAPartInTheStore() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                guard request.fields.contains("Range") else { return .text("0123456789", fresh()) }
                let part = fresh().adding(["Content-Range": "bytes 0-3/10"])
                return ScriptedAnswer(206, part, body: Array("0123".utf8))
            }
            let part = try stand.get("/a", ["Range": "bytes=0-3"])
            #expect(part.status == 206 || part.status == 200)
            #expect(try stand.get("/a").text == "0123456789")
            #expect(try stand.get("/a").text == "0123456789")
        }
    }
}
