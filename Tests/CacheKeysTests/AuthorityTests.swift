import CacheKeys
import CacheTestKit
import Testing

/// One spelling for each authority, and none for what is not one.
@Suite struct AuthorityTests {
    @Test(arguments: [
        ("example.org", "http", "example.org"),
        ("EXAMPLE.Org", "http", "example.org"),
        ("example.org.", "http", "example.org"),
        ("example.org:80", "http", "example.org"),
        ("example.org:80", "https", "example.org:80"),
        ("example.org:443", "https", "example.org"),
        ("example.org:443", "http", "example.org:443"),
        ("Example.ORG.:0443", "https", "example.org"),
        ("example.org.:8080", "http", "example.org:8080"),
        ("example.org:", "http", "example.org"),
        ("example.org:", "https", "example.org"),
        ("example.org:00080", "http", "example.org"),
        ("example.org:08080", "http", "example.org:8080"),
        ("example.org:65535", "http", "example.org:65535"),
        ("example.org:1", "http", "example.org:1"),
        ("example.org:80", "ftp", "example.org:80"),
        ("example.org:80", "HTTP", "example.org:80"),
        ("example.org:80", "", "example.org:80"),
        ("localhost", "http", "localhost"),
        ("a", "http", "a"),
        ("127.0.0.1:8080", "http", "127.0.0.1:8080"),
        ("[::1]", "http", "[::1]"),
        ("[::1]:80", "http", "[::1]"),
        ("[::1]:", "http", "[::1]"),
        ("[::1]:8080", "http", "[::1]:8080"),
        ("[2001:DB8::A]:443", "https", "[2001:db8::a]"),
        ("[::ffff:192.0.2.1]", "http", "[::ffff:192.0.2.1]"),
        ("[::]", "http", "[::]"),
        ("[1:2:3:4:5:6:7:8]", "http", "[1:2:3:4:5:6:7:8]"),
        ("[1:2:3:4:5:6:7::]", "http", "[1:2:3:4:5:6:7::]"),
        ("[::2:3:4:5:6:7:8]", "http", "[::2:3:4:5:6:7:8]"),
        ("[1:2:3:4:5:6:192.0.2.1]", "http", "[1:2:3:4:5:6:192.0.2.1]"),
        ("[1::8]", "http", "[1::8]"),
        ("my_host-1.example", "http", "my_host-1.example"),
        ("xn--bcher-kva.example", "http", "xn--bcher-kva.example"),
        ("a~b", "http", "a~b"),
    ])
    func normalForms(_ host: String, _ scheme: String, _ expected: String) {
        let normal = Authority.normalized(host, scheme: scheme)
        #expect(normal == expected)
        #expect(normal.flatMap { Authority.normalized($0, scheme: scheme) } == expected)
    }

    @Test(arguments: [
        "", ".", "..", "a..", "a..b", ".a", ":80", ".:80", " ", "a b", " a", "a ", "a\t", "a\n",
        "a\u{0}", "a,b", "a, b", "user@a", "user:pw@a", "a/b", "a?b", "a#b", "a\\b", "http://a",
        "a:b", "a:8x", "a:+80", "a:-1", "a: 80", "a:80 ", "a:80:80", "a:0", "a:00", "a:65536",
        "a:99999", "a:800000000000000000000", "%61", "a%2eb", "a%00", "b\u{FC}cher.example",
        "\u{FFFD}", "a\u{FFFD}", "\u{FF41}", "\u{212A}", "a:\u{FF18}0", "[", "]", "[]", "[:]",
        "[::1", "::1", "::1]", "[::1]a", "[::1].", "[::1]]", "[::1]80", "[[::1]]", "[::1%25eth0]",
        "[::g]", "[v1.x]", "[127.0.0.1]", "[1:2:3:4:5:6:7:8:9]", "[::1]:x", "a'b", "a!b", "a$b",
        "a&b", "a(b", "a*b", "*", "*.example.org", "a+b", "a;b", "a=b", "\"a\"", "<a>", "a|b",
    ])
    func refused(_ host: String) {
        #expect(Authority.normalized(host, scheme: "http") == nil)
        #expect(Authority.normalized(host, scheme: "https") == nil)
    }

    // RFC 3986 §3.2.2
    @Test(arguments: [
        ":", ":::", "1", "1:2", "1:", ":1", "1::2::3", "::1::", "1:2:3:4:5:6:7", "12345::", "::g",
        "1:2:3:4:5:6:7:", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8::", "1:2:3:4::5:6:7:8", "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "::1.2.3.4:5",
        "1.2.3.4::", "::1.2..4", "::1.2.3.", "::.1.2.3", "::1%eth0", "::1 ", "fe80::1%25a",
    ])
    func refusedLiterals(_ text: String) {
        #expect(Authority.normalized("[\(text)]", scheme: "http") == nil)
    }

    @Test func lengths() {
        let longest = String(repeating: "a", count: Authority.maximumHostLength)
        #expect(Authority.normalized(longest, scheme: "http") == longest)
        #expect(Authority.normalized(longest + ":81", scheme: "http") == longest + ":81")
        #expect(Authority.normalized(longest + "a", scheme: "http") == nil)
        #expect(Authority.normalized(String(repeating: "a.", count: 99_999), scheme: "http") == nil)
    }

    /// Whatever comes in: an answer, and one that a second pass leaves alone.
    @Test(arguments: UInt64(1)...20) func anyText(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("aB0.:[]%-_/\u{E9}8")
        for _ in 0..<500 {
            let length = Int.random(in: 0...9, using: &generator)
            let host = String(
                (0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
            guard let normal = Authority.normalized(host, scheme: "http") else { continue }
            #expect(Authority.normalized(normal, scheme: "http") == normal, "\(host)")
            #expect(!normal.utf8.contains { (0x41...0x5A).contains($0) }, "\(host)")
        }
    }
}
