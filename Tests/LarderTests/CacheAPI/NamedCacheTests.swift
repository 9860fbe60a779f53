import CacheTestKit
import Testing

/// Caches that have names: apart from each other, walked through and deleted as a whole.
@Suite(.drivesProcesses)
struct NamedCacheTests {
    private static let url = "http://a.example/x"

    private func named(_ name: String) -> WireFields { ["CF-Cache-Namespace": name] }

    @Test func equalKeysInSeveralCaches() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let names = [
                "v1", "v2", "V1", "caf%C3%A9", "cafe%CC%81", "a%2Fb", "a%20", "%20a", "%25",
                "%F0%9F%98%80", "default", "null", "%0D%0AX%3A%20y", "%27%3B--",
            ]
            for name in names {
                #expect(try client.put(Self.url, payload(name), named(name)).isStored, "\(name)")
            }
            #expect(try client.put(Self.url, payload("of the default")).isStored)
            for _ in 1...2 {
                let client = try stand.client()
                for name in names {
                    #expect(try client.match(Self.url, named(name)).text == name, "\(name)")
                }
                #expect(try client.match(Self.url).text == "of the default")
                #expect(try client.match(Self.url, named("v3")).isMiss)
                try stand.restart()
            }
            // The same name, escaped another way.
            #expect(try stand.match(Self.url, named("%761")).text == "v1")
            #expect(try stand.match(Self.url, named("caf%c3%a9")).text == "caf%C3%A9")
            #expect(try stand.purge(Self.url, named("caf%C3%A9")).status == 200)
            #expect(try stand.match(Self.url, named("cafe%CC%81")).text == "cafe%CC%81")
            let count = "SELECT count(*), count(DISTINCT cache_name) FROM entries"
            #expect(try stand.sqlite(count) == "\(names.count)|\(names.count)")
        }
    }

    @Test func anEmptyNameIsTheDefaultCache() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put(Self.url, payload("one"), named("")).isStored)
            #expect(try client.match(Self.url).text == "one")
            #expect(try client.put(Self.url, payload("two")).isStored)
            #expect(try client.match(Self.url, named("")).text == "two")
            #expect(try client.native("match", "{\"url\":\"\(Self.url)\"}").text == "two")
            #expect(try client.purge(Self.url, named("")).status == 200)
            #expect(try client.match(Self.url).isMiss)
            #expect(try client.native("caches").text == "{\"caches\":[]}\n")
        }
    }

    @Test func cachesAreListedInTheOrderOfTheirMaking() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.native("caches").text == "{\"caches\":[]}\n")
            for (name, body) in [("zebra", "12345"), ("a%22b", "1"), ("", "123"), ("zebra", "67")] {
                let url = "http://a.example/\(body)"
                #expect(try client.put(url, payload(body), named(name)).isStored)
            }
            // What has just been put counts already, and after a restart still.
            for _ in 1...2 {
                let answer = try stand.native("caches")
                #expect(answer.status == 200)
                #expect(answer.fields["Content-Type"] == "application/json")
                #expect(
                    answer.text
                        == "{\"caches\":[{\"name\":\"\",\"entries\":1,\"bytes\":3},"
                        + "{\"name\":\"zebra\",\"entries\":2,\"bytes\":7},"
                        + "{\"name\":\"a\\\"b\",\"entries\":1,\"bytes\":1}]}\n")
                try stand.restart()
            }
        }
    }

    @Test func deletingACache() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for number in 0..<20 {
                for name in ["v1", "v2", ""] {
                    let url = "http://a.example/\(number)"
                    #expect(try client.put(url, payload("\(number)"), named(name)).isStored)
                }
            }
            let body = largeBody("/l", 600_000)
            let large = try client.put(
                "http://a.example/l", response("200 OK", fresh(), body), named("v1"))
            #expect(large.isStored)
            let delete = "{\"cache\":\"v1\"}"
            #expect(try client.native("delete-cache", delete).text == "{\"deleted\":true}\n")
            for _ in 1...2 {
                for number in 0..<20 {
                    let url = "http://a.example/\(number)"
                    #expect(try stand.match(url, named("v1")).isMiss)
                    #expect(try stand.match(url, named("v2")).text == "\(number)")
                    #expect(try stand.match(url).text == "\(number)")
                }
                #expect(try stand.match("http://a.example/l", named("v1")).isMiss)
                try stand.restart()
            }
            let again = try stand.native("delete-cache", delete)
            #expect(again.status == 200 && again.text == "{\"deleted\":false}\n")
            #expect(!(try stand.native("caches").text.contains("v1")))
            // It can be made again.
            #expect(try stand.put(Self.url, payload("new"), named("v1")).isStored)
            #expect(try stand.match(Self.url, named("v1")).text == "new")
            // Of the default cache, what is in it.
            #expect(
                try stand.native("delete-cache", #"{"cache":""}"#).text == "{\"deleted\":true}\n")
            #expect(try stand.match("http://a.example/1").isMiss)
            #expect(try stand.match("http://a.example/1", named("v2")).isMatch)
            try await stand.waitForSweep()
        }
    }

    /// Names that look alike are different caches, to deletions also.
    @Test func alikeIsNotTheSame() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            #expect(try client.put(Self.url, payload("nfc"), named("caf%C3%A9")).isStored)
            let decomposed = try client.native("delete-cache", "{\"cache\":\"cafe\\u0301\"}")
            #expect(decomposed.text == "{\"deleted\":false}\n")
            #expect(try client.match(Self.url, named("caf%C3%A9")).text == "nfc")
            let composed = try client.native("delete-cache", "{\"cache\":\"caf\\u00e9\"}")
            #expect(composed.text == "{\"deleted\":true}\n")
            #expect(try client.match(Self.url, named("caf%C3%A9")).isMiss)
        }
    }

    @Test func taggedResponses() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let tags = { (blob: String) -> WireFields in ["CF-Blob": "{\"cacheTags\":\(blob)}"] }
            let url = "http://a.example/"
            let both = payload("x", ["Cache-Tag": "Red, ,blue", "cache-tag": "round"])
            #expect(try client.put(url + "1", both).isStored)
            #expect(try client.put(url + "2", payload("x"), tags("[\"RED\",\"big\"]")).isStored)
            let inV1 = tags("[\"red\"]").adding(named("v1"))
            #expect(try client.put(url + "3", payload("x"), inV1).isStored)
            #expect(
                try client.put(url + "4", payload("x", ["Cache-Tag": "redder"]), tags("[\"b\"]"))
                    .isStored)
            #expect(try client.put(url + "5", payload("x")).isStored)
            let body = largeBody("/l", 600_000)
            let large = response("200 OK", fresh().adding(["Cache-Tag": "red"]), body)
            #expect(try client.put(url + "6", large).isStored)
            let none = try client.native("delete-tagged", "{\"tags\":[\"green\"]}")
            #expect(none.status == 200)
            for number in [1, 2, 4, 5, 6] { #expect(try client.match("\(url)\(number)").isMatch) }
            let red = try client.native("delete-tagged", "{\"tags\":[\"no\",\"red\"]}")
            #expect(red.status == 200 && red.text == "{\"deleted\":true}\n")
            for _ in 1...2 {
                let client = try stand.client()
                for number in [1, 2, 6] { #expect(try client.match("\(url)\(number)").isMiss) }
                #expect(try client.match(url + "3", named("v1")).isMiss)
                for number in [4, 5] { #expect(try client.match("\(url)\(number)").isMatch) }
                try stand.restart()
            }
            // What is put behind the deletion is another.
            #expect(try stand.put(url + "1", both).isStored)
            #expect(try stand.match(url + "1").isMatch)
            #expect(try stand.native("delete-tagged", "{\"tags\":[\"ROUND\"]}").status == 200)
            #expect(try stand.match(url + "1").isMiss)
        }
    }
}
