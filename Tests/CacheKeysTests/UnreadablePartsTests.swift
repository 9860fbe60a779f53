import CacheKeys
import Testing

/// Bytes the HTTP decoder could not read arrive as U+FFFD: such a request has no key.
@Suite struct UnreadablePartsTests {
    private let hasher: KeyHasher

    init() throws { hasher = try KeyHasher() }

    private static let paths: [any WritableKeyPath<KeyParts, String> & Sendable] = [
        \.cacheName, \.method, \.scheme, \.authority, \.target,
    ]

    /// At every offset around the words in which a part is looked through.
    @Test(arguments: 0...20) func anywhereInAnyPart(_ offset: Int) {
        for path in Self.paths {
            for tail in 0...9 {
                var parts = KeyParts(
                    method: "GET", scheme: "http", authority: "example.org", target: "/")
                parts[keyPath: path] =
                    String(repeating: "a", count: offset) + "\u{FFFD}"
                    + String(repeating: "b", count: tail)
                #expect(hasher.primaryKey(parts) == nil)
                #expect(hasher.lastMaterial.isEmpty)
            }
        }
    }

    /// What the decoder makes of the bytes FF and FE is the same string: neither may be a key.
    @Test func repairedBytes() {
        let repaired = [
            [UInt8]([0x2F, 0xFF]), [0x2F, 0xFE], [0x2F, 0xC3], [0x2F, 0xED, 0xA0, 0x80],
        ]
        for bytes in repaired {
            let target = String(decoding: bytes, as: UTF8.self)
            #expect(hasher.getKey(scheme: "http", authority: "a", target: target) == nil)
            #expect(hasher.uriKey(scheme: "http", authority: "a", target: target) == nil)
        }
    }

    @Test(arguments: ["\u{FFFC}", "\u{FFFE}", "\u{FFBD}", "\u{F000}", "\u{10FFFD}", "\u{BFBD}"])
    func neighboursAreReadable(_ text: String) {
        for padding in 0...9 {
            let target = String(repeating: "a", count: padding) + text
            #expect(hasher.getKey(scheme: "http", authority: "a", target: target) != nil)
        }
    }

    /// The three bytes count within one part, not across two.
    @Test func bytesOfDigestsAreNotText() throws {
        let digest = try #require(
            Digest(bytes: (0..<32).map { [0xEF, 0xBF, 0xBD][$0 % 3] as UInt8 }))
        let parts = KeyParts(
            method: "POST", scheme: "http", authority: "a", target: "/",
            content: ContentParts(length: 0xEFBFBD, digest: digest, fields: []),
            credentials: digest)
        #expect(hasher.primaryKey(parts) != nil)
    }

    @Test func inContentFields() throws {
        let digest = try #require(filled(1))
        let fields: [(name: String, value: String?)] = [
            (name: "accept", value: "a\u{FFFD}"), (name: "acc\u{FFFD}ept", value: "a"),
        ]
        for field in fields {
            let parts = KeyParts(
                method: "POST", scheme: "http", authority: "a", target: "/",
                content: ContentParts(length: 1, digest: digest, fields: [field]))
            #expect(hasher.primaryKey(parts) == nil)
        }
    }

    /// An unreadable credential is neither "none" nor anything a key is made of.
    @Test func inCredentials() throws {
        let secret = try #require(countingSecret())
        let digest = secret.digest(fields: [(name: "authorization", value: "Bearer \u{FFFD}")])
        #expect(digest == .uncomputable)
        let parts = KeyParts(
            method: "POST", scheme: "http", authority: "a", target: "/", credentials: digest)
        #expect(hasher.primaryKey(parts) == nil)
        let content = ContentParts(length: 1, digest: .uncomputable, fields: [])
        let posting = KeyParts(
            method: "POST", scheme: "http", authority: "a", target: "/", content: content)
        #expect(hasher.primaryKey(posting) == nil)
    }

    @Test func inVariants() throws {
        let secret = try #require(countingSecret())
        for name in ["cookie", "user-agent"] {
            #expect(hasher.variantKey(names: [name], values: ["\u{FFFD}"], secret: secret) == nil)
            #expect(hasher.variantKey(names: [name], values: ["a"], secret: secret) != nil)
        }
    }
}
