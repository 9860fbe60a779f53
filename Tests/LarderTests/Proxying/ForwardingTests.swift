import CacheTestKit
import Testing

/// What the origin and the client see of each other.
@Suite(.drivesProcesses)
struct ForwardingTests {
    /// What the origin got for a request.
    private func forwarded(
        _ stand: Stand, _ method: String, _ target: String, _ fields: WireFields,
        body: [UInt8]? = nil
    ) throws -> ScriptedOrigin.Request {
        _ = try stand.exchange(method, target, fields, body: body)
        return try #require(stand.origin.requests.last)
    }

    @Test(arguments: ["M-SEARCH", "PROPFIND", "REPORT", "PATCH", "DELETE"])
    func methodsArriveAsTheyWereSent(method: String) async throws {
        try await withStand { (stand: Stand) async throws in
            stand.origin.on("/a") { .text($0.method) }
            #expect(try stand.exchange(method, "/a").text == method)
        }
    }

    @Test func fieldsThatSayWhoAsksAreOurs() async throws {
        try await withStand { stand in
            let claims: WireFields = [
                "Host": "shop.test", "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.test",
                "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.test",
                "Forwarded": "for=6.6.6.6;host=evil.test", "X-Original-URL": "/evil",
                "X-Rewrite-URL": "/evil", "X-HTTP-Method-Override": "DELETE",
                "X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE",
            ]
            let seen = try forwarded(stand, "GET", "/a", claims).fields
            #expect(seen.values("X-Forwarded-For") == ["127.0.0.1"])
            #expect(seen.values("X-Forwarded-Host") == ["shop.test"])
            #expect(seen.values("X-Forwarded-Proto") == ["http"])
            for name in [
                "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override",
                "X-HTTP-Method", "X-Method-Override",
            ] {
                #expect(!seen.contains(name), "\(name)")
            }
        }
    }

    @Test func claimedHostsDoNotPoison() async throws {
        try await withStand { stand in
            stand.origin.on("/a") { request in
                .text(request.fields["X-Forwarded-Host"] ?? "", fresh())
            }
            let poisoned = try stand.get("/a", ["X-Forwarded-Host": "evil.test"])
            #expect(!poisoned.text.contains("evil"))
            #expect(try !stand.get("/a").text.contains("evil"))
            // Another host is another key: its name reaches the origin.
            let other = try stand.get("/a", ["Host": "other.test"])
            #expect(other.xCache == "MISS")
            #expect(other.text == "other.test")
        }
    }

    @Test func viaIsAppendedBothWays() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh().adding(["Via": "1.0 behind"])))
            let answer = try stand.get("/a", ["Via": "1.0 before"])
            let seen = stand.origin.requests.last?.fields["Via"] ?? ""
            #expect(seen.hasPrefix("1.0 before, 1.1 "))
            #expect((answer.fields["Via"] ?? "").hasPrefix("1.0 behind, 1.1 "))
            #expect((try stand.get("/a").fields["Via"] ?? "").hasPrefix("1.0 behind, 1.1 "))
        }
    }

    /// RFC 9211 §2: what caches further up said stays before what we say, unless nobody could read
    /// the field then.
    @Test(arguments: [
        (["up; hit; ttl=3"], true), (["a; hit", "b; fwd=miss"], true), (["a; hit=?"], false),
        (["a; hit", "("], false),
    ])
    func cacheStatusOfOthers(_ lines: [String], isKept: Bool) async throws {
        try await withStand { stand in
            var fields = fresh()
            for line in lines { fields.add("Cache-Status", line) }
            stand.origin.on("/a", .text("x", fields))
            for result in ["larder; fwd=uri-miss", "larder; hit"] {
                let said = try stand.get("/a").fields.values("Cache-Status")
                #expect(said.dropLast() == (isKept ? lines : [])[...])
                #expect(said.last?.hasPrefix(result) == true)
            }
            let passed = try stand.post("/a", "x").fields.values("Cache-Status")
            #expect(passed.dropLast() == (isKept ? lines : [])[...])
        }
    }

    @Test func hopByHopFieldsOfRequestsEndHere() async throws {
        try await withStand { stand in
            let fields: WireFields = [
                "Connection": "keep-alive, X-Secret", "X-Secret": "1", "Keep-Alive": "timeout=9",
                "Proxy-Connection": "keep-alive", "Proxy-Authorization": "Basic x",
                "TE": "trailers", "X-Kept": "yes", "Accept": "text/html",
            ]
            let seen = try forwarded(stand, "GET", "/a", fields).fields
            for name in [
                "X-Secret", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "TE",
            ] {
                #expect(!seen.contains(name), "\(name)")
            }
            #expect(seen["X-Kept"] == "yes")
            #expect(seen["Accept"] == "text/html")
        }
    }

    @Test func hopByHopFieldsOfAnswersEndHere() async throws {
        try await withStand { stand in
            let fields: WireFields = [
                "Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5",
                "Proxy-Authenticate": "Basic", "Upgrade": "h2c", "X-Kept": "yes",
            ]
            stand.origin.on("/a", .text("x", fresh().adding(fields)))
            for result in ["MISS", "HIT"] {
                let answer = try stand.get("/a")
                #expect(answer.xCache == result)
                for name in ["X-Hop", "Keep-Alive", "Proxy-Authenticate", "Upgrade"] {
                    #expect(!answer.fields.contains(name), "\(name)")
                }
                #expect(answer.fields["X-Kept"] == "yes")
            }
        }
    }

    @Test func theHostIsTheOriginsUnlessPreserved() async throws {
        try await withStand { stand in
            let seen = try forwarded(stand, "GET", "/a", ["Host": "shop.test"])
            #expect(seen.fields.values("Host") == ["127.0.0.1:\(stand.origin.port)"])
        }
        try await withStand(["--preserve-host"]) { stand in
            let seen = try forwarded(stand, "GET", "/a", ["Host": "Shop.test"])
            #expect(seen.fields.values("Host").map { $0.lowercased() } == ["shop.test"])
        }
    }

    @Test func targetsAreForwardedByteForByte() async throws {
        try await withStand { stand in
            let client = try stand.client()
            let targets = [
                "/", "/?", "/a//b", "/a/../b", "/a/./b", "/%61", "/%2e%2E/", "/a;b=c,d?x=1&x=%20+y",
                "/~a-b._c", "/a?b=c/d?e", "/'()*!$@:&=", "/%FF%00",
            ]
            for target in targets {
                #expect(try client.exchange("GET", target).status == 404)
                #expect(stand.origin.requests.last?.target == target)
            }
            #expect(stand.origin.requests.count == targets.count)
        }
    }

    @Test func aPathInTheOriginIsPrefixed() async throws {
        try await withStand(originPath: "/base") { stand throws in
            #expect(try forwarded(stand, "GET", "/a?b", [:]).target == "/base/a?b")
            #expect(try forwarded(stand, "POST", "/", [:], body: [1]).target == "/base/")
        }
    }

    @Test func onlyTheHostsThatAreNamedAreServed() async throws {
        try await withStand(["--host", "shop.test", "--host", "api.test:8443"]) { stand throws in
            stand.origin.onOther { _ in .text("x") }
            for host in ["shop.test", "SHOP.test", "shop.test.", "api.test:8443"] {
                #expect(try stand.get("/a", ["Host": host]).status == 200, "\(host)")
            }
            let count = stand.origin.requests.count
            for host in ["evil.test", "shop.test.evil.test", "xshop.test", "127.0.0.1"] {
                #expect(try stand.get("/a", ["Host": host]).status == 421, "\(host)")
            }
            #expect(stand.origin.requests.count == count)
        }
    }

    @Test func bodiesAreStreamedBothWays() async throws {
        try await withStand { stand in
            stand.origin.on("/echo") {
                ScriptedAnswer(200, body: $0.body, framing: .chunked(9_999))
            }
            var numbers = SeededGenerator(seed: 4)
            let body = numbers.bytes(6 << 20)
            #expect(try stand.exchange("PUT", "/echo", body: body).body == body)
            let pieces = try stand.exchange("POST", "/echo", body: body, chunkSize: 100_000)
            #expect(pieces.body == body)
            #expect(stand.origin.requests.allSatisfy { $0.body == body })
        }
    }

    @Test func requestTrailersAreDropped() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.onOther { .text("\($0.body.count)") }
            for path in ["/search", "/other"] {
                let client = try stand.client()
                try client.send(
                    "POST \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                        + "Trailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: evil\r\n\r\n")
                #expect(try client.readAnswer().text == "3")
                let seen = try #require(stand.origin.requests.last)
                #expect(!seen.fields.contains("X-T"))
                #expect(seen.message.trailers.lines.isEmpty)
            }
        }
    }

    @Test func answerTrailersAreForWhoWantsThem() async throws {
        try await withStand { stand in
            stand.origin.onOther { request in
                .raw(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n"
                        + "Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: \(request.path)\r\n"
                        + "Set-Cookie: evil\r\n\r\n")
            }
            let wanted = try stand.get("/a", ["TE": "trailers", "Connection": "TE"])
            #expect(wanted.message.trailers.values("X-Sum") == ["/a"])
            #expect(wanted.message.trailers.lines.count == 1 && wanted.text == "abc")
            let hit = try stand.get("/a", ["TE": "trailers"])
            #expect(hit.isHit && hit.message.trailers.lines.isEmpty && hit.text == "abc")
            #expect(!hit.fields.contains("X-Sum"))
            #expect(try stand.get("/b").message.trailers.lines.isEmpty)
            let passed = try stand.exchange("DELETE", "/c", ["TE": "trailers"])
            #expect(passed.message.trailers.values("X-Sum") == ["/c"])
        }
    }

    @Test func connectionsToTheOriginAreKept() async throws {
        try await withStand(["--threads", "1"]) { stand in
            let client = try stand.client()
            for number in 1...10 {
                _ = try client.exchange("GET", "/\(number)")
            }
            #expect(stand.origin.connectionCount == 1)
        }
    }
}
