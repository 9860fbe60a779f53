import CacheKeys
import Testing

/// A shared secret: whether a caller knows it, and nothing else about it.
@Suite struct SecretTextTests {
    @Test(arguments: [
        "s3cret", "", " ", "\u{E9}", "a\u{0}b", String(repeating: "x", count: 100_000),
    ])
    func matchesItself(_ text: String) throws {
        let secret = try #require(SecretText(text))
        #expect(secret.matches(text))
        for other in [text + " ", " " + text, text + "\u{0}", text + text + "x"] {
            #expect(!secret.matches(other))
        }
    }

    @Test(arguments: [
        "", "s3cre", "3cret", "s3cret\u{0}", "s3cret\n", "S3cret", "s3cre\u{442}", "s3crets3cret",
        "terc3s",
    ])
    func matchesNothingElse(_ text: String) throws {
        let secret = try #require(SecretText("s3cret"))
        #expect(!secret.matches(text))
        #expect(try #require(SecretText(text)).matches("s3cret") == false)
    }

    /// Swift calls these two equal.
    @Test func bytesCountAndNotCharacters() throws {
        let composed = try #require(SecretText("\u{E9}"))
        #expect(!composed.matches("e\u{301}"))
    }

    @Test func nothingPrintsIt() throws {
        let text = "Tr0ub4dor&3"
        let secret = try #require(SecretText(text))
        // The digest would let others guess.
        let digest = try content([UInt8](text.utf8)).digest.bytes
        var dumped = ""
        dump(secret, to: &dumped)
        dump([secret], to: &dumped)
        dump((1, secret), to: &dumped)
        let texts = [
            "\(secret)", String(reflecting: secret), String(describing: [secret]),
            String(reflecting: Optional(secret)), dumped,
        ]
        let hexadecimal = digest.prefix(2).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
        for text in texts {
            #expect(text.contains("hidden"))
            for trace in ["Tr0ub", "84, 114", "\(digest[0]), \(digest[1])", hexadecimal] {
                #expect(!text.lowercased().contains(trace.lowercased()))
            }
        }
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }
}
