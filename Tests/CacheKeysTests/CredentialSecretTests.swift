import CacheKeys
import Testing

/// What is known of credentials: whether they are the same, to those who hold the secret.
@Suite struct CredentialSecretTests {
    private let secret: CredentialSecret

    init() throws { secret = try #require(countingSecret()) }

    @Test(arguments: [(0, false), (31, false), (32, true), (64, true), (65, false), (1_000, false)])
    func sizes(_ count: Int, _ isAccepted: Bool) {
        let made = CredentialSecret(bytes: [UInt8](repeating: 1, count: count))
        #expect((made != nil) == isAccepted)
    }

    @Test func randomSecretsDiffer() throws {
        let first = try CredentialSecret.random()
        let second = try CredentialSecret.random()
        #expect(first.bytes.count == 32)
        #expect(first.bytes != second.bytes)
        let fields = [(name: "cookie", value: "a")]
        #expect(first.digest(fields: fields) != second.digest(fields: fields))
        #expect(
            first.digest(fields: fields)
                == CredentialSecret(bytes: first.bytes)?.digest(fields: fields))
    }

    @Test func noFieldsNoDigest() {
        #expect(secret.digest(fields: []) == nil)
    }

    @Test func orderOfNamesDoesNotMatterThatOfLinesDoes() {
        let one = (name: "authorization", value: "a")
        let two = (name: "cookie", value: "b")
        let three = (name: "cookie", value: "c")
        let digest = secret.digest(fields: [one, two, three])
        #expect(digest == secret.digest(fields: [two, one, three]))
        #expect(digest == secret.digest(fields: [two, three, one]))
        #expect(digest != secret.digest(fields: [one, three, two]))
    }

    @Test func differingFieldsDiffer() {
        let lists: [[(name: String, value: String)]] = [
            [(name: "cookie", value: "")], [(name: "cookie", value: "a")],
            [(name: "cookiea", value: "")], [(name: "", value: "cookiea")],
            [(name: "authorization", value: "a")],
            [(name: "cookie", value: "a"), (name: "cookie", value: "")],
            [(name: "cookie", value: "a; b")],
            [(name: "cookie", value: "a"), (name: "cookie", value: "b")],
            [(name: "cookie", value: "\u{E9}")], [(name: "cookie", value: "e\u{301}")],
            [(name: "cookie", value: "\u{1}\u{0}\u{0}\u{0}\u{0}")],
        ]
        let digests = lists.compactMap { secret.digest(fields: $0) }
        #expect(Set(digests).count == lists.count)
        #expect(!digests.contains(.uncomputable))
    }

    @Test func nothingPrintsTheSecret() throws {
        let secret = try #require(
            CredentialSecret(bytes: [UInt8]("Tr0ub4dor&3-Tr0ub4dor&3-abcdefgh".utf8)))
        var dumped = ""
        dump(secret, to: &dumped)
        dump([secret], to: &dumped)
        dump((1, secret), to: &dumped)
        let texts = [
            "\(secret)", String(reflecting: secret), String(describing: [secret]),
            String(reflecting: Optional(secret)), dumped,
        ]
        for text in texts {
            #expect(text.contains("hidden"))
            // The first bytes as a list of numbers, as text, and in hexadecimal.
            for trace in ["84, 114", "114\n", "Tr0ub", "5472"] {
                #expect(!text.contains(trace))
            }
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }
}
