import CacheTestKit
import Testing

@testable import HTTPFrontend

@Suite("JSON: read and written again")
struct JSONValueTests {
    private func parse(_ text: String) -> JSONValue? { JSONValue(parsing: text.utf8) }

    // MARK: What is JSON

    @Test(
        arguments: [
            ("null", .null), ("true", .bool(true)), ("false", .bool(false)),
            (" \t\r\n1 \n", .number("1")), ("0", .number("0")), ("-0", .number("-0")),
            ("-12.50E+03", .number("-12.50E+03")), ("1e9", .number("1e9")),
            ("0.0", .number("0.0")), ("1E-7", .number("1E-7")),
            (
                "123456789012345678901234567890.10",
                .number("123456789012345678901234567890.10")
            ),
            ("\"\"", .string("")), ("\"a b\"", .string("a b")),
            ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", .string("\"\\/\u{8}\u{C}\n\r\t")),
            ("\"\\u0041\\u00e9\\u00E9\\u0000\"", .string("A\u{E9}\u{E9}\0")),
            ("\"\\ud83d\\ude00\"", .string("\u{1F600}")), ("\"\u{1F600}é\"", .string("\u{1F600}é")),
            ("\"\u{7F}\u{2028}\"", .string("\u{7F}\u{2028}")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([])), ("{ }", .object([])),
            ("[1,[2],\"3\"]", .array([.number("1"), .array([.number("2")]), "3"])),
            (
                " { \"b\" : 1 , \"a\" : [ null ] } ",
                .object([("b", .number("1")), ("a", .array([.null]))])
            ),
            ("{\"\":0}", .object([("", .number("0"))])),
        ] as [(String, JSONValue)])
    func valid(text: String, value: JSONValue) throws {
        #expect(parse(text) == value)
        // What is written is the same value, without blanks.
        let parsed = try #require(parse(text))
        #expect(parse(parsed.serialized) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nulL", "NULL", "True", "truee", "true false", "1 2", "+1", "01", "-", "-a",
        "1.", ".5", "1e", "1e+", "1.e5", "--1", "0x10", "1_0", "NaN", "Infinity", "-Infinity",
        "'a'", "\"", "\"a", "\"\\\"", "\"\\", "\"\\x\"", "\"\\U0041\"", "\"\\u\"", "\"\\u004\"",
        "\"\\u00g0\"", "\"\\u+041\"", "\"a\nb\"", "\"a\tb\"", "\"\0\"", "\"a\"b", "[", "]", "[1",
        "[1,", "[,1]", "[1,]", "[1 2]", "[1;2]", "{", "}", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":}", "{a:1}", "{1:1}", "{null:1}",
        "{\"a\":1 \"b\":2}", "{'a':1}", "[1}", "{\"a\":1]", "// x\n1", "/* x */1", "\u{FEFF}1",
        "\u{A0}1", "1\u{B}", "1\0",
    ])
    func invalid(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [
        "\"\\ud83d\"", "\"\\ude00\"", "\"\\ud83dx\"", "\"\\ud83d\\n\"", "\"\\ud83d\\u0041\"",
        "\"\\ud83d\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\uD83D\\uDE0\"", "\"\\ud83d\\\"",
    ])
    func halvesOfPairs(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xE2, 0x80],
        ] as [[UInt8]])
    func bytesThatAreNoText(bytes: [UInt8]) {
        #expect(JSONValue(parsing: [0x22] + bytes + [0x22]) == nil)
        #expect(JSONValue(parsing: bytes) == nil)
    }

    @Test func depth() {
        func nested(_ depth: Int, _ open: String, _ inner: String, _ close: String) -> String {
            String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
        }
        for (open, inner, close) in [("[", "1", "]"), ("{\"a\":", "1", "}"), ("[", "", "]")] {
            let innerDepth = inner.isEmpty ? 0 : 1
            #expect(parse(nested(32 - innerDepth, open, inner, close)) != nil)
            #expect(parse(nested(33 - innerDepth, open, inner, close)) == nil)
        }
        // What never ends its lists costs nothing but its length.
        #expect(parse(String(repeating: "[", count: 500_000)) == nil)
        #expect(parse(String(repeating: "{\"a\":", count: 100_000)) == nil)
    }

    // MARK: Reading values

    @Test func membersKeepTheirOrder() throws {
        let text = "{\"z\":1,\"a\":2,\"m\":3,\"a\":4}"
        let value = try #require(parse(text))
        #expect(value.members.map(\.name) == ["z", "a", "m", "a"])
        // As JavaScript reads it: the last of a name.
        #expect(value["a"] == .number("4"))
        #expect(value["b"] == nil)
        #expect(value.serialized == text)
        #expect(parse("[1]")?["a"] == nil)
    }

    /// Names are compared by their bytes; a sign that only looks the same is another name.
    @Test func namesAreBytes() throws {
        let value = try #require(parse("{\"\\u212aey\":1,\"e\\u0301\":2}"))
        #expect(value["Key"] == nil)
        #expect(value["\u{E9}"] == nil)
        #expect(value["e\u{301}"] == .number("2"))
        #expect(parse("{\"\\u212a\":1}") != parse("{\"K\":1}"))
        #expect(parse("\"\\u212a\"") != parse("\"K\""))
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("1.9", 1), ("-1.9", -1), ("1e3", 1000),
            ("9223372036854775807", .max), ("-9223372036854775808", .min),
            ("9223372036854775808", 1 << 62), ("1e400", 1 << 62), ("-1e400", -(1 << 62)),
            ("1e-400", 0), ("\"7\"", nil), ("true", nil), ("null", nil), ("[7]", nil),
        ] as [(String, Int64?)])
    func integers(text: String, value: Int64?) {
        #expect(parse(text)?.integer == value)
    }

    // MARK: Writing

    @Test func strings() {
        #expect(JSONValue.string("\"\\/é\u{1F600}").serialized == "\"\\\"\\\\/é\u{1F600}\"")
        #expect(
            JSONValue.string("\0\u{1}\u{8}\t\n\u{C}\r\u{1F}\u{7F}").serialized
                == "\"\\u0000\\u0001\\u0008\\t\\n\\u000c\\r\\u001f\\u007f\"")
        // A CR and a line feed are one character for Swift and two for JSON.
        #expect(JSONValue.string("\r\n").serialized == "\"\\r\\n\"")
        #expect(JSONValue.string("e\u{301}").serialized.utf8.count == 5)
    }

    @Test func everyScalarComesBack() {
        var text = ""
        for value in (0...0x2FF).map({ UInt32($0) }) + [0x2028, 0xFFFD, 0xFFFF, 0x10FFFF] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            text.unicodeScalars.append(scalar)
        }
        let value = JSONValue.object([(text, .string(text))])
        #expect(parse(value.serialized) == value)
    }

    // MARK: Anything at all

    private static let spice = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "d83d", "true", "null", "-", "0", "1e",
        ".5", " ", "\"a\":", "\"\\ud83d\\ude00\"", "\u{301}",
    ].map { Array($0.utf8) }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anyBytesEnd(seed: UInt64) {
        var numbers = SeededGenerator(seed: seed)
        var readable = 0
        for round in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...24, using: &numbers) {
                bytes +=
                    Int.random(in: 0..<8, using: &numbers) == 0
                    ? numbers.bytes(2) : Self.spice.randomElement(using: &numbers) ?? []
            }
            guard let value = JSONValue(parsing: bytes) else { continue }
            readable += 1
            let again = JSONValue(parsing: value.serialized.utf8)
            #expect(again == value, "seed \(seed) round \(round)")
        }
        #expect(readable > 0)
    }
}
