import CacheTestKit
import Foundation
import Synchronization
import Testing

/// What the workers' protocol has no words for: queries with options, walks, and all of a cache.
@Suite(.drivesProcesses)
struct NativeOperationTests {
    private static let base = "http://a.example"

    /// Five URLs that differ in path and query, in the order of putting.
    private static let paths = ["/p?q=1", "/p", "/p?q=2", "/p/sub", "/pp?q=1"]

    private func fill(_ stand: CacheStand) throws {
        let client = try stand.client()
        for path in Self.paths {
            let answer = try client.put(Self.base + path, payload(path), ["X-Key": path])
            #expect(answer.isStored, "\(path)")
        }
    }

    private func query(_ path: String, _ more: String = "") -> String {
        "{\"url\":\"\(Self.base)\(path)\"\(more)}"
    }

    private func urls(_ answer: RawAnswer) throws -> [String] {
        let page = try JSONDecoder().decode(Page.self, from: Data(answer.body))
        return page.keys.map { String(($0.url ?? $0.key ?? "").dropFirst(Self.base.count)) }
    }

    private struct Page: Decodable {
        struct Key: Decodable {
            var url: String?
            var key: String?
            var status: Int
            var size: Int
            var storedAt: Int
            var freshUntil: Int
            var vary: [String]
            var headers: [String: String]
        }

        var keys: [Key]
        var next: Int?
    }

    @Test func matching() async throws {
        try await withCacheStand { stand in
            try fill(stand)
            for _ in 1...2 {
                let client = try stand.client()
                for (query, expected) in [
                    (query("/p"), "/p"), (query("/p#f"), "/p"), (query("/p?q=2"), "/p?q=2"),
                    (query("/p?q=3"), nil), (query("/P"), nil),
                    // The first that was put.
                    (query("/p?q=3", ",\"ignoreSearch\":true"), "/p?q=1"),
                    (query("/p", ",\"ignoreSearch\":true"), "/p?q=1"),
                    (query("/p/sub?x", ",\"ignoreSearch\":true"), "/p/sub"),
                    (query("/p/", ",\"ignoreSearch\":true"), nil),
                    (query("/p", ",\"ignoreSearch\":false"), "/p"),
                    (query("/p", ",\"method\":\"POST\""), nil),
                    (query("/p", ",\"method\":\"HEAD\""), nil),
                    (query("/p", ",\"method\":\"POST\",\"ignoreMethod\":true"), "/p"),
                    (query("/p", ",\"ignoreVary\":true"), "/p"),
                    (query("/p", ",\"cache\":\"other\""), nil),
                ] {
                    let answer = try client.native("match", query)
                    if let expected {
                        #expect(answer.isMatch && answer.text == expected, "\(query)")
                        #expect(answer.status == 200 && answer.age != nil)
                    } else {
                        #expect(answer.isMiss, "\(query)")
                    }
                }
                try stand.restart()
            }
        }
    }

    @Test func keysOfACache() async throws {
        try await withCacheStand { stand in
            try fill(stand)
            #expect(
                try stand.put(Self.base, payload("own"), ["CF-Blob": "{\"cacheKey\":\"k\"}"])
                    .isStored)
            let all = try stand.native("keys")
            #expect(all.status == 200 && all.fields["Content-Type"] == "application/json")
            let page = try JSONDecoder().decode(Page.self, from: Data(all.body))
            #expect(page.keys.compactMap(\.url) == Self.paths.map { Self.base + $0 })
            #expect(page.keys.last?.key == "k" && page.keys.last?.url == nil)
            #expect(page.next == nil)
            let first = try #require(page.keys.first)
            #expect(first.status == 200 && first.size == Self.paths[0].utf8.count)
            #expect((595...600).contains(first.freshUntil - first.storedAt))
            #expect(first.vary.isEmpty && first.headers.isEmpty)
            // What is put again comes last.
            #expect(try stand.put(Self.base + "/p", payload("again")).isStored)
            #expect(
                try urls(stand.native("keys", query("/p", ",\"ignoreSearch\":true"))) == [
                    "/p?q=1", "/p?q=2", "/p",
                ])
            #expect(try urls(stand.native("keys", query("/p"))) == ["/p"])
            #expect(try urls(stand.native("keys", "{\"cache\":\"none\"}")).isEmpty)
            #expect(
                try stand.native("keys", "{\"cache\":\"none\"}").text
                    == "{\"keys\":[],\"next\":null}\n")
        }
    }

    @Test func keysPageByPage() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for number in 0..<25 {
                #expect(try client.put("\(Self.base)/\(number)", payload("x")).isStored)
            }
            var found: [String] = []
            var after = 0
            for _ in 0..<4 {
                let answer = try client.native("keys", "{\"after\":\(after),\"limit\":10}")
                let page = try JSONDecoder().decode(Page.self, from: Data(answer.body))
                found += try urls(answer)
                guard let next = page.next else { break }
                #expect(page.keys.count == 10 && next > after)
                after = next
            }
            #expect(found == (0..<25).map { "/\($0)" })
        }
    }

    @Test func deleting() async throws {
        try await withCacheStand { stand in
            try fill(stand)
            for (query, isDeleted, left) in [
                (query("/none"), false, Self.paths),
                (query("/p", ",\"method\":\"POST\""), false, Self.paths),
                (query("/p/", ",\"ignoreSearch\":true"), false, Self.paths),
                (query("/p"), true, ["/p?q=1", "/p?q=2", "/p/sub", "/pp?q=1"]),
                (query("/p"), false, ["/p?q=1", "/p?q=2", "/p/sub", "/pp?q=1"]),
                (
                    query("/p/sub", ",\"method\":\"POST\",\"ignoreMethod\":true"), true,
                    ["/p?q=1", "/p?q=2", "/pp?q=1"]
                ),
                (query("/p?z", ",\"ignoreSearch\":true"), true, ["/pp?q=1"]),
                (query("/p?z", ",\"ignoreSearch\":true"), false, ["/pp?q=1"]),
            ] {
                let answer = try stand.native("delete", query)
                #expect(answer.status == 200)
                #expect(answer.text == "{\"deleted\":\(isDeleted)}\n", "\(query)")
                #expect(try urls(stand.native("keys")) == left, "\(query)")
                for path in Self.paths {
                    let isMatch = try stand.match(Self.base + path).isMatch
                    #expect(isMatch == left.contains(path), "\(path) after \(query)")
                }
            }
            try stand.restart()
            #expect(try urls(stand.native("keys")) == ["/pp?q=1"])
        }
    }

    @Test func keysOfOnesOwn() async throws {
        try await withCacheStand { stand in
            let blob: WireFields = ["CF-Blob": "{\"cacheKey\":\"a\\\"b/ü\"}"]
            #expect(try stand.put(Self.base, payload("own"), blob).isStored)
            let key = "{\"key\":\"a\\\"b/ü\"}"
            #expect(try stand.native("match", key).text == "own")
            #expect(try stand.native("keys", key).text.contains("{\"key\":\"a\\\"b/ü\","))
            let all = try stand.native("match-all", key)
            #expect(all.text.contains("\r\nLarder-Key: \"a\\\"b/ü\"\r\n"))
            #expect(try stand.native("delete", key).text == "{\"deleted\":true}\n")
            #expect(try stand.native("match", key).isMiss)
        }
    }

    // MARK: Everything that is found

    /// Takes multipart/mixed apart, and each response in it; none where the framing is broken.
    private func responses(_ answer: RawAnswer) throws -> [(name: String, response: RawMessage)] {
        let delimiter = Array("--\(answer.boundary)".utf8)
        var rest = answer.body[...]
        var found: [(String, RawMessage)] = []
        while true {
            try #require(rest.starts(with: delimiter), "a part begins with its boundary")
            rest = rest.dropFirst(delimiter.count)
            if rest.elementsEqual("--\r\n".utf8) { return found }
            let part = try RawMessage(rest.dropFirst(2))
            #expect(part.head.first?.isEmpty == false)
            let inner = try RawMessage(part.rest)
            let length = try #require(Int(inner.value("Content-Length") ?? ""))
            let body = Array(inner.rest.prefix(length))
            try #require(body.count == length)
            rest = inner.rest.dropFirst(length)
            try #require(rest.starts(with: [13, 10]))
            rest = rest.dropFirst(2)
            var response = inner
            response.rest = body[...]
            #expect(part.value("Content-Type") == "application/http; msgtype=response")
            found.append(
                (part.value("Content-Location") ?? part.value("Larder-Key") ?? "", response))
        }
    }

    /// Lines up to an empty one, and what comes behind it.
    private struct RawMessage {
        var head: [String]
        var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) throws {
            let end = try #require(bytes.firstRange(of: [13, 10, 13, 10]))
            head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
                .components(separatedBy: "\r\n")
            rest = bytes[end.upperBound...]
        }

        func value(_ name: String) -> String? {
            head.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    @Test func matchingAll() async throws {
        try await withCacheStand { stand in
            try fill(stand)
            let large = largeBody("/large", 700_001)
            let tricky = Array("--boundary\r\n\r\nHTTP/1.1 200 OK\r\n\r\n--".utf8)
            for (path, status, body) in [
                ("/large", "200 OK", large), ("/p?tricky", "404 Not  Here", tricky),
                ("/p?empty", "200 ", []),
            ] {
                let message = response(status, fresh().adding(["x-Case": path]), body)
                #expect(try stand.put(Self.base + path, message).isStored)
            }
            for _ in 1...2 {
                let client = try stand.client()
                let all = try client.native("match-all")
                #expect(all.status == 200 && all.framing == .chunked)
                let parts = try responses(all)
                // In the order of URLs.
                let paths = (Self.paths + ["/large", "/p?tricky", "/p?empty"]).sorted()
                #expect(parts.map(\.name) == paths.map { Self.base + $0 })
                func part(_ path: String) throws -> RawMessage {
                    try #require(parts.first { $0.name == Self.base + path }).response
                }
                for path in Self.paths {
                    let (name, part) = (Self.base + path, try part(path))
                    #expect(part.head.first == "HTTP/1.1 200 OK")
                    #expect(Self.base + String(decoding: part.rest, as: UTF8.self) == name)
                    #expect(part.value("Cache-Control") == "max-age=600")
                    #expect(part.value("Age") != nil)
                }
                let isWhole = try part("/large").rest == large[...]
                #expect(isWhole)
                #expect(try part("/p?tricky").head.first == "HTTP/1.1 404 Not  Here")
                #expect(try Array(part("/p?tricky").rest) == tricky)
                #expect(try part("/p?empty").value("x-Case") == "/p?empty")
                let some = try responses(
                    client.native("match-all", query("/p", ",\"ignoreSearch\":true")))
                #expect(
                    some.map(\.name)
                        == ["/p", "/p?empty", "/p?q=1", "/p?q=2", "/p?tricky"].map {
                            Self.base + $0
                        }
                )
                #expect(try responses(client.native("match-all", query("/none"))).isEmpty)
                #expect(try responses(client.native("match-all", "{\"cache\":\"no\"}")).isEmpty)
                try stand.restart()
            }
        }
    }

    /// Each of them once, however often they are put anew meanwhile.
    @Test func matchingAllOfWhatIsPutAnew() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let count = 1_500
            for number in 0..<count {
                #expect(try client.put("\(Self.base)/\(number)", payload("x")).isStored)
            }
            let port = try stand.larder.cacheAPIPort
            let isOver = Mutex(false)
            async let puts = concurrently(1) { _ in
                let client = try RawClient(port: port)
                var number = 0
                while !isOver.withLock({ $0 }) {
                    let answer = try client.put("\(Self.base)/\(number % count)", payload("y"))
                    guard answer.isStored else { return answer.larderPut }
                    number += 1
                }
                return ""
            }
            for _ in 0..<5 {
                let names = try responses(client.native("match-all")).map(\.name)
                #expect(names.count == count && Set(names).count == count)
            }
            isOver.withLock { $0 = true }
            #expect(try await puts == [""])
        }
    }

    /// More than any buffer holds, to a client that takes its time.
    @Test func matchingAllOfALargeCache() async throws {
        try await withCacheStand(["--memory", "16MB"]) { stand in
            let client = try stand.client()
            var bodies: [[UInt8]] = []
            for number in 0..<30 {
                bodies.append(largeBody("\(number)", 1_000_000))
                let message = response("200 OK", fresh(), bodies[number])
                #expect(try client.put("\(Self.base)/\(number)", message).isStored)
            }
            let parts = try responses(client.native("match-all"))
            #expect(parts.map(\.name) == (0..<30).map { "\(Self.base)/\($0)" }.sorted())
            for (name, response) in parts {
                let number = try #require(Int(name.dropFirst(Self.base.count + 1)))
                let isWhole = response.rest == bodies[number][...]
                #expect(isWhole)
            }
        }
    }
}
