import CacheKeys
import CacheTestKit
import Testing

/// One name for each URL that a program puts or matches, and none for what is no URL.
@Suite struct CacheURLTests {
    @Test(arguments: [
        ("http://example.org/", "http://example.org/"),
        ("http://example.org", "http://example.org/"),
        ("HTTP://EXAMPLE.org/A?B=C", "http://example.org/A?B=C"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:80/a", "https://example.org:80/a"),
        ("http://example.org:08080/a", "http://example.org:8080/a"),
        ("http://example.org:/a", "http://example.org/a"),
        ("http://example.org./a", "http://example.org/a"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://[2001:DB8::A]/", "http://[2001:db8::a]/"),
        // Path and query stay byte for byte.
        ("http://a//b/../c/./%7e%7E", "http://a//b/../c/./%7e%7E"),
        ("http://a?x", "http://a/?x"),
        ("http://a/?", "http://a/?"),
        ("http://a/b?c?d", "http://a/b?c?d"),
        ("http://a/?b=2&a=1", "http://a/?b=2&a=1"),
        ("http://a/\u{E9}", "http://a/\u{E9}"),
        ("http://a/e\u{301}", "http://a/e\u{301}"),
        ("http://a/b://c", "http://a/b://c"),
        ("http://a/@b:c@", "http://a/@b:c@"),
        // Whatever follows a number sign is no part of a name.
        ("http://a/b#c", "http://a/b"), ("http://a/b#", "http://a/b"), ("http://a#c", "http://a/"),
        ("http://a?b#c?d", "http://a/?b"), ("http://a/#?", "http://a/"),
        ("http://a/b#c d", "http://a/b"),
        // Any scheme, and hosts that nobody has.
        ("ftp://x/", "ftp://x/"), ("Ftp://X:21/", "ftp://x:21/"), ("a+b-c.1://x/", "a+b-c.1://x/"),
        ("http://a..B/", "http://a..b/"), ("http://-._:[]/", "http://-._:[]/"),
        ("http://A:99999/", "http://a:99999/"), ("http://[::1/", "http://[::1/"),
    ])
    func normalForms(_ text: String, _ expected: String) throws {
        let url = try #require(CacheURL(text))
        #expect(Array(url.text.utf8) == Array(expected.utf8))
        #expect(CacheURL(url.text) == url)
        #expect(CacheURL.custom(url.text) == url)
        #expect(
            CacheURL(scheme: url.scheme, authority: url.authority, target: url.target) == url)
    }

    @Test(arguments: [
        "", "/", "/a", "a", "a/b", "//a/b", "http", "http:", "http:/", "http:/a", "http:a",
        "http://", "http:///a", "http://?a", "http://#a", "://a/", "1http://a/", "+a://a/",
        "ht tp://a/", "ht_tp://a/", "h\u{E9}://a/", " http://a/", "http ://a/",
        // No user information, and no byte that a host has not.
        "http://user@a/", "http://user:pw@a/", "http://@a/", "http://a@/", "http://a%62/",
        "http://a b/", "http://a,b/", "http://a\\b/", "http://*/", "http://\u{E9}.org/",
        "http://a\u{0}/", "http://a\n/",
        // Spaces and controls, also where they would be cut off.
        "http://a/b c", "http://a/b\u{0}", "http://a/b\tc", "http://a/b\r\nc", "http://a/b\u{7F}",
        "http://a/b ",
    ])
    func refused(_ text: String) {
        #expect(CacheURL(text) == nil)
    }

    @Test func parts() throws {
        let url = try #require(CacheURL("HTTPS://Example.org:443/a/b?c=d"))
        #expect(url.scheme == "https")
        #expect(url.authority == "example.org")
        #expect(url.target == "/a/b?c=d")
        #expect(url.path == "/a/b")
        #expect(CacheURL("http://a/b")?.path == "/b")
        #expect(CacheURL("http://a?b")?.path == "/")
        #expect(CacheURL("http://a/b?c?d")?.path == "/b")
        // The question mark is a byte, whatever stands on it.
        #expect(CacheURL("http://a/b?\u{301}c")?.path == "/b")
        #expect(CacheURL.custom("own?key")?.path == "own")
        #expect(
            CacheURL(scheme: "HTTP", authority: "A:80", target: "b?c#d") == CacheURL("http://a/b?c")
        )
        #expect(CacheURL(scheme: "http", authority: "a", target: "") == CacheURL("http://a/"))
        for (scheme, authority) in [("", "a"), ("http", ""), ("ht:tp", "a"), ("http", "u@a")] {
            #expect(CacheURL(scheme: scheme, authority: authority, target: "/") == nil)
        }
    }

    @Test func lengths() throws {
        let head = "http://a/"
        let longest = head + String(repeating: "b", count: CacheURL.lengthMax - head.utf8.count)
        let isKept = CacheURL(longest)?.text == longest
        #expect(isKept)
        #expect(CacheURL(longest + "b") == nil)
        #expect(CacheURL.custom(longest + "b") == nil)
        let key = String(repeating: "b", count: CacheURL.lengthMax)
        let isKeyKept = CacheURL.custom(key)?.text == key
        #expect(isKeyKept)
        #expect(CacheURL.custom(key + "b") == nil)
        // Bytes are counted and not characters.
        let accented = String(repeating: "\u{E9}", count: CacheURL.lengthMax / 2)
        #expect(CacheURL.custom(accented) != nil)
        #expect(CacheURL.custom(accented + "b") == nil)
        let name = String(repeating: "a", count: Authority.maximumHostLength)
        #expect(CacheURL("http://\(name)/") != nil)
        #expect(CacheURL("http://\(name)a/") == nil)
    }

    @Test(arguments: [
        "a", "user:42", "/a", "/a?b#c", "http:a", "http://", "http:///a", "http://u@a/",
        "http://a/b c", " ", "\u{E9}", "e\u{301}", "a\nb", "://", "\u{1F600}",
        // What is no normal form is no URL: no two keys are one.
        "http://a", "http://A/", "HTTP://a/", "http://a:80/", "http://a/b#c", "http://a/b#",
    ])
    func keysOfOnesOwn(_ text: String) throws {
        let key = try #require(CacheURL.custom(text))
        #expect(key.isOwnKey && key.authority.isEmpty)
        #expect(Array(key.text.utf8) == Array(text.utf8))
        #expect(CacheURL.custom(key.text) == key)
    }

    @Test func aKeyOfOnesOwnEqualsTheURLThatItSpells() throws {
        let url = try #require(CacheURL("http://example.org/a?b"))
        #expect(CacheURL.custom("http://example.org/a?b") == url)
        for other in [
            "HTTP://Example.Org:80/a?b#c", "http://example.org/a?b#", "example.org/a?b",
            "//example.org/a?b", "/a?b", "http:/example.org/a?b",
        ] {
            let key = try #require(CacheURL.custom(other))
            #expect(key != url)
            #expect(try keys(key).primaryKey != keys(url).primaryKey)
        }
    }

    @Test(arguments: ["", "\u{0}", "a\u{0}", "\u{0}a", "http://a/\u{0}"])
    func noKeys(_ text: String) {
        #expect(CacheURL.custom(text) == nil)
    }

    private func keys(_ url: CacheURL, in cacheName: String = "") throws -> CacheURL.Keys {
        try #require(url.keys(in: cacheName, hasher: try KeyHasher()))
    }

    @Test func equalNamesHaveEqualKeys() throws {
        let one = try #require(CacheURL("http://a/b"))
        let same = try #require(CacheURL("HTTP://A:80/b#c"))
        #expect(try keys(one) == keys(same))
        #expect(try keys(one, in: "x") == keys(same, in: "x"))
    }

    @Test func otherNamesAndCachesHaveOtherKeys() throws {
        let texts = [
            "http://a/b", "https://a/b", "http://a:81/b", "http://ab/", "http://a/b?", "http://a/B",
            "http://a/b/", "ftp://a/b", "a/b", "/b", "http", "http:a/b", "\u{E9}", "e\u{301}",
        ]
        let names = ["", "x", "xhttp", "X", "\u{E9}", "e\u{301}"]
        var primary: Set<CacheKey> = []
        var uris: Set<URIKey> = []
        var materials: Set<[UInt8]> = []
        for text in texts {
            let url = try #require(CacheURL.custom(text))
            for name in names {
                let keys = try keys(url, in: name)
                primary.insert(keys.primaryKey)
                uris.insert(keys.uriKey)
                materials.insert(keys.material)
            }
        }
        let count = texts.count * names.count
        #expect(primary.count == count && uris.count == count && materials.count == count)
        #expect(primary.isDisjoint(with: uris))
    }

    @Test func theProxyKnowsOtherKeys() throws {
        let url = try #require(CacheURL("http://a/b"))
        let ours = try keys(url)
        let hasher = try KeyHasher()
        for method in ["GET", "HEAD", "PUT", "PURGE"] {
            let key = hasher.getKey(scheme: "http", authority: "a", target: "/b", method: method)
            #expect(key != ours.primaryKey)
            #expect(hasher.lastMaterial != ours.material)
            var parts = KeyParts(method: method, scheme: "http", authority: "a", target: "/b")
            parts.surface = .cacheAPI
            #expect((hasher.primaryKey(parts) == ours.primaryKey) == (method == "GET"))
        }
        #expect(hasher.uriKey(scheme: "http", authority: "a", target: "/b") != ours.uriKey)
        let uri = hasher.uriKey(surface: .cacheAPI, scheme: "http", authority: "a", target: "/b")
        #expect(uri == ours.uriKey)
    }

    @Test func theKeyIsTheDigestOfItsMaterial() throws {
        let keys = try keys(try #require(CacheURL("http://a/b")), in: "x")
        #expect(try content(keys.material).digest == keys.primaryKey)
    }

    @Test func whatADecoderRepairedHasNoKey() throws {
        let hasher = try KeyHasher()
        let repaired = try #require(CacheURL.custom("a\u{FFFD}"))
        #expect(repaired.keys(in: "", hasher: hasher) == nil)
        let url = try #require(CacheURL("http://a/\u{FFFD}"))
        #expect(url.keys(in: "", hasher: hasher) == nil)
        let fine = try #require(CacheURL("http://a/"))
        #expect(fine.keys(in: "\u{FFFD}", hasher: hasher) == nil)
        #expect(fine.keys(in: "", hasher: hasher) != nil)
    }

    /// Whatever comes in: a name that its own text gives again, or none.
    @Test(arguments: UInt64(1)...20) func anyText(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("aB0.:[]%-_/?#@ \u{E9}8")
        for _ in 0..<500 {
            let length = Int.random(in: 1...12, using: &generator)
            let rest = String(
                (0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
            let text = (Bool.random(using: &generator) ? "hTTp://" : "") + rest
            let custom = try #require(CacheURL.custom(text), "\(text)")
            #expect(CacheURL.custom(custom.text) == custom, "\(text)")
            guard let url = CacheURL(text) else {
                #expect(custom.isOwnKey, "\(text)")
                continue
            }
            let isNormal = url.text.utf8.elementsEqual(text.utf8)
            #expect(isNormal ? custom == url : custom.isOwnKey, "\(text)")
            #expect(CacheURL(url.text) == url, "\(text)")
            #expect(
                url.target.utf8.first == UInt8(ascii: "/")
                    && !url.target.utf8.contains(UInt8(ascii: "#")))
            #expect(!url.authority.utf8.contains { (0x41...0x5A).contains($0) }, "\(text)")
        }
    }
}
