import CacheKeys
import CacheTestKit
import Testing

/// The preimage can be taken apart in one way only: a reader written here finds every part again.
@Suite struct KeyMaterialTests {
    private let hasher: KeyHasher

    init() throws { hasher = try KeyHasher() }

    /// Splits key material into its parts; nil when it is not made as documented.
    private func parts(of material: [UInt8]) -> [[UInt8]?]? {
        guard material.prefix(2).elementsEqual([1, 1]) else { return nil }
        var rest = material.dropFirst(2)
        var parts: [[UInt8]?] = []
        while let tag = rest.popFirst() {
            if tag == 0 {
                parts.append(nil)
                continue
            }
            guard tag == 1, rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            parts.append([UInt8](rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return parts
    }

    private func text(_ generator: inout SeededGenerator) -> String {
        // Bytes that mean something in the layout, and letters of one to four bytes.
        let scalars: [Unicode.Scalar] = [
            "\u{0}", "\u{1}", "\u{2}", "a", "/", "\u{E9}", "\u{1F600}",
        ]
        let length = Int.random(in: 0...20, using: &generator)
        var text = ""
        for _ in 0..<length {
            text.unicodeScalars.append(scalars.randomElement(using: &generator) ?? "a")
        }
        return text
    }

    @Test(arguments: UInt64(1)...50) func everyPartIsFoundAgain(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let digest = try #require(filled(UInt8(clamping: seed)))
        let fields = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            (name: text(&generator), value: Bool.random(using: &generator) ? nil : text(&generator))
        }
        let hasContent = Bool.random(using: &generator)
        let parts = KeyParts(
            surface: .cacheAPI, cacheName: text(&generator), recipe: KeyRecipe(rawValue: 9),
            method: text(&generator), scheme: text(&generator), authority: text(&generator),
            target: text(&generator),
            content: hasContent
                ? ContentParts(length: 258, digest: digest, fields: fields) : nil,
            credentials: Bool.random(using: &generator) ? digest : nil)
        var expected: [[UInt8]?] = [
            [2], [UInt8](parts.cacheName.utf8), [9], [UInt8](parts.method.utf8),
            [UInt8](parts.scheme.utf8), [UInt8](parts.authority.utf8), [UInt8](parts.target.utf8),
        ]
        if hasContent {
            expected += [[0, 0, 0, 0, 0, 0, 1, 2], digest.bytes]
            expected.append([0, 0, 0, UInt8(fields.count)])
            for (name, value) in fields {
                expected.append([UInt8](name.utf8))
                expected.append(value.map { [UInt8]($0.utf8) })
            }
        } else {
            expected.append(nil)
        }
        expected.append(parts.credentials?.bytes)
        let key = try #require(hasher.primaryKey(parts))
        let material = hasher.lastMaterial
        #expect(self.parts(of: material) == expected)
        // The key is the digest of exactly these bytes.
        #expect(try content(material).digest == key)
    }

    @Test func theFastPathEqualsTheFullOne() throws {
        for method in ["GET", "HEAD", "OPTIONS"] {
            for target in ["/", "", "/a?b", "/\u{E9}", String(repeating: "/x", count: 9_000)] {
                let full = hasher.primaryKey(
                    KeyParts(
                        method: method, scheme: "https", authority: "example.org", target: target))
                let material = hasher.lastMaterial
                let fast = hasher.getKey(
                    scheme: "https", authority: "example.org", target: target, method: method)
                #expect(full != nil)
                #expect(full == fast)
                #expect(hasher.lastMaterial == material)
            }
        }
    }

    @Test func otherKeysLeaveTheMaterialAlone() throws {
        let secret = try #require(countingSecret())
        _ = hasher.getKey(scheme: "http", authority: "a", target: "/1")
        let material = hasher.lastMaterial
        _ = hasher.uriKey(scheme: "http", authority: "b", target: "/2")
        _ = hasher.variantKey(names: ["a"], values: ["b"], secret: secret)
        #expect(!material.isEmpty)
        #expect(hasher.lastMaterial == material)
    }

    @Test func longAndShortRequestsLeaveNothingBehind() throws {
        let first = hasher.getKey(scheme: "http", authority: "a", target: "/")
        let outsized = String(repeating: "z", count: 1_000_000)
        #expect(hasher.getKey(scheme: "http", authority: "a", target: outsized) != nil)
        #expect(hasher.getKey(scheme: "http", authority: "a", target: "/") == first)
        #expect(try KeyHasher().getKey(scheme: "http", authority: "a", target: "/") == first)
    }

    @Test func aPartPastAllMeasureHasNoKey() {
        let absurd = String(repeating: "z", count: 17 * 1_024 * 1_024)
        #expect(hasher.getKey(scheme: "http", authority: "a", target: absurd) == nil)
        #expect(hasher.lastMaterial.isEmpty)
        #expect(hasher.getKey(scheme: "http", authority: "a", target: "/") != nil)
    }
}
