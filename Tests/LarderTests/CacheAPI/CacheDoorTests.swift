import CacheTestKit
import Glibc
import Testing

/// The Cache API beside the proxy, and alone: two doors to one file that do not mix.
@Suite(.drivesProcesses)
struct CacheDoorTests {
    private static let url = "http://larder.test/x"

    @Test func oneURLAtBothDoors() async throws {
        try await withCacheStand(hasOrigin: true) { stand in
            let origin = try #require(stand.origin)
            origin.on("/x") { $0.method == "GET" ? .text("of the origin", fresh()) : .text("done") }
            #expect(try stand.put(Self.url, payload("of a program")).isStored)
            let proxy = try stand.proxyClient()
            let miss = try proxy.exchange("GET", "/x")
            #expect(miss.text == "of the origin" && miss.xCache == "MISS")
            try await stand.waitForEntries(2)
            for _ in 1...2 {
                let proxied = try stand.proxyClient().exchange("GET", "/x")
                #expect(proxied.isHit && proxied.text == "of the origin")
                #expect(!proxied.fields.contains("CF-Cache-Status"))
                let matched = try stand.match(Self.url)
                #expect(matched.isMatch && matched.text == "of a program")
                #expect(!matched.fields.contains("X-Cache"))
                #expect(!matched.fields.contains("Cache-Status"))
                try stand.restart()
            }
            let surfaces =
                "SELECT group_concat(surface) FROM (SELECT surface FROM entries ORDER BY 1)"
            #expect(try stand.sqlite(surfaces) == "cache-api,proxy")
            // What one door deletes stays at the other.
            #expect(try stand.purge(Self.url).status == 200)
            #expect(try stand.proxyClient().exchange("GET", "/x").isHit)
            #expect(try stand.put(Self.url, payload("again")).isStored)
            #expect(
                try stand.native("delete-cache", #"{"cache":""}"#).text == "{\"deleted\":true}\n")
            #expect(try stand.proxyClient().exchange("GET", "/x").isHit)
            #expect(try stand.put(Self.url, payload("again")).isStored)
            #expect(try stand.proxyClient().exchange("POST", "/x", body: []).text == "done")
            #expect(try stand.proxyClient().exchange("GET", "/x").xCache == "MISS")
            #expect(try stand.match(Self.url).text == "again")
            #expect(origin.count("/x") == 3)
        }
    }

    /// At the proxy's port these are requests like others, or refused as ever.
    @Test func theProxysPortSpeaksNoCacheAPI() async throws {
        try await withCacheStand(hasOrigin: true) { stand in
            let origin = try #require(stand.origin)
            origin.onOther { .text("\($0.method) \($0.body.count)") }
            #expect(try stand.put(Self.url, payload("of a program")).isStored)
            let message = payload("by the proxy")
            let put = try stand.proxyClient().exchange("PUT", "/x", body: message)
            #expect(put.status == 200 && put.text == "PUT \(message.count)")
            #expect(!put.fields.contains("Larder-Put"))
            let purge = try stand.proxyClient().exchange("PURGE", "/x")
            #expect(purge.status == 405)
            let native = try stand.proxyClient().exchange(
                "POST", "/larder/delete-cache", ["Content-Type": "application/json"], body: [])
            #expect(native.text == "POST 0")
            let cached = try stand.proxyClient().exchange(
                "GET", "/none", ["Cache-Control": "only-if-cached"])
            #expect(cached.status == 504 && !cached.fields.contains("CF-Cache-Status"))
            #expect(try stand.match(Self.url).text == "of a program")
            #expect(try stand.match("http://larder.test/larder/delete-cache").isMiss)
        }
    }

    @Test func nothingOfTheCacheAPIReachesTheOrigin() async throws {
        try await withCacheStand(hasOrigin: true) { stand in
            let origin = try #require(stand.origin)
            origin.onOther { _ in .text("asked", fresh()) }
            for url in [Self.url, origin.url + "/x", "http://127.0.0.1/x"] {
                #expect(try stand.match(url).isMiss)
                #expect(try stand.put(url, payload("x")).isStored)
                #expect(try stand.match(url).text == "x")
                #expect(try stand.purge(url).status == 200)
                #expect(try stand.match(url).isMiss)
            }
            #expect(origin.requests.isEmpty)
        }
    }

    @Test func withoutAnOriginThereIsNoProxy() async throws {
        try await withCacheStand { stand in
            let log = try stand.larder.standardError
            let lines = log.split(separator: "\n").filter { $0.contains("listening") }
            #expect(lines.count == 1 && log.contains("listening for the Cache API"))
            #expect(try stand.larder.port == stand.larder.cacheAPIPort)
            let answer = try stand.proxyClient().exchange("GET", "/x")
            #expect(answer.isMiss)
        }
    }

    // MARK: Starting

    /// It ends with this code, one clear line and no file.
    private func refusal(
        _ flags: [String], token: String? = nil, _ words: [String],
        code: Int32 = 2, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let directory = try TemporaryDirectory()
        var before = ["larder.err", "larder.out"]
        if let token {
            try writeFile(directory.file("token.txt"), Array(token.utf8))
            before.append("token.txt")
        }
        let process = try LarderProcess.run(["serve"] + flags, directory: directory.path)
        let exit = try process.waitForExit()
        #expect(exit == .code(code), sourceLocation: location)
        let text = process.standardError
        #expect(text.split(separator: "\n").count == 1, "\(text)", sourceLocation: location)
        for word in words {
            #expect(text.contains(word), "\(word): \(text)", sourceLocation: location)
        }
        if let token, token.utf8.count > 3 {
            #expect(!text.contains(token), sourceLocation: location)
        }
        #expect(directory.names() == before, sourceLocation: location)
    }

    @Test func refusedStarts() throws {
        try refusal([], ["--origin", "--cache-api"])
        try refusal(["--db", "x.db"], ["--origin", "--cache-api"])
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8780", "cache.example:8780"] {
            try refusal(
                ["--cache-api", address], ["--cache-api", address, "--cache-api-token-file"])
        }
        try refusal(
            [
                "--cache-api", "127.0.0.1:18780", "--listen", "127.0.0.1:18780", "--origin",
                "http://127.0.0.1:9",
            ], ["--cache-api", "127.0.0.1:18780", "--listen"])
        try refusal(
            ["--cache-api", "127.0.0.1:8080", "--origin", "http://127.0.0.1:9"], ["--cache-api"])
        try refusal(["--cache-api", "8780"], ["--cache-api", "HOST:PORT"])
        try refusal(
            ["--cache-api", "127.0.0.1:0", "--cache-ttl-defaults", "some"],
            ["--cache-ttl-defaults", "cloudflare", "none"])
        try refusal(
            ["--cache-api", "127.0.0.1:0", "--cache-api-5xx=maybe"], ["--cache-api-5xx"])
    }

    @Test func unusableTokens() throws {
        let flags = ["--cache-api", "127.0.0.1:0", "--cache-api-token-file"]
        try refusal(flags + ["none.txt"], ["--cache-api-token-file", "none.txt"], code: 1)
        for token in [
            "", "\n", "two words", "line\nline", "tab\t", "caf\u{E9}", "nul\0nul",
            String(repeating: "t", count: 5000),
        ] {
            try refusal(
                flags + ["token.txt"], token: token, ["--cache-api-token-file", "token.txt"],
                code: 1)
        }
    }

    @Test func aPortInUse() throws {
        let other = try ScriptedOrigin()
        defer { other.stop() }
        let address = "127.0.0.1:\(other.port)"
        try refusal(["--cache-api", address], ["cannot listen", address], code: 1)
        try refusal(
            ["--cache-api", address, "--origin", "http://127.0.0.1:9", "--listen", "127.0.0.1:0"],
            ["cannot listen", address], code: 1)
    }

    @Test func otherAddressesWithAToken() async throws {
        let directory = try TemporaryDirectory()
        try writeFile(directory.file("token"), Array("secret\r\n".utf8))
        let larder = try LarderProcess(
            [
                "serve", "--cache-api", "localhost:0", "--cache-api-token-file", "token", "--db",
                "a.db",
            ], directory: directory.path)
        let client = try RawClient(port: larder.cacheAPIPort)
        #expect(try client.match(Self.url, ["Larder-Token": "secret"]).isMiss)
        #expect(try RawClient(port: larder.cacheAPIPort).match(Self.url).status == 403)
        // The environment says the same as the flags.
        let second = try LarderProcess(
            ["serve"],
            environment: [
                "LARDER_CACHE_API": "127.0.0.1:0", "LARDER_CACHE_API_TOKEN_FILE": "token",
                "LARDER_DB": "b.db",
            ], directory: directory.path, outputName: "second")
        #expect(try RawClient(port: second.port).match(Self.url).status == 403)
        withExtendedLifetime((larder, second)) {}
    }
}
