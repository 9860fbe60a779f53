import CacheTestKit
import Testing

/// Who may do anything: with a token on the listener, nobody without it.
@Suite(.drivesProcesses)
struct CacheTokenTests {
    private static let token = "tok-0123456789-SECRET-abcdef"
    private static let url = "http://a.example/x"
    private static let right: WireFields = ["Larder-Token": token]

    private func withToken(_ body: (CacheStand) async throws -> Void) async throws {
        try await withCacheStand(
            flags: { directory in
                let file = directory.file("token.txt")
                try writeFile(file, Array("\(Self.token)\n".utf8))
                return ["--cache-api-token-file", file, "--log-level", "debug"]
            }, body)
    }

    private static let wrong: [WireFields] = [
        [:], ["Larder-Token": ""], ["Larder-Token": "wrong"], ["Larder-Token": token + "x"],
        ["Larder-Token": String(token.dropLast())], ["Larder-Token": token.lowercased()],
        ["Larder-Token": "Bearer \(token)"], ["Larder-Token": "\(token), \(token)"],
        ["Larder-Token": token, "larder-token": token],
        ["Larder-Token": token, "Larder-Token": ""],
        ["Authorization": "Bearer \(token)"], ["X-Larder-Token": token],
        ["X-A": "b\u{E9}", "Larder-Token": "\(token)\u{E9}"],
    ]

    @Test func nothingWithoutTheToken() async throws {
        try await withToken { stand in
            #expect(try stand.put(Self.url, payload("before"), Self.right).isStored)
            for fields in Self.wrong {
                let answers = [
                    try stand.match(Self.url, fields), try stand.purge(Self.url, fields),
                    try stand.put(Self.url, payload("after"), fields),
                    try stand.client().match(Self.url, fields, method: "HEAD"),
                    try stand.client().exchange(
                        "POST", "/larder/delete",
                        fields.adding(["Content-Type": "application/json"]),
                        body: Array("{\"url\":\"\(Self.url)\"}".utf8)),
                    try stand.client().exchange(
                        "POST", "/larder/delete-cache",
                        fields.adding(["Content-Type": "application/json"]), body: []),
                    try stand.client().exchange("DELETE", "/x", fields),
                ]
                for answer in answers {
                    #expect(answer.status == 403, "\(fields)")
                    #expect(!answer.fields.contains("CF-Cache-Status"), "\(fields)")
                    #expect(!answer.text.contains("before"), "\(fields)")
                }
                let hit = try stand.match(Self.url, Self.right)
                #expect(hit.isMatch && hit.text == "before", "\(fields)")
            }
        }
    }

    /// Nothing stands behind the head of an answer to HEAD, and nothing more is taken.
    @Test func aHeadWithoutTheToken() async throws {
        try await withToken { stand in
            let client = try stand.client()
            #expect(try client.match(Self.url, method: "HEAD").status == 403)
            #expect(try client.readToEnd().isEmpty)
        }
    }

    @Test func everythingWithTheToken() async throws {
        try await withToken { stand in
            let client = try stand.client()
            #expect(try client.match(Self.url, Self.right).isMiss)
            #expect(try client.put(Self.url, payload("x"), Self.right).isStored)
            #expect(try client.match(Self.url, ["larder-TOKEN": Self.token]).text == "x")
            let caches = try client.exchange(
                "POST", "/larder/caches", Self.right.adding(["Content-Type": "application/json"]),
                body: [])
            #expect(caches.status == 200)
            #expect(try client.purge(Self.url, Self.right).status == 200)
        }
    }

    /// A large put is not taken in from nobody knows whom; what comes on the connection behind it is
    /// no request.
    @Test func aLargePutWithoutTheToken() async throws {
        try await withToken { stand in
            let client = try stand.client()
            let smuggled = "PUT \(Self.url) HTTP/1.1\r\nLarder-Token: \(Self.token)\r\n"
            let inner = payload("smuggled")
            let body =
                Array("\(smuggled)Content-Length: \(inner.count)\r\n\r\n".utf8) + inner
                + largeBody("/l", 300_000)
            try client.send(
                Array("PUT \(Self.url) HTTP/1.1\r\nContent-Length: \(body.count)\r\n\r\n".utf8))
            #expect(try client.readAnswer().status == 403)
            // Whether the rest can still be sent is the server's choice.
            try? client.send(body)
            _ = try? client.readToEnd()
            #expect(try stand.match(Self.url, Self.right).isMiss)
        }
    }

    @Test func theTokenIsWrittenNowhere() async throws {
        try await withToken { stand in
            for size in [10, 400_000] {
                let message = response(
                    "200 OK", fresh().adding(["Vary": "Larder-Token"]), largeBody("/", size))
                #expect(try stand.put("\(Self.url)\(size)", message, Self.right).isStored)
            }
            _ = try stand.match(Self.url, ["Larder-Token": "wrong-\(Self.token)"])
            try await stand.waitForEntries(2)
            try expectNowhere(stand)
            try stand.stop()
            try expectNowhere(stand)
        }
    }

    private func expectNowhere(_ stand: CacheStand) throws {
        let names = stand.directory.names()
        #expect(names.contains("cache.db") && names.contains("larder-1.err"))
        for name in names where name != "token.txt" {
            let holds =
                stand.directory.bytes(of: name).firstRange(of: Array(Self.token.utf8)) != nil
            #expect(!holds, "\(name)")
        }
    }
}
