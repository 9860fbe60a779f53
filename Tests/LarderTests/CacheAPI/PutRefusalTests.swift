import CacheTestKit
import Testing

/// What is not stored, with the reason that a program can read; what was there before stays.
@Suite(.drivesProcesses)
struct PutRefusalTests {
    private static let url = "http://a.example/r"
    private static let aged: WireFields = ["Cache-Control": "max-age=60", "Age": "90"]

    /// Status, fields, fields of the key, reason.
    private static let refusals: [(String, WireFields, WireFields, String)] = [
        ("200 OK", ["Cache-Control": "no-store"], [:], "no-store"),
        ("200 OK", ["Cache-Control": "max-age=60, No-Store"], [:], "no-store"),
        ("200 OK", ["Cache-Control": "private, max-age=60"], [:], "private"),
        ("200 OK", ["Cache-Control": "no-cache"], [:], "no-cache"),
        ("200 OK", ["Pragma": "no-cache"], [:], "no-cache"),
        ("200 OK", ["Cache-Control": "max-age=0"], [:], "no-lifetime"),
        ("200 OK", ["Cache-Control": "s-maxage=0, max-age=60"], [:], "no-lifetime"),
        ("200 OK", ["Expires": "0"], [:], "no-lifetime"),
        ("200 OK", aged, [:], "no-lifetime"),
        ("200 OK", fresh().adding(["Set-Cookie": "a=b"]), [:], "set-cookie"),
        (
            "200 OK", ["Cache-Control": "public, max-age=60", "Set-Cookie": "a=b"], [:],
            "set-cookie"
        ),
        ("200 OK", fresh(), ["Authorization": "Basic eA=="], "credentials"),
        ("200 OK", fresh().adding(["Vary": "*"]), [:], "vary-star"),
        ("200 OK", fresh().adding(["Vary": "Accept, *"]), [:], "vary-star"),
        ("206 Partial Content", fresh(), [:], "partial"),
        ("304 Not Modified", fresh(), [:], "status"),
        ("416 Range Not Satisfiable", fresh(), [:], "status"),
        ("500 Oops", fresh(), [:], "status"), ("503 Busy", fresh(), [:], "status"),
        ("101 Switching Protocols", fresh(), [:], "upgrade"),
        ("103 Early Hints", fresh(), [:], "status"), ("099 What", fresh(), [:], "status"),
        ("201 Created", [:], [:], "status"), ("302 Found", [:], [:], "status"),
        ("403 Forbidden", [:], [:], "status"), ("204 No Content", [:], [:], "no-lifetime"),
        ("200 OK", fresh(), ["CF-Blob": "{"], "unkeyed"),
        ("200 OK", fresh(), ["CF-Blob": "{\"cacheTtl\":0}"], "no-lifetime"),
        ("200 OK", fresh(), ["CF-Blob": "{\"cacheTtl\":-1}"], "no-lifetime"),
        (
            "200 OK", fresh(), ["CF-Blob": "{\"cacheTtlByStatus\":{\"200\":0}}"],
            "no-lifetime"
        ),
    ]

    /// On the connection that goes on; the body is taken to its end although nothing is kept.
    @Test(arguments: [7, 500_000])
    func eachReason(size: Int) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put(Self.url, payload("before")).isStored)
            for (status, fields, key, reason) in Self.refusals {
                let body = status.hasPrefix("204") ? [] : largeBody(reason, size)
                let answer = try client.put(Self.url, response(status, fields, body), key)
                #expect(answer.status == 413, "\(status) \(fields)")
                #expect(answer.larderPut == "refused; reason=\(reason)", "\(status) \(fields)")
                #expect(answer.fields["Content-Type"] == "application/problem+json")
                #expect(!answer.body.isEmpty)
                #expect(try client.match(Self.url).text == "before", "\(status) \(fields)")
            }
            try stand.restart()
            #expect(try stand.match(Self.url).text == "before")
            try await stand.waitForSweep()
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "1")
        }
    }

    @Test(arguments: [
        "", "\r\n\r\n", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n",
        "<html></html>\r\n\r\n", "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n a\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nA: b\nCache-Control: max-age=60\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nCache-Control : max-age=60\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: +4\r\n\r\nfour",
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 99999999999999999999\r\n\r\nfour",
    ])
    func whatIsNoResponse(text: String) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put(Self.url, payload("before")).isStored)
            let whole = try client.put(Self.url, Array(text.utf8))
            #expect(whole.status == 413 && whole.larderPut == "refused; reason=malformed")
            try client.send("PUT \(Self.url) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            try client.send(chunked(Array(text.utf8), size: 5))
            let pieces = try client.readAnswer()
            #expect(pieces.status == 413 && pieces.larderPut == "refused; reason=malformed")
            #expect(try client.match(Self.url).text == "before")
        }
    }

    @Test func tooLarge() async throws {
        try await withCacheStand(["--max-object", "1MB"]) { stand in
            let client = try stand.client()
            #expect(try client.put(Self.url, payload("before")).isStored)
            let limit = 1 << 20
            for (size, isStored) in [(limit + 1, false), (4 << 20, false), (limit, true)] {
                let body = largeBody("/x", size)
                let known = try client.put(Self.url, response("200 OK", fresh(), body))
                #expect(known.isStored == isStored, "\(size)")
                // Without a length it is only known when it is too late.
                let head = "HTTP/1.1 200 OK\r\n\(fresh())Transfer-Encoding: chunked\r\n\r\n"
                try client.send("PUT \(Self.url) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
                try client.send(chunked(Array(head.utf8) + body, size: 60_000))
                let unknown = try client.readAnswer()
                #expect(unknown.isStored == isStored, "\(size)")
                if !isStored {
                    #expect(known.status == 413 && unknown.status == 413)
                    #expect(known.larderPut == "refused; reason=body-limit")
                    #expect(unknown.larderPut == "refused; reason=body-limit")
                    #expect(try client.match(Self.url).text == "before")
                } else {
                    expectBody(try client.match(Self.url), body)
                }
            }
            try await stand.waitForSweep()
        }
    }

    /// Connection: close and an answer before the end are the other way; ours is to read on.
    @Test func aRefusedPutIsReadToItsEnd() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let message = response(
                "200 OK", ["Cache-Control": "no-store"], largeBody("/long", 8 << 20))
            for _ in 1...3 {
                #expect(try client.put(Self.url, message).status == 413)
            }
            #expect(try client.put(Self.url, payload("after")).isStored)
            #expect(try client.match(Self.url).text == "after")
        }
    }
}
