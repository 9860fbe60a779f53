import CacheKeys
import Testing

/// Which paths a pattern holds: the raw bytes as written, and none that could be read otherwise.
@Suite struct PathGlobTests {
    @Test(
        arguments: [
            ("/search", ["/search"], ["/search/", "/Search", "/searc", "/searchx", "/", "search"]),
            ("/", ["/"], ["", "/a", "*"]),
            ("/search/", ["/search/"], ["/search", "/search/a"]),
            (
                "/v1/*", ["/v1/a", "/v1/a.json", "/v1/a;b=1", "/v1/%61", "/v1/..."],
                ["/v1/", "/v1", "/v1/a/", "/v1/a/b", "/v2/a", "/v1x/a"]
            ),
            (
                "/*/items", ["/a/items", "/*/items"],
                ["/items", "//items", "/a/b/items", "/a/items/"]
            ),
            ("/*", ["/a", "/..."], ["/", "/a/", "/a/b"]),
            (
                "/**",
                ["/", "/a", "/a/", "/a/b/c", "/%41", "/.well-known/x", "/a..b", "/...", "/a."],
                ["", "a", "*", "http://example.org/"]
            ),
            ("/v1/**", ["/v1/", "/v1/a", "/v1/a/b", "/v1/a/b/"], ["/v1", "/v1x", "/v2/a", "/"]),
            ("/*/x/**", ["/a/x/", "/a/x/b/c"], ["/a/x", "/x/b", "/a/y/x"]),
            ("/%61", ["/%61"], ["/a", "/%41"]),
            ("/a;b/$c,d'e", ["/a;b/$c,d'e"], ["/a", "/a;b"]),
        ] as [(String, [String], [String])])
    func table(_ pattern: String, _ held: [String], _ others: [String]) throws {
        let glob = try PathGlob(pattern)
        for path in held {
            #expect(glob.matches(path: path), "\(pattern) should hold \(path)")
            #expect(glob.matches(path: [UInt8](path.utf8)))
            #expect(glob.matches(path: ("x" + path).dropFirst()))
            #expect(glob.matches(path: path + "?"))
            #expect(glob.matches(path: path + "?q=/../%2f// #?"))
        }
        for path in others {
            #expect(!glob.matches(path: path), "\(pattern) should not hold \(path)")
            #expect(!glob.matches(path: [UInt8](path.utf8)))
            #expect(!glob.matches(path: path + "?"))
            #expect(!glob.matches(path: path + "?" + held[0]))
        }
    }

    /// Even `/**` holds none of these.
    @Test(arguments: [
        "/..", "/.", "/../", "/./", "/a/..", "/a/.", "/a/../b", "/a/./b", "/../a", "/..;/a",
        "/a/..;x=1", "/.;/a", "/%2e", "/%2E%2e/a", "/a%2e", "/.%2e/a", "/%2f", "/a%2Fb", "/a%2fb",
        "/static/..%2faccount", "/%5c", "/a%5Cb", "/\\", "/a\\..\\b", "//", "//a", "/a//b", "/a//",
        "///", "/a%00.css", "/a\u{0}b", "/a b", "/a\tb", "/a\r\nb", "/a\u{7F}", "/a#b", "?", "?/a",
        "/../a?b",
    ])
    func hostilePathsAreHeldByNone(_ path: String) throws {
        for pattern in ["/**", "/*", "/a/*", "/a/**", "/*/*", "/*/**"] {
            #expect(!(try PathGlob(pattern)).matches(path: path), "\(pattern)")
        }
    }

    @Test(arguments: ["/%", "/%2", "/a%", "/%zz", "/%252e", "/a%20b", "/%25", "/%e2%84%aa", "/%0a"])
    func otherEscapesAreBytesLikeAny(_ path: String) throws {
        #expect(try PathGlob("/**").matches(path: path))
        #expect(try PathGlob("/*").matches(path: path))
    }

    /// Composed and decomposed letters are different bytes, and a path may be no text at all.
    @Test func rawBytes() throws {
        let glob = try PathGlob("/*")
        #expect(glob.matches(path: [0x2F, 0xFF, 0xFE]))
        #expect(glob.matches(path: "/caf\u{E9}"))
        #expect(!(try PathGlob("/cafe")).matches(path: "/caf\u{E9}"))
        #expect(!(try PathGlob("/K")).matches(path: "/\u{212A}"))
        #expect(!glob.matches(path: EmptyCollection<UInt8>()))
        #expect(glob.matches(path: "/abc".utf8.lazy.map { $0 }))
    }

    @Test func everything() throws {
        #expect(try PathGlob("/**").isEverything)
        for pattern in ["/*", "/a/**", "/*/**", "/"] {
            #expect(!(try PathGlob(pattern)).isEverything)
        }
        #expect("\(try PathGlob("/v1/*"))" == "/v1/*")
    }

    /// Many segments and stars cost one pass.
    @Test func longPaths() throws {
        let path = String(repeating: "/a", count: 100_000)
        #expect(try PathGlob("/**").matches(path: path))
        #expect(try PathGlob(String(repeating: "/*", count: 100_000)).matches(path: path))
        #expect(!(try PathGlob(String(repeating: "/*", count: 99_999))).matches(path: path))
    }
}
