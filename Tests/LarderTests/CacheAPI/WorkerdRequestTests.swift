import CacheTestKit
import Testing

/// What the workers' runtime sends, written down byte for byte, and what it decides by.
@Suite(.drivesProcesses)
struct WorkerdRequestTests {
    private static let known = [
        "HTTP/1.1 200 OK", "Content-Length: 4", "Cache-Control: max-age=60",
        "Content-Type: text/plain;charset=UTF-8", "", "data",
    ].joined(separator: "\r\n")

    private static let ofUnknownLength = [
        "HTTP/1.1 203 Sort Of", "Transfer-Encoding: chunked", "Cache-Control: max-age=60",
        "Set-X: a", "Set-X: b", "", "3\r\nnot a chunk\r\n0\r\n\r\n",
    ].joined(separator: "\r\n")

    private func text(_ lines: String...) -> String {
        lines.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    /// What `style = proxy` sends: no Host, the URL of the key as it is.
    @Test func theProxyStyle() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let get = text(
                "GET http://app.example/items?id=1 HTTP/1.1", "Accept: */*",
                "Cache-Control: only-if-cached", "Cookie: session=1")
            try client.send(get)
            #expect(try client.readAnswer().isMiss)

            #expect(Self.known.utf8.count == 109)
            try client.send(
                text(
                    "PUT http://app.example/items?id=1 HTTP/1.1", "Content-Length: 109",
                    "Accept: */*", "Cache-Control: no-store", "Cookie: session=1") + Self.known)
            let put = try client.readAnswer()
            #expect(put.status == 204 && put.body.isEmpty && put.framing == .none)
            #expect(!put.fields.contains("Content-Length"))

            try client.send(get)
            let hit = try client.readAnswer()
            #expect(hit.isMatch && hit.status == 200 && hit.reason == "OK" && hit.text == "data")
            #expect(hit.fields["Content-Type"] == "text/plain;charset=UTF-8")
            #expect(hit.fields["Content-Length"] == "4")

            let purge = text(
                "PURGE http://app.example/items?id=1 HTTP/1.1", "Content-Length: 0",
                "Accept: */*", "X-Real-IP: 203.0.113.7", "X-Real-IP: 127.0.0.1")
            for status in [200, 404] {
                try client.send(purge)
                #expect(try client.readAnswer().status == status)
            }
            try client.send(get)
            #expect(try client.readAnswer().isMiss)
        }
    }

    /// What `style = host` sends: the scheme is lost, or comes in a field.
    @Test func theHostStyle() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            try client.send(
                text(
                    "PUT /items?id=1 HTTP/1.1", "Content-Length: 109", "Host: app.example",
                    "X-Forwarded-Proto: https") + Self.known)
            #expect(try client.readAnswer().status == 204)
            for (lines, isHit) in [
                ("GET /items?id=1 HTTP/1.1\r\nHost: app.example\r\nX-Forwarded-Proto: https", true),
                ("GET https://app.example/items?id=1 HTTP/1.1", true),
                ("GET https://app.example/items?id=1 HTTP/1.1\r\nHost: other.example", true),
                ("GET /items?id=1 HTTP/1.1\r\nHost: app.example", false),
                ("GET http://app.example/items?id=1 HTTP/1.1", false),
                ("GET /items?id=1 HTTP/1.1\r\nHost: other.example", false),
            ] {
                try client.send(text(lines, "Cache-Control: only-if-cached"))
                let answer = try client.readAnswer()
                #expect(isHit ? answer.isMatch : answer.isMiss, "\(lines)")
            }
            try client.send(
                text(
                    "PURGE /items?id=1 HTTP/1.1", "Host: app.example", "Content-Length: 0",
                    "X-Forwarded-Proto: https", "X-Real-IP: 127.0.0.1"))
            #expect(try client.readAnswer().status == 200)
        }
    }

    /// Only the put itself is chunked, whatever the head in it says.
    @Test(arguments: [1, 7, 65_536])
    func aPutOfUnknownLength(chunkSize: Int) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            try client.send(
                Array(
                    text("PUT http://app.example/s HTTP/1.1", "Transfer-Encoding: chunked").utf8)
                    + chunked(Array(Self.ofUnknownLength.utf8), size: chunkSize))
            #expect(try client.readAnswer().status == 204)
            let hit = try client.match("http://app.example/s")
            #expect(hit.isMatch && hit.status == 203 && hit.reason == "Sort Of")
            #expect(hit.text == "3\r\nnot a chunk\r\n0\r\n\r\n")
            #expect(hit.fields.values("Set-X") == ["a", "b"])
            #expect(hit.framing == .length && !hit.fields.contains("Transfer-Encoding"))
        }
    }

    /// The head of the payload split at each of its bytes, over a real socket.
    @Test func aPutInSingleBytes() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let put = text("PUT http://app.example/b HTTP/1.1", "Content-Length: 109") + Self.known
            for byte in put.utf8 { try client.send([byte]) }
            #expect(try client.readAnswer().status == 204)
            #expect(try client.match("http://app.example/b").text == "data")
        }
    }

    @Test func aKeyWithACacheOfItsOwn() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let inCache = { (name: String) -> WireFields in ["CF-Cache-Namespace": name] }
            #expect(try client.put("http://a.example/", payload("named"), inCache("v1")).isStored)
            #expect(try client.put("http://a.example/", payload("default")).isStored)
            #expect(try client.match("http://a.example/", inCache("v1")).text == "named")
            #expect(try client.match("http://a.example/").text == "default")
            #expect(try client.match("http://a.example/", inCache("V1")).isMiss)
            #expect(try client.purge("http://a.example/", inCache("v1")).status == 200)
            #expect(try client.match("http://a.example/", inCache("v1")).isMiss)
            #expect(try client.match("http://a.example/").text == "default")
        }
    }

    /// It would take an upgrade for more than it is.
    @Test func anUpgradeIsAMiss() async throws {
        try await withCacheStand { stand in
            try stand.put("http://a.example/ws", payload("x"))
            for target in ["http://a.example/ws", "http://a.example/none"] {
                let client = try stand.client()
                try client.send(
                    text(
                        "GET \(target) HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
                        "Cache-Control: only-if-cached"))
                let answer = try client.readAnswer()
                #expect(answer.isMiss && answer.interim.isEmpty)
            }
            #expect(try stand.match("http://a.example/ws").isMatch)
        }
    }

    @Test func aConnectionServesAllOfThem() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for number in 0..<40 {
                let url = "http://a.example/\(number % 8)"
                #expect(try client.put(url, payload("\(number)")).isStored)
                #expect(try client.match(url).text == "\(number)")
                if number % 3 == 0 {
                    #expect(try client.purge(url).status == 200)
                    #expect(try client.match(url).isMiss)
                }
            }
        }
    }

    /// A put whose rows are still being written when its last byte has come holds up nothing behind
    /// it.
    @Test(arguments: [nil, 60_000])
    func aConnectionGoesOnBehindLargePuts(chunkSize: Int?) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for size in [300_000, 1 << 20, (1 << 20) + 1, 3_000_000, 4 << 20] {
                let url = "http://a.example/\(size)"
                let body = largeBody(url, size)
                let message = response("200 OK", fresh(), body)
                if let chunkSize {
                    try client.send("PUT \(url) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
                    try client.send(chunked(message, size: chunkSize))
                    #expect(try client.readAnswer().isStored)
                } else {
                    #expect(try client.put(url, message).isStored)
                }
                expectBody(try client.match(url), body)
                #expect(try client.put(url, payload("small")).isStored)
                #expect(try client.match(url).text == "small")
            }
        }
    }
}
