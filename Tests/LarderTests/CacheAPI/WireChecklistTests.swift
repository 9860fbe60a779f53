import CacheTestKit
import Testing

/// The points that a server has to keep for a stock runtime.
@Suite(.drivesProcesses)
struct WireChecklistTests {
    /// A key whose head has so many bytes.
    private func key(
        _ method: String, _ url: String, headBytes: Int, lines: Int, _ last: String
    ) -> String {
        let start = "\(method) \(url) HTTP/1.1\r\n"
        let end = "\(last)\r\n\r\n"
        var room = headBytes - start.utf8.count - end.utf8.count
        var head = start
        for number in 0..<lines {
            let name = "X-Filler-\(number): "
            let share = number == lines - 1 ? room : room / (lines - number)
            head += name + String(repeating: "f", count: share - name.utf8.count - 2) + "\r\n"
            room -= share
        }
        return head + end
    }

    @Test(arguments: [1, 2, 100, 1000])
    func headsOf128KiB(lines: Int) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let url = "http://a.example/large-head"
            let found = payload("found")
            let size = 128 << 10
            let put = key(
                "PUT", url, headBytes: size, lines: lines, "Content-Length: \(found.count)")
            #expect(put.utf8.count == size)
            try client.send(Array(put.utf8) + found)
            #expect(try client.readAnswer().isStored)
            try client.send(
                key(
                    "GET", url, headBytes: size, lines: lines, "Cache-Control: only-if-cached"))
            #expect(try client.readAnswer().text == "found")
            try client.send(
                key("PURGE", url, headBytes: size, lines: lines, "X-Real-IP: 127.0.0.1"))
            #expect(try client.readAnswer().status == 200)
        }
    }

    @Test func asManyLinesAsAHeadHasRoomFor() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let lines = String(repeating: "a: b\r\n", count: 21_800)
            let found = payload("found")
            let url = "http://a.example/many"
            let put = "PUT \(url) HTTP/1.1\r\n\(lines)Content-Length: \(found.count)\r\n\r\n"
            #expect(put.utf8.count <= 128 << 10)
            try client.send(Array(put.utf8) + found)
            #expect(try client.readAnswer().isStored)
            try client.send("GET \(url) HTTP/1.1\r\n\(lines)\r\n")
            #expect(try client.readAnswer().text == "found")
            try client.send("PURGE \(url) HTTP/1.1\r\n\(lines)\r\n")
            #expect(try client.readAnswer().status == 200)
        }
    }

    @Test func aResponseWithAHeadOf128KiB() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            // A hit has more lines than what was put, and must be one that the runtime takes.
            let most = (128 << 10) - 512
            for (size, isTaken) in [(most, true), (most + 1, false)] {
                let start = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX-Long: "
                let value = String(repeating: "v", count: size - start.utf8.count - 4)
                let message = Array("\(start)\(value)\r\n\r\nbody".utf8)
                let answer = try client.put("http://a.example/\(size)", message)
                let hit = try client.match("http://a.example/\(size)")
                if isTaken {
                    #expect(answer.isStored)
                    #expect(hit.fields["X-Long"] == value && hit.text == "body")
                } else {
                    #expect(answer.status == 413)
                    #expect(answer.larderPut == "refused; reason=malformed")
                    #expect(hit.isMiss)
                }
            }
            try stand.restart()
            let cold = try stand.match("http://a.example/\((128 << 10) - 512)")
            #expect(cold.isMatch && cold.text == "body")
            #expect((cold.fields["X-Long"]?.utf8.count ?? 0) > 130_000)
        }
    }

    @Test func longURLs() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let url = "http://a.example/?" + String(repeating: "q", count: 127 << 10)
            #expect(try client.put(url, payload("long")).isStored)
            #expect(try client.match(url).text == "long")
            #expect(try client.match(url + "q").isMiss)
            try stand.restart()
            #expect(try stand.match(url).text == "long")
            #expect(try stand.purge(url).status == 200)
        }
    }

    @Test func fragmentsNameNothing() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put("http://a.example/a#one", payload("a")).isStored)
            for url in ["http://a.example/a", "http://a.example/a#two", "http://a.example/a#"] {
                #expect(try client.match(url).text == "a")
            }
            #expect(try client.match("http://a.example/a?").isMiss)
            try client.send("GET /a#b HTTP/1.1\r\nHost: a.example\r\n\r\n")
            #expect(try client.readAnswer().text == "a")
            #expect(try client.purge("http://a.example/a#three").status == 200)
            #expect(try client.match("http://a.example/a").isMiss)
        }
    }

    @Test func cacheKeysTakeThePlaceOfTheURL() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let key = { (json: String) -> WireFields in ["CF-Blob": "{\"cacheKey\":\(json)}"] }
            #expect(try client.put("http://a.example/1", payload("k"), key("\"k\"")).isStored)
            #expect(try client.match("http://b.example/2", key("\"k\"")).text == "k")
            #expect(try client.match("http://a.example/1").isMiss)
            #expect(try client.match("http://k/").isMiss)
            #expect(try client.match("http://a.example/1", key("\"K\"")).isMiss)
            // What counts as false is no key.
            #expect(try client.put("http://a.example/1", payload("url"), key("\"\"")).isStored)
            for json in ["null", "false", "0", "\"\""] {
                #expect(try client.match("http://a.example/1", key(json)).text == "url")
            }
            // A URL as key is that URL; with a fragment it is a name of its own.
            let spelled = key("\"http://a.example/1\"")
            #expect(try client.match("http://b.example/", spelled).text == "url")
            for (index, tenant) in ["#a", "#b"].enumerated() {
                let own = key("\"http://a.example/1\(tenant)\"")
                #expect(try client.match("http://a.example/1", own).isMiss)
                #expect(try client.put("http://a.example/1", payload("\(index)"), own).isStored)
            }
            let own = key("\"http://a.example/1#a\"")
            #expect(try client.match("http://a.example/1", own).text == "0")
            #expect(try client.put("http://a.example/", payload("5"), key("5")).isStored)
            #expect(try client.match("http://a.example/", key("\"5\"")).text == "5")
            #expect(try client.match("http://a.example/", key("5.0")).isMiss)
            #expect(try client.purge("http://c.example/", key("\"k\"")).status == 200)
            #expect(try client.match("http://b.example/2", key("\"k\"")).isMiss)
        }
    }

    /// The request's Cache-Control, conditions for origins and everything else of a key count for
    /// nothing.
    @Test func theKeysOtherFieldsCountForNothing() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for field in [
                ("Cache-Control", "no-store"), ("Cache-Control", "no-cache"),
                ("Pragma", "no-cache"),
                ("Cookie", "a=b"), ("Authorization", "Basic x"), ("If-Match", "\"none\""),
                ("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:01 GMT"), ("X-Any", "thing"),
                ("CF-Cache-Status", "MISS"), ("Accept-Encoding", "gzip"), ("Via", "1.1 larder"),
            ] {
                let fields = WireFields([.init(field.0, field.1)])
                let url = "http://a.example/\(field.0)"
                let content = response("200 OK", ["Cache-Control": "public, max-age=60"])
                #expect(try client.put(url, content, fields).isStored, "\(field)")
                #expect(try client.match(url, fields).text == "content", "\(field)")
                #expect(try client.match(url).text == "content", "\(field)")
            }
        }
    }

    @Test(arguments: [
        "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY", "PROPFIND", "FOO", "Get",
    ])
    func otherMethods(method: String) async throws {
        try await withCacheStand { stand in
            try stand.put("http://a.example/x", payload("x"))
            for (target, host) in [("http://a.example/x", ""), ("/x", "Host: a.example\r\n")] {
                let client = try stand.client()
                try client.send("\(method) \(target) HTTP/1.1\r\n\(host)\r\n")
                let answer = try client.readAnswer()
                // Native operations are POSTs, below one path only.
                let isNative = method == "POST"
                #expect(
                    isNative ? [400, 404, 405, 415].contains(answer.status) : answer.status == 405)
                #expect(!answer.fields.contains("CF-Cache-Status"))
                let allowed = answer.fields["Allow"] ?? ""
                if answer.status == 405 {
                    #expect(allowed.contains("PURGE") && allowed.contains("PUT"))
                }
            }
            #expect(try stand.match("http://a.example/x").text == "x")
        }
    }

    /// What names nothing: a miss, a refusal once all has come, nothing to delete.
    @Test func whatCannotBeNamed() async throws {
        try await withCacheStand { stand in
            for fields: WireFields in [
                ["CF-Cache-Namespace": "%"], ["CF-Blob": "{"], ["CF-Blob": "{\"cacheKey\":{}}"],
                ["CF-Cache-Namespace": "a", "CF-Cache-Namespace": "b"],
                ["CF-Cache-Namespace": String(repeating: "n", count: 1024)],
            ] {
                let client = try stand.client()
                let url = "http://a.example/x"
                #expect(try client.match(url, fields).isMiss)
                let put = try client.put(url, response("200 OK", fresh(), largeBody("x", 1 << 20)))
                #expect(put.isStored)
                let refused = try client.put(
                    url, response("200 OK", fresh(), largeBody("y", 1 << 20)), fields)
                #expect(refused.status == 413)
                #expect(refused.larderPut == "refused; reason=unkeyed")
                #expect(try client.purge(url, fields).status == 404)
                #expect(try client.match(url).isMatch)
            }
            for target in ["http://user@a.example/", "http:///x"] {
                let client = try stand.client()
                #expect(try client.match(target).isMiss)
                #expect(try client.put(target, payload("x")).status == 413)
                #expect(try client.purge(target).status == 404)
            }
        }
    }

    /// A field that a key is made of must not be taken for one that ends here.
    @Test(arguments: ["CF-Cache-Namespace", "CF-Blob", "X-Forwarded-Proto", "Host"])
    func connectionNamesNoFieldOfTheKey(name: String) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            try client.send(
                "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: \(name)\r\n\r\n")
            #expect(try client.readAnswer().status == 400)
        }
    }

    @Test func aHeadIsAMatchWithoutItsBody() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put("http://a.example/h", payload("seven b")).isStored)
            let head = try client.match("http://a.example/h", method: "HEAD")
            #expect(head.isMatch && head.status == 200 && head.body.isEmpty)
            #expect(head.fields["Content-Length"] == "7")
            let miss = try client.match("http://a.example/none", method: "HEAD")
            #expect(miss.isMiss)
            #expect(try client.match("http://a.example/h").text == "seven b")
        }
    }
}
