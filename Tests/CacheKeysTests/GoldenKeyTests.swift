import CacheKeys
import Testing

/// Digests computed outside this package, so that no key changes unnoticed between releases.
///
/// Made with Python's hashlib and hmac from the layout described at `Preimage`:
/// ```
/// def part(b, tag=1): return b'\0' if b is None else bytes([tag]) + pack('>I', len(b)) + b
/// primary = b'\1\1' + part(surface) + part(cache name) + part(recipe) + part(method)
///         + part(scheme) + part(authority) + part(target)
///         + (part(None) or part(pack('>Q', length)) + part(sha256) + part(pack('>I', fields))
///            + (part(name) + part(value or None)) * fields)
///         + part(credentials or None)
/// uri     = b'\1\2' + part(surface) + part(cache name) + part(scheme) + part(authority)
///         + part(target)
/// variant = b'\1\3' + part(pack('>I', names)) + (part(name) + part(value or None, or with tag 2
///           hmac of a credential's value)) * names
/// hmac of = b'\1\4' + (part(name) + part(value)) * fields, sorted by name
/// ```
@Suite struct GoldenKeyTests {
    private let hasher: KeyHasher

    init() throws { hasher = try KeyHasher() }

    private static let fields: [(name: String, value: String?)] = [
        (name: "content-type", value: "application/json"),
        (name: "content-encoding", value: nil),
        (name: "accept", value: ""),
    ]

    @Test func getKey() {
        let key = hasher.getKey(scheme: "http", authority: "example.org", target: "/a?b=1")
        #expect(
            key?.hexadecimal == "2b8fff6362a94a456fb2858f73569fb63e294e31581d55b6b883d965b21f2745")
        let material: [UInt8] =
            [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1]
            + [1, 0, 0, 0, 3] + Array("GET".utf8) + [1, 0, 0, 0, 4] + Array("http".utf8)
            + [1, 0, 0, 0, 11] + Array("example.org".utf8) + [1, 0, 0, 0, 6]
            + Array("/a?b=1".utf8) + [0, 0]
        #expect(hasher.lastMaterial == material)
    }

    @Test func headOverTLS() {
        let parts = KeyParts(
            method: "HEAD", scheme: "https", authority: "example.org:8443", target: "/")
        #expect(
            hasher.primaryKey(parts)?.hexadecimal
                == "06d171b1c28488da73f6cb097ba0af1c8d64af2c1ab3c600f4c425caf0b22821")
    }

    @Test func postWithContent() throws {
        var parts = KeyParts(
            method: "POST", scheme: "http", authority: "example.org", target: "/search")
        parts.content = try content(Array(#"{"q":1}"#.utf8), fields: Self.fields)
        #expect(
            hasher.primaryKey(parts)?.hexadecimal
                == "248ee190acac2b1e20a698b54bda041f1d23c78ab2e1f4a69561e8edef9e4f46")
        parts.credentials = countingSecret()?.digest(fields: [
            (name: "cookie", value: "a=1"), (name: "authorization", value: "Bearer x"),
        ])
        #expect(
            hasher.primaryKey(parts)?.hexadecimal
                == "baba418ffd3c401e5a83cee0530b8394566089b306e648869ee9a435a05b5660")
        parts.credentials = nil
        parts.content = try content([])
        #expect(
            hasher.primaryKey(parts)?.hexadecimal
                == "e98350651db08a91867051cb342199218b4c86293425667f3d6547c8c4557d48")
    }

    @Test func cacheAPI() {
        let parts = KeyParts(
            surface: .cacheAPI, cacheName: "v1-\u{E9}", method: "GET", scheme: "https",
            authority: "example.org", target: "/")
        #expect(
            hasher.primaryKey(parts)?.hexadecimal
                == "44e03e9661cdc17386d3eeeb058d1ef21f16de5e6bfdacb4e8e5befe44e23de1")
    }

    @Test func uriKeys() {
        #expect(
            hasher.uriKey(scheme: "http", authority: "example.org", target: "/a?b=1")?.hexadecimal
                == "a0b026b3333dad676025347805f37e4b9279f3cfa4a8ded3291c9fd4c81a25c9")
        let named = hasher.uriKey(
            surface: .cacheAPI, cacheName: "v1", scheme: "http", authority: "example.org",
            target: "/a?b=1")
        #expect(
            named?.hexadecimal
                == "92dfdaa8a8738d2e58d48e874a46aead644ea651f731246e10afbbb6fa160232")
    }

    @Test func credentials() throws {
        let secret = try #require(countingSecret())
        let two = secret.digest(fields: [
            (name: "authorization", value: "Bearer x"), (name: "cookie", value: "a=1"),
        ])
        #expect(
            two?.hexadecimal
                == "09bb1d855ccb7866a22dfe3ae8c3e44de390c8dd19ed261c0ade283e771fff03")
        #expect(
            secret.digest(fields: [(name: "x-api-key", value: "")])?.hexadecimal
                == "cba3982d948cede8365690459c782e14bfd50b98c3fa2871164f4894dcf6928a")
    }

    @Test func variants() throws {
        let secret = try #require(countingSecret())
        let none = hasher.variantKey(names: [], values: [], secret: secret)
        #expect(
            none?.hexadecimal
                == "77b8cb75ad426de1b2afa4f07f05a64040cd0bd97c74535db358118e21f1fc9f")
        let three = hasher.variantKey(
            names: ["accept-encoding", "accept-language", "cookie"],
            values: ["br, gzip", nil, "a=1"], secret: secret)
        #expect(
            three?.hexadecimal
                == "497d55f4f981b3f24cca92f9034e345f01771a2d911dbd71e14e5f64e375d6da")
    }
}
