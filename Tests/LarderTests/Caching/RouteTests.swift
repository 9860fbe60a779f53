import CacheTestKit
import Testing

/// Which POST is declared, and what one does that is not.
@Suite(.drivesProcesses)
struct RouteTests {
    @Test func anUndeclaredPostIsNeverAnsweredFromTheCache() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/order") { request in .text("got \(request.body.count)", fresh()) }
            for number in 1...3 {
                let answer = try stand.post("/order", "same")
                #expect(answer.text == "got 4")
                #expect(answer.xCache == "BYPASS")
                #expect(!answer.cacheStatus.contains("stored"))
                #expect(stand.origin.count("/order") == number)
            }
        }
    }

    @Test func noPostIsDeclaredByDefault() async throws {
        try await withStand { stand throws in
            stand.origin.onOther { _ in .text("x", fresh()) }
            for _ in 1...2 {
                #expect(try stand.post("/search", "q").xCache == "BYPASS")
            }
        }
    }

    @Test func globs() async throws {
        try await withStand(["--cache-post", "/v1/*", "--cache-post", "/deep/**"]) { stand throws in
            stand.origin.onOther { _ in .text("x") }
            let declared = ["/v1/a", "/v1/a?b/c", "/deep/a", "/deep/a/b/c"]
            let others = [
                "/v1", "/v1/a/b", "/v2/a", "/v1/%2e%2e", "/v1/a%2fb", "/deep/../v2", "/deep//a",
                "/deep/a/./b",
            ]
            for target in declared {
                #expect(try stand.post(target, "q").xCache == "MISS", "\(target)")
                #expect(try stand.post(target, "q").isHit, "\(target)")
            }
            for target in others {
                for _ in 1...2 {
                    #expect(try !stand.post(target, "q").isHit, "\(target)")
                }
            }
        }
    }

    @Test func declaringEverythingIsWarnedAbout() async throws {
        try await withStand(["--cache-post", "/**"]) { stand in
            stand.origin.onOther { _ in .text("x") }
            _ = try stand.post("/any/where", "q")
            #expect(try stand.post("/any/where", "q").isHit)
            #expect(try stand.larder.standardError.lowercased().contains("warn"))
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "PATCH", "MKCOL"])
    func anUnsafeRequestThatSucceedsInvalidates(method: String) async throws {
        try await withStand { stand in
            stand.origin.on("/item") { request in .text(request.method, fresh()) }
            #expect(try stand.get("/item").xCache == "MISS")
            #expect(try stand.get("/item").isHit)
            let changed = try stand.exchange(method, "/item", body: [1])
            #expect(changed.status == 200)
            #expect(changed.text == method)
            #expect(try stand.get("/item").xCache == "MISS")
            #expect(try stand.get("/item").isHit)
        }
    }

    @Test(arguments: [400, 404, 500, 503])
    func oneThatFailsDoesNot(status: Int) async throws {
        try await withStand { stand in
            stand.origin.on("/item") { request in
                request.method == "GET" ? .text("item", fresh()) : ScriptedAnswer(status)
            }
            _ = try stand.get("/item")
            #expect(try stand.post("/item", "x").status == status)
            #expect(try stand.get("/item").isHit)
            #expect(stand.origin.count("/item") == 2)
        }
    }

    @Test func locationsOfTheSameOriginAreInvalidatedToo() async throws {
        try await withStand { stand in
            stand.origin.onOther { request in
                guard request.method == "POST" else { return .text("x", fresh()) }
                return ScriptedAnswer(201, ["Location": "/made", "Content-Location": "/about"])
            }
            let targets = ["/list", "/made", "/about", "/other"]
            for target in targets { _ = try stand.get(target) }
            for target in targets { #expect(try stand.get(target).isHit) }
            #expect(try stand.post("/list", "x").status == 201)
            let results = try targets.map { try stand.get($0).xCache }
            #expect(results == ["MISS", "MISS", "MISS", "HIT"])
        }
    }

    @Test func aDeclaredPostInvalidatesNothingButFallsItself() async throws {
        try await withStand(["--cache-post", "/item"]) { stand in
            stand.origin.on("/item") { request in .text(request.method, fresh()) }
            _ = try stand.get("/item")
            _ = try stand.post("/item", "q")
            #expect(try stand.get("/item").isHit)
            #expect(try stand.post("/item", "q").isHit)
            #expect(try stand.exchange("DELETE", "/item").status == 200)
            #expect(try stand.get("/item").xCache == "MISS")
            #expect(try stand.post("/item", "q").xCache == "MISS")
        }
    }

    @Test func queryIsCachedByItsContent() async throws {
        try await withStand { stand in
            stand.origin.on("/find") { request in
                ScriptedAnswer(200, fresh(), body: request.body)
            }
            let type: WireFields = ["Content-Type": "application/json"]
            let query = { (text: String) in
                try stand.exchange("QUERY", "/find", type, body: Array(text.utf8))
            }
            #expect(try query("{1}").xCache == "MISS")
            let hit = try query("{1}")
            #expect(hit.isHit)
            #expect(hit.text == "{1}")
            #expect(try query("{2}").xCache == "MISS")
            #expect(stand.origin.requests.map(\.method) == ["QUERY", "QUERY"])
        }
    }
}
