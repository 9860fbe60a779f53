import Testing

@testable import larder

@Suite("Values of settings: durations, sizes, addresses, URLs, globs")
struct SettingValueTests {
    @Test(
        arguments: [
            ("500ms", 500), ("0ms", 0), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000),
            ("7d", 604_800_000), ("007s", 7000), ("2147483647s", 2_147_483_647_000),
        ] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) {
        #expect(Digits.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "s", "30", "-5s", "+5s", "5 s", " 5s", "5s ", "1.5s", "5S", "5min", "5sec", "1w",
        "1h30m", "\u{0661}s", "5\u{0300}s", "2147483648s", "99999999999999999999s",
        "106751991167301d",
    ])
    func noDurations(text: String) {
        #expect(Digits.milliseconds(text) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1), ("1024", 1024), ("512B", 512), ("64KB", 65_536), ("64kb", 65_536),
        ("10MB", 10_485_760), ("2GB", 2_147_483_648), ("1TB", 1_099_511_627_776),
        ("9223372036854775807", Int.max),
    ])
    func sizes(text: String, bytes: Int) {
        #expect(Digits.bytes(text) == bytes)
    }

    @Test(arguments: [
        "", "KB", "-1", "+1", "1 KB", "1.5MB", "1K", "1KiB", "0x10", "1e6", "\u{0661}KB",
        "9223372036854775808", "9223372036854775807KB", "8388608TB",
    ])
    func noSizes(text: String) {
        #expect(Digits.bytes(text) == nil)
    }

    @Test(arguments: [0, 1, 1023, 1024, 1536, 1_048_576, 3_145_728, 5_368_709_120, Int.max])
    func sizesRenderAndParseAgain(bytes: Int) {
        #expect(Digits.bytes(Digits.render(bytes: bytes)) == bytes)
    }

    @Test(arguments: [0, 1, 59, 60, 61, 119, 120, 3600, 7200, 86_400, 172_800] as [Int64])
    func durationsRenderAndParseAgain(seconds: Int64) {
        #expect(Digits.milliseconds(Digits.render(seconds: seconds)) == seconds * 1000)
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("0.0.0.0:80", "0.0.0.0", 80),
        ("localhost:0", "localhost", 0), ("[::1]:8080", "::1", 8080),
        ("[2001:DB8::1]:65535", "2001:db8::1", 65_535), ("[::ffff:1.2.3.4]:1", "::ffff:1.2.3.4", 1),
        ("Proxy-1.Example:443", "proxy-1.example", 443),
    ])
    func listenAddresses(text: String, host: String, port: Int) {
        let address = ValueFormat<ListenAddress>.listenAddress.parse(text)
        #expect(address == ListenAddress(host: host, port: port))
        #expect(address?.description == text.lowercased())
    }

    @Test(arguments: [
        "", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1:99999999999999999999", "127.0.0.1:80:80", "::1:8080", "[::1]",
        "[::1]8080", "[::1:8080", "::1]:8080", "[]:80", "[localhost]:80", "*:80", "a b:80",
        "http://a:80", "a/b:80", "\u{E9}.example:80", "[::1]\u{301}:80", "a\u{301}:80",
        "a:\u{0661}", "a@b:80",
    ])
    func noListenAddresses(text: String) {
        #expect(ValueFormat<ListenAddress>.listenAddress.parse(text) == nil)
    }

    @Test(arguments: [
        ("http://origin.example", "http", "origin.example", 80, "", "origin.example"),
        ("HTTP://Origin.Example/", "http", "origin.example", 80, "", "origin.example"),
        ("https://origin.example:443", "https", "origin.example", 443, "", "origin.example"),
        ("https://o.example:80/a", "https", "o.example", 80, "/a", "o.example:80"),
        ("http://127.0.0.1:8081/Api/v1//", "http", "127.0.0.1", 8081, "/Api/v1", "127.0.0.1:8081"),
        ("http://[::1]:8081/%7Ea", "http", "::1", 8081, "/%7Ea", "[::1]:8081"),
        ("https://[2001:db8::1]", "https", "2001:db8::1", 443, "", "[2001:db8::1]"),
    ])
    func originURLs(
        text: String, scheme: String, host: String, port: Int, prefix: String, authority: String
    ) throws {
        let url = try #require(OriginURL(text))
        #expect(url.scheme.rawValue == scheme)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.pathPrefix == prefix)
        #expect(url.authority == authority)
        #expect(OriginURL(url.description) == url)
    }

    @Test(arguments: [
        "", "origin.example", "//origin.example", "http:", "http:/origin.example", "http://",
        "http:///path", "ftp://origin.example", "http://user@origin.example",
        "http://user:secret@origin.example", "http://origin.example?x", "http://origin.example/?x",
        "http://origin.example/#x", "http://origin.example:0", "http://origin.example:",
        "http://origin.example:65536", "http://origin.example/a/../b", "http://origin.example/.",
        "http://origin.example/a b", "http://origin.example/\u{E9}", "http://::1/",
        "http://origin.example\\a", " http://origin.example", "http://origin.example\n",
        "http:\u{301}//origin.example",
    ])
    func noOriginURLs(text: String) {
        #expect(OriginURL(text) == nil)
    }

    @Test(arguments: [
        "/", "/search", "/v1/*", "/*/items", "/**", "/api/**", "/*/**", "/a/", "/a%20b", "/~x",
    ])
    func pathGlobs(text: String) {
        #expect(ValueFormat<String>.pathGlob.parse(text) == text)
    }

    @Test(arguments: [
        "", "search", "*", "**", "/v1*", "/*v1", "/a*b", "/**/a", "/***", "/a/**b", "/a//b", "//",
        "/./a", "/..", "/a?b", "/a#b", "/a\\b", "/a b", "/%2e/a", "/a%2Fb", "/\u{E9}", "/a\u{301}",
        "http://origin.example/a",
    ])
    func noPathGlobs(text: String) {
        #expect(ValueFormat<String>.pathGlob.parse(text) == nil)
    }

    @Test(arguments: [
        ("Example.COM", "example.com"), ("example.com:8443", "example.com:8443"),
        ("[::1]:8080", "[::1]:8080"), ("[::1]", "[::1]"),
    ])
    func hostNames(text: String, name: String) {
        #expect(ValueFormat<String>.hostName.parse(text) == name)
    }

    @Test(arguments: ["", "a/b", "a:b", "a:0", "http://a", "a b", "::1", "a,b"])
    func noHostNames(text: String) {
        #expect(ValueFormat<String>.hostName.parse(text) == nil)
    }

    @Test(arguments: ["", "X Tenant", "X:", "x\n", "x\u{E9}", "x,y", "(x)"])
    func noFieldNames(text: String) {
        #expect(ValueFormat<String>.fieldName.parse(text) == nil)
    }
}
