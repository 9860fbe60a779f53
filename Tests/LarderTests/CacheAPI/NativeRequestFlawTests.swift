import CacheTestKit
import Testing

/// Native requests that are wrong are told so, and change nothing.
@Suite(.drivesProcesses)
struct NativeRequestFlawTests {
    private static let url = "http://a.example/x"

    private func check(_ body: (RawClient) throws -> Void) async throws {
        try await withCacheStand { stand in
            try stand.put(Self.url, payload("before", ["Cache-Tag": "t"]))
            let client = try stand.client()
            try body(client)
            #expect(try client.match(Self.url).text == "before")
        }
    }

    private func expectProblem(_ answer: RawAnswer, _ status: Int, _ comment: Comment) {
        #expect(answer.status == status, comment)
        #expect(answer.fields["Content-Type"] == "application/problem+json", comment)
        #expect(answer.text.contains("\"detail\":"), comment)
        #expect(!answer.fields.contains("CF-Cache-Status"), comment)
    }

    @Test func wrongContent() async throws {
        try await check { client in
            for (operation, json) in [
                ("delete", ""), ("delete", "{}"), ("delete", "{"), ("delete", "[]"),
                ("delete", "null"), ("delete", "\"\(Self.url)\""), ("delete", "{\"url\":1}"),
                ("delete", "{\"url\":\"/x\"}"), ("delete", "{\"url\":\"\"}"),
                ("delete", "{\"url\":\"http://u@a.example/x\"}"), ("delete", "{\"key\":\"\"}"),
                ("delete", "{\"key\":1}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"key\":\"k\"}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"Cache\":\"v1\"}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"ignoresearch\":true}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"ignoreSearch\":1}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"ignoreVary\":\"true\"}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"ignoreMethod\":null}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"method\":1}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"headers\":[]}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"headers\":{\"a\":1}}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"headers\":{\"a\":[]}}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"headers\":{\"a\":[\"b\",1]}}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"cache\":1}"),
                ("delete", "{\"url\":\"\(Self.url)\",\"cache\":\"\\u0000\"}"),
                ("delete-cache", "{\"cache\":\"\(String(repeating: "n", count: 1024))\"}"),
                ("delete-cache", "{\"cache\":null}"), ("delete-cache", "[\"\"]"),
                ("delete-cache", "{}"), ("delete-cache", ""),
                ("delete-cache", "{\"cache\":\"\",\"url\":\"\(Self.url)\"}"),
                ("delete-tagged", "{\"tags\":[\"a b\"]}"), ("caches", "{\"cache\":\"\"}"),
                ("match", "{\"url\":\"\(Self.url)\",\"limit\":1}"),
                ("delete-tagged", "{}"), ("delete-tagged", "{\"tags\":[]}"),
                ("delete-tagged", "{\"tags\":\"t\"}"), ("delete-tagged", "{\"tags\":[\"t\",1]}"),
                ("delete-tagged", "{\"tag\":\"t\"}"), ("match", "{}"), ("match", ""),
                ("keys", "{\"limit\":0}"), ("keys", "{\"limit\":10001}"),
                ("keys", "{\"limit\":\"1\"}"), ("keys", "{\"after\":-1}"),
                ("match-all", "{\"url\":\"nonsense\"}"), ("caches", "{\"x\":1}"),
            ] {
                expectProblem(try client.native(operation, json), 400, "\(operation) \(json)")
            }
        }
    }

    @Test func unknownOperations() async throws {
        try await check { client in
            for operation in [
                "", "nonsense", "Delete", "delete/", "delete?x", "delete/x", "%64elete",
            ] {
                let json = "{\"url\":\"\(Self.url)\"}"
                expectProblem(try client.native(operation, json), 400, "\(operation)")
            }
            for target in ["/", "/delete", "//larder/delete", "http://a.example/larder/delete"] {
                let answer = try client.exchange(
                    "POST", target, ["Content-Type": "application/json"],
                    body: Array("{\"url\":\"\(Self.url)\"}".utf8))
                expectProblem(answer, 400, "\(target)")
            }
        }
    }

    /// No page in a browser can send any of these without asking first.
    @Test func wrongTypesOfContent() async throws {
        try await check { client in
            let json = Array("{\"url\":\"\(Self.url)\"}".utf8)
            for fields: WireFields in [
                [:], ["Content-Type": ""], ["Content-Type": "text/plain"],
                ["Content-Type": "text/plain;application/json"],
                ["Content-Type": "application/x-www-form-urlencoded"],
                ["Content-Type": "application/jsonp"], ["Content-Type": "multipart/form-data"],
            ] {
                let answer = try client.exchange("POST", "/larder/delete", fields, body: json)
                expectProblem(answer, 415, "\(fields)")
            }
        }
        try await withCacheStand { stand in
            for type in ["Application/JSON", "application/json; charset=utf-8"] {
                try stand.put(Self.url, payload("x"))
                let answer = try stand.client().exchange(
                    "POST", "/larder/delete", ["Content-Type": type],
                    body: Array("{\"url\":\"\(Self.url)\"}".utf8))
                #expect(answer.text == "{\"deleted\":true}\n", "\(type)")
            }
        }
    }

    @Test func contentThatIsTooLong() async throws {
        try await check { client in
            let start = "{\"url\":\"\(Self.url)\",\"headers\":{\"a\":\""
            let end = "\"}}"
            let room = (128 << 10) - start.utf8.count - end.utf8.count
            let fitting = start + String(repeating: "x", count: room) + end
            #expect(try client.native("match", fitting).text == "before")
            for extra in [1, 1 << 20] {
                let long = start + String(repeating: "x", count: room + extra) + end
                expectProblem(try client.native("delete", long), 413, "\(extra)")
            }
        }
    }

    /// A worker cannot get here: its puts, matches and deletes of these URLs are of its cache.
    @Test func aKeyThatLooksLikeAnOperation() async throws {
        try await check { client in
            let url = "http://127.0.0.1/larder/delete-cache"
            let json: WireFields = ["Content-Type": "application/json"]
            let miss = try client.match(url, json)
            let purge = try client.purge(url, json)
            let put = try client.put(url, payload("own"), json)
            let hit = try client.match(url, json)
            #expect(miss.isMiss && purge.status == 404 && put.isStored && hit.text == "own")
        }
    }
}
