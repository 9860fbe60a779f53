import CacheTestKit
import Testing

/// Answers that differ by request fields (RFC 9111 §4.1).
@Suite(.drivesProcesses)
struct VaryTests {
    @Test func variantsStandSideBySide() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                .text(request.fields["X-Kind"] ?? "none", fresh().adding(["Vary": "X-Kind"]))
            }
            let kinds: [WireFields] = [["X-Kind": "one"], ["X-Kind": "two"], [:], ["X-Kind": ""]]
            let texts = ["one", "two", "none", ""]
            let first = try kinds.map { try stand.get("/a", $0) }
            #expect(first.map(\.text) == texts)
            #expect(first.map(\.xCache) == ["MISS", "MISS", "MISS", "MISS"])
            #expect(first[1].cacheStatus.contains("fwd=vary-miss"))
            let second = try kinds.map { try stand.get("/a", $0) }
            #expect(second.map(\.text) == texts)
            #expect(second.map(\.xCache) == ["HIT", "HIT", "HIT", "HIT"])
            #expect(stand.origin.count("/a") == 4)
        }
    }

    @Test func linesAreJoinedAndTrimmed() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh().adding(["Vary": "x-kind , X-Other"])))
            _ = try stand.get("/a", ["X-Kind": "a", "X-Kind": "b"])
            #expect(try stand.get("/a", ["x-kind": "a, b"]).isHit)
            #expect(try stand.get("/a", ["x-kind": "  a, b "]).isHit)
            #expect(try !stand.get("/a", ["x-kind": "b, a"]).isHit)
            #expect(try !stand.get("/a", ["x-kind": "A, B"]).isHit)
        }
    }

    @Test func codingsAndLanguagesAreComparedByMeaning() async throws {
        try await withStand { stand in
            let vary: WireFields = ["Vary": "Accept-Encoding, Accept-Language"]
            stand.origin.on("/a", .text("x", fresh().adding(vary)))
            let asked: WireFields = [
                "Accept-Encoding": "gzip, br", "Accept-Language": "de, en;q=0.5",
            ]
            _ = try stand.get("/a", asked)
            let same: WireFields = [
                "accept-encoding": "BR,GZIP", "accept-language": "DE,en; q=0.5",
            ]
            #expect(try stand.get("/a", same).isHit)
            let others: [WireFields] = [
                ["Accept-Encoding": "gzip, br", "Accept-Language": "en, de;q=0.5"],
                ["Accept-Encoding": "gzip, br;q=0", "Accept-Language": "de, en;q=0.5"],
                ["Accept-Encoding": "gzip, br"],
            ]
            for other in others {
                #expect(try !stand.get("/a", other).isHit, "\(other)")
            }
        }
    }

    @Test(arguments: ["*", "Accept, *"])
    func aStarIsNeverReused(vary: String) async throws {
        try await withStand { stand throws in
            stand.origin.on("/a", .text("x", fresh().adding(["Vary": vary])))
            for number in 1...2 {
                #expect(try stand.get("/a").xCache == "MISS")
                #expect(stand.origin.count("/a") == number)
            }
        }
    }

    @Test func aDeclaredPostVariesToo() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/search") { request in
                .text(request.fields["X-Kind"] ?? "none", ["Vary": "X-Kind"])
            }
            for kind in ["one", "two"] {
                #expect(try stand.post("/search", "q", ["X-Kind": kind]).text == kind)
            }
            for kind in ["one", "two"] {
                let hit = try stand.post("/search", "q", ["X-Kind": kind])
                #expect(hit.isHit)
                #expect(hit.text == kind)
            }
        }
    }

    @Test func anAnswerThatVariesByTheClientsAddressIsNotKept() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                .text(
                    request.fields["X-Forwarded-For"] ?? "none",
                    fresh().adding(["Vary": "X-Forwarded-For"]))
            }
            for _ in 1...2 {
                let answer = try stand.get("/a", ["X-Forwarded-For": "203.0.113.9"])
                #expect(answer.text == "127.0.0.1")
                #expect(answer.xCache == "MISS")
                #expect(!answer.cacheStatus.contains("stored"))
            }
        }
    }

    @Test func aCredentialInDisguiseReachesNobody() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/search") { request in
                .text(request.fields["X_Api_Key"] ?? "anonymous", fresh())
            }
            let answer = try stand.post("/search", "q", ["X_Api_Key": "secret"])
            #expect(answer.text == "anonymous")
            #expect(try stand.post("/search", "q").text == "anonymous")
        }
    }

    @Test func invalidationFellsEveryVariant() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh().adding(["Vary": "X-Kind"])))
            for kind in ["one", "two"] { _ = try stand.get("/a", ["X-Kind": kind]) }
            _ = try stand.post("/a", "change")
            for kind in ["one", "two"] {
                #expect(try stand.get("/a", ["X-Kind": kind]).xCache == "MISS")
            }
        }
    }
}
