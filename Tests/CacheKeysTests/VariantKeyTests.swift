import CacheKeys
import Testing

/// Variants of one key: named by what the request says in the fields that Vary names.
@Suite struct VariantKeyTests {
    private let hasher: KeyHasher
    private let secret: CredentialSecret
    private let otherSecret: CredentialSecret

    init() throws {
        hasher = try KeyHasher()
        secret = try #require(countingSecret())
        otherSecret = try #require(CredentialSecret(bytes: [UInt8](repeating: 9, count: 64)))
    }

    private func key(_ pairs: [(String, String?)], extra: [String] = []) -> Digest? {
        hasher.variantKey(
            names: pairs.map { $0.0 }, values: pairs.map { $0.1 }, secret: secret,
            extraCredentialFields: extra)
    }

    @Test func differingRequestsDiffer() {
        let keys = [
            key([]), key([("accept", nil)]), key([("accept", "")]), key([("accept", "a")]),
            key([("accept", "a"), ("origin", nil)]), key([("accept", nil), ("origin", "a")]),
            key([("accept", "a"), ("origin", "")]), key([("accepta", "")]), key([("", "accepta")]),
            key([("origin", "a"), ("accept", nil)]), key([("cookie", nil)]), key([("cookie", "")]),
            key([("cookie", "a")]), key([("authorization", "a")]), key([("accept", "caf\u{E9}")]),
            key([("accept", "cafe\u{301}")]),
        ]
        #expect(keys.allSatisfy { $0 != nil })
        #expect(Set(keys.compactMap { $0 }).count == keys.count)
    }

    @Test func equalRequestsAreEqual() {
        #expect(
            key([("accept", "a"), ("cookie", "b")]) == key([("accept", "a"), ("cookie", "b")]))
    }

    /// Only what is keyed depends on the secret.
    @Test func theSecretHidesCredentialsAlone() {
        func key(_ name: String, _ value: String?, _ secret: CredentialSecret) -> Digest? {
            hasher.variantKey(names: [name], values: [value], secret: secret)
        }
        for name in CredentialFields.standard {
            #expect(key(name, "a", secret) != key(name, "a", otherSecret))
            #expect(key(name, nil, secret) == key(name, nil, otherSecret))
        }
        #expect(key("accept", "a", secret) == key("accept", "a", otherSecret))
    }

    @Test func namesTheOperatorAddsAreKeyed() {
        let plain = key([("x-tenant-token", "a")])
        #expect(plain != key([("x-tenant-token", "a")], extra: ["x-tenant-token"]))
        #expect(plain == key([("x-tenant-token", "a")], extra: ["x-other"]))
    }

    @Test func aValueCannotPassForAKeyedOne() throws {
        let digest = try #require(secret.digest(fields: [(name: "cookie", value: "a")]))
        #expect(key([("cookie", "a")]) != key([("cookie", digest.hexadecimal)]))
    }

    @Test func unevenListsHaveNoKey() {
        #expect(hasher.variantKey(names: ["a"], values: [], secret: secret) == nil)
        #expect(hasher.variantKey(names: [], values: [nil], secret: secret) == nil)
    }
}
