import CacheKeys
import Testing

/// Requests that differ must never share a key: every pair of a list that somebody would try.
@Suite struct KeyCollisionTests {
    private let hasher: KeyHasher

    init() throws { hasher = try KeyHasher() }

    /// Expects a key for each of `parts`, and no key twice.
    private func expectDistinct(
        _ parts: [KeyParts], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var seen: [CacheKey: KeyParts] = [:]
        for part in parts {
            let key = try #require(hasher.primaryKey(part), sourceLocation: sourceLocation)
            let earlier = seen.updateValue(part, forKey: key)
            #expect(
                earlier == nil, "\(String(describing: earlier)) and \(part)",
                sourceLocation: sourceLocation)
        }
        #expect(seen.count == parts.count, sourceLocation: sourceLocation)
    }

    private func get(
        _ target: String, method: String = "GET", scheme: String = "http",
        authority: String = "example.org"
    ) -> KeyParts {
        KeyParts(method: method, scheme: scheme, authority: authority, target: target)
    }

    @Test func everyPartCounts() throws {
        let body = try content([1])
        try expectDistinct([
            get("/"), get("/", method: "HEAD"), get("/", method: "get"), get("/", scheme: "https"),
            get("/", authority: "example.org:8080"), get("/?"), get("//"), get("/", method: ""),
            KeyParts(
                surface: .cacheAPI, method: "GET", scheme: "http", authority: "example.org",
                target: "/"),
            KeyParts(
                cacheName: "v1", method: "GET", scheme: "http", authority: "example.org",
                target: "/"),
            KeyParts(
                recipe: KeyRecipe(rawValue: 2), method: "GET", scheme: "http",
                authority: "example.org", target: "/"),
            KeyParts(
                method: "GET", scheme: "http", authority: "example.org", target: "/",
                content: body),
            KeyParts(
                method: "GET", scheme: "http", authority: "example.org", target: "/",
                credentials: filled(1)),
        ])
    }

    /// All ways to cut one text into method, scheme, authority and target.
    @Test func bytesMovedBetweenAdjacentParts() throws {
        let text = Array("GETa/b\u{0}\u{1}\u{0}:80")
        var parts: [KeyParts] = []
        for first in 0...text.count {
            for second in first...text.count {
                for third in second...text.count {
                    parts.append(
                        get(
                            String(text[third...]), method: String(text[..<first]),
                            scheme: String(text[first..<second]),
                            authority: String(text[second..<third])))
                }
            }
        }
        try expectDistinct(parts)
    }

    /// Separators and forged length prefixes inside a part.
    @Test(arguments: [
        ":", "/", "?", "&", "|", "\u{0}", "\n", " ", "\u{1F}", "\u{1}\u{0}\u{0}\u{0}\u{1}",
        "\u{1}\u{0}\u{0}\u{0}\u{4}http", "\u{0}\u{0}",
    ])
    func separatorsInsideParts(_ separator: String) throws {
        try expectDistinct([
            get("a\(separator)b"), get("a", authority: "example.org\(separator)b"),
            get("ab\(separator)"), get("\(separator)ab"), get("a\(separator)\(separator)b"),
            get("b", authority: "example.org\(separator)a"),
            get("b", scheme: "http\(separator)a"), get("b", method: "GET\(separator)a"),
            get("ab"),
        ])
    }

    @Test func otherSpellingsOfATarget() throws {
        try expectDistinct(
            [
                "/a", "/a/", "/a?", "/a#", "/A", "/%61", "/a%20", "/a%2f", "/a%2F", "/./a",
                "/a?b=1&c=2", "/a?c=2&b=1", "/a?b=1;c=2", "/a?b=1&b=1", "/a?%62=1&c=2", "/a?b=+",
                "/a?b=%20", "http://example.org/a", "*", "",
            ].map { get($0) })
    }

    /// Swift's `==` takes each pair for equal; their bytes differ.
    @Test(arguments: [
        ("/caf\u{E9}", "/cafe\u{301}"), ("/\u{1E9B}\u{323}", "/\u{17F}\u{323}\u{307}"),
        ("/\u{212A}", "/K"), ("/\u{AC00}", "/\u{1100}\u{1161}"), ("/\u{2126}", "/\u{3A9}"),
        ("/q\u{307}\u{323}", "/q\u{323}\u{307}"),
    ])
    func canonicallyEquivalentText(_ left: String, _ right: String) throws {
        #expect(left == right)
        try expectDistinct([get(left), get(right)])
        let fields = [left, right].map { [(name: "accept", value: Optional($0))] }
        try expectDistinct(try fields.map { try posting([1], fields: $0) })
        #expect(
            hasher.uriKey(scheme: "http", authority: "a", target: left)
                != hasher.uriKey(scheme: "http", authority: "a", target: right))
    }

    @Test func longParts() throws {
        let block = String(repeating: "x", count: 65_536)
        try expectDistinct([
            get(block), get(block + "y"), get("y" + block), get(block, authority: block),
            get(block + block), get(String(block.dropLast())),
            get(String(repeating: "x", count: 3_000_000)),
            get(String(repeating: "x", count: 255)), get(String(repeating: "x", count: 256)),
        ])
    }

    private func posting(
        _ bytes: [UInt8], fields: [(name: String, value: String?)] = [],
        credentials: Digest? = nil
    ) throws -> KeyParts {
        KeyParts(
            method: "POST", scheme: "http", authority: "example.org", target: "/search",
            content: try content(bytes, fields: fields), credentials: credentials)
    }

    @Test func contents() throws {
        try expectDistinct([
            get("/search", method: "POST"), try posting([]), try posting([0]), try posting([0, 0]),
            try posting([0xFF]), try posting([0xFE]), try posting([0xEF, 0xBF, 0xBD]),
            try posting(Array("e\u{301}".utf8)), try posting(Array("\u{E9}".utf8)),
            try posting(Array(#"{"a":1}"#.utf8)), try posting(Array(#"{"a": 1}"#.utf8)),
        ])
    }

    @Test func contentFields() throws {
        let type = (name: "content-type", value: Optional("text/plain"))
        let absent = (name: "accept", value: String?.none)
        let empty = (name: "accept", value: Optional(""))
        try expectDistinct([
            try posting([1]), try posting([1], fields: [type]),
            try posting([1], fields: [type, absent]), try posting([1], fields: [type, empty]),
            try posting([1], fields: [absent, type]), try posting([1], fields: [empty, type]),
            try posting([1], fields: [absent]), try posting([1], fields: [empty]),
            try posting([1], fields: [type, type]),
            try posting([1], fields: [(name: "content-typetext", value: "/plain")]),
            try posting([1], fields: [(name: "content-type", value: "text/plain ")]),
            try posting([1], fields: [(name: "", value: "content-typetext/plain")]),
            try posting([1], fields: [(name: "text/plain", value: "content-type")]),
        ])
    }

    @Test func lengthCountsApartFromTheDigest() throws {
        let digest = try #require(filled(7))
        try expectDistinct(
            [0, 1, 256, UInt64.max].map { length in
                KeyParts(
                    method: "POST", scheme: "http", authority: "example.org", target: "/",
                    content: ContentParts(length: length, digest: digest, fields: []))
            })
    }

    @Test func credentials() throws {
        let secret = try #require(countingSecret())
        func digest(_ fields: [(name: String, value: String)]) -> Digest? {
            secret.digest(fields: fields)
        }
        try expectDistinct([
            try posting([1]),
            try posting([1], credentials: digest([(name: "cookie", value: "")])),
            try posting([1], credentials: digest([(name: "authorization", value: "")])),
            try posting([1], credentials: digest([(name: "cookie", value: "a=1")])),
            try posting(
                [1],
                credentials: digest([(name: "cookie", value: "a=1"), (name: "cookie", value: "")])),
            try posting([1], fields: [(name: "cookie", value: "a=1")]),
        ])
    }

    @Test func kindsShareNothing() throws {
        let secret = try #require(countingSecret())
        let digests = [
            hasher.getKey(scheme: "", authority: "", target: ""),
            hasher.uriKey(scheme: "", authority: "", target: ""),
            hasher.variantKey(names: [], values: [], secret: secret),
            hasher.variantKey(names: [""], values: [""], secret: secret),
        ]
        #expect(Set(digests.compactMap { $0 }).count == digests.count)
    }
}
