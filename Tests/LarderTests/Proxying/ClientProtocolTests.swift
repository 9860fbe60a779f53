import CacheTestKit
import Testing

/// HTTP/1 on the client's side.
@Suite(.drivesProcesses)
struct ClientProtocolTests {
    @Test func aConnectionServesManyRequests() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.onOther { request in
                ScriptedAnswer(200, fresh(), body: Array(request.target.utf8) + request.body)
            }
            let client = try stand.client()
            for number in 0..<50 {
                let body = Array("body \(number % 5)".utf8)
                let post = try client.exchange("POST", "/search", body: body)
                #expect(post.body == Array("/search".utf8) + body)
                #expect(post.isHit == (number >= 5))
                #expect(try client.exchange("GET", "/\(number)").text == "/\(number)")
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withStand { stand in
            stand.origin.on("/hot", .text("hot", fresh()))
            stand.origin.on("/slow", ScriptedAnswer.text("slow").delayed(.milliseconds(200)))
            stand.origin.onOther { .text($0.target) }
            _ = try stand.get("/hot")
            let targets = ["/slow", "/hot", "/1", "/hot", "/slow", "/2", "/hot"]
            let client = try stand.client()
            try client.send(
                targets.map { "GET \($0) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" }.joined())
            var texts: [String] = []
            for _ in targets { texts.append(try client.readAnswer().text) }
            #expect(texts == ["slow", "hot", "/1", "hot", "slow", "/2", "hot"])
        }
    }

    @Test func aRequestInSingleBytes() async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.on("/search") { ScriptedAnswer(200, body: $0.body) }
            let client = try stand.client()
            let request =
                "POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
            for byte in request.utf8 { try client.send([byte]) }
            #expect(try client.readAnswer().text == "abcde")
        }
    }

    @Test func aClientThatClosesIsTold() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            for result in ["MISS", "HIT"] {
                let client = try stand.client()
                let answer = try client.exchange("GET", "/a", ["Connection": "close"])
                #expect(answer.xCache == result)
                #expect((answer.fields["Connection"] ?? "").lowercased() == "close")
                #expect(try client.readToEnd().isEmpty)
            }
        }
    }

    @Test func http10() async throws {
        try await withStand { stand in
            let body = Array("0123456789".utf8)
            stand.origin.on("/a", ScriptedAnswer(200, fresh(), body: body, framing: .chunked(3)))
            stand.origin.on("/b", ScriptedAnswer(200, body: body, framing: .chunked(3)))
            for path in ["/a", "/a", "/b"] {
                let client = try stand.client()
                try client.send("GET \(path) HTTP/1.0\r\n\r\n")
                let answer = try client.readAnswer()
                #expect(answer.status == 200)
                #expect(answer.body == body)
                #expect(answer.framing != .chunked)
                #expect(try client.readToEnd().isEmpty)
            }
        }
    }

    @Test func http10KeepsAConnectionWhenAsked() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("hello", fresh()))
            _ = try stand.get("/a", ["Host": "a.test"])
            let client = try stand.client()
            for _ in 1...2 {
                try client.send("GET /a HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n")
                let answer = try client.readAnswer()
                #expect(answer.text == "hello")
                guard answer.fields["Connection"]?.lowercased() == "keep-alive" else {
                    // Ending it is allowed as well.
                    #expect(try client.readToEnd().isEmpty)
                    return
                }
                #expect(answer.framing == .length)
            }
        }
    }

    @Test(arguments: ["/search", "/other"])
    func expectationsAreMetHere(path: String) async throws {
        try await withStand(["--cache-post", "/search"]) { stand in
            stand.origin.onOther { ScriptedAnswer(200, body: $0.body) }
            let head =
                "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                + "Expect: 100-continue\r\n\r\n"
            let waiting = try stand.client()
            try waiting.send(head)
            #expect(try waiting.readInterim().status == 100)
            try waiting.send("body")
            #expect(try waiting.readAnswer().text == "body")
            let hasty = try stand.client()
            try hasty.send(head + "body")
            #expect(try hasty.readAnswer().text == "body")
            #expect(stand.origin.requests.allSatisfy { !$0.fields.contains("Expect") })
        }
    }

    @Test func unknownExpectationsFail() async throws {
        try await withStand { stand in
            let answer = try stand.exchange("POST", "/a", ["Expect": "miracles"], body: [])
            #expect(answer.status == 417)
            #expect(stand.origin.requests.isEmpty)
        }
    }

    @Test func absoluteFormIsTheSameAsOriginForm() async throws {
        try await withStand { stand in
            stand.origin.on("/a", .text("x", fresh()))
            _ = try stand.get("/a?b", ["Host": "shop.test"])
            let absolute = try stand.get("http://shop.test/a?b", ["Host": "shop.test"])
            #expect(absolute.isHit)
            #expect(try stand.get("http://SHOP.test:80/a?b", ["Host": "shop.test"]).isHit)
            #expect(stand.origin.requests.map(\.target) == ["/a?b"])
        }
    }

    @Test func aClientThatLeavesHarmsNobody() async throws {
        try await withStand { stand in
            let gate = Gate()
            stand.origin.on("/a", ScriptedAnswer.text("x", fresh()).held(by: gate))
            for _ in 1...5 {
                let client = try stand.client()
                try client.send("GET", "/a")
                client.close()
            }
            gate.open()
            #expect(try stand.get("/a").text == "x")
            try await eventually("it is stored") { try stand.get("/a").isHit }
        }
    }
}
