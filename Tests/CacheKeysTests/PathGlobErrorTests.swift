import CacheKeys
import Testing

/// A pattern that could never do what its author meant is refused, with the place.
@Suite struct PathGlobErrorTests {
    @Test(
        arguments: [
            ("", .notAbsolute(pattern: "")),
            ("search", .notAbsolute(pattern: "search")),
            ("*", .notAbsolute(pattern: "*")),
            ("http://a/b", .notAbsolute(pattern: "http://a/b")),
            ("/a b", .badByte(pattern: "/a b", offset: 2, byte: 0x20)),
            ("/a?b", .badByte(pattern: "/a?b", offset: 2, byte: 0x3F)),
            ("/#", .badByte(pattern: "/#", offset: 1, byte: 0x23)),
            ("/\u{0}", .badByte(pattern: "/\u{0}", offset: 1, byte: 0)),
            ("/caf\u{E9}", .badByte(pattern: "/caf\u{E9}", offset: 4, byte: 0xC3)),
            ("//", .ambiguous(pattern: "//", offset: 0)),
            ("/a//b", .ambiguous(pattern: "/a//b", offset: 2)),
            ("/a/../b", .ambiguous(pattern: "/a/../b", offset: 2)),
            ("/.", .ambiguous(pattern: "/.", offset: 0)),
            ("/a/%2E", .ambiguous(pattern: "/a/%2E", offset: 3)),
            ("/a%2fb", .ambiguous(pattern: "/a%2fb", offset: 2)),
            ("/a\\b", .ambiguous(pattern: "/a\\b", offset: 2)),
            ("/a*", .partialStar(pattern: "/a*", offset: 1)),
            ("/v1/*.json", .partialStar(pattern: "/v1/*.json", offset: 4)),
            ("/***", .partialStar(pattern: "/***", offset: 1)),
            ("/a/b**", .partialStar(pattern: "/a/b**", offset: 3)),
            ("/**/a", .restNotLast(pattern: "/**/a", offset: 1)),
            ("/a/**/", .restNotLast(pattern: "/a/**/", offset: 3)),
            ("/**/**", .restNotLast(pattern: "/**/**", offset: 1)),
        ] as [(String, PathGlobError)])
    func refused(_ pattern: String, _ expected: PathGlobError) {
        #expect(throws: expected) { try PathGlob(pattern) }
    }

    @Test(
        arguments: [
            (.notAbsolute(pattern: "a"), "path pattern 'a': must begin with '/'"),
            (
                .badByte(pattern: "/\n", offset: 1, byte: 0x0A),
                "path pattern '/\\n': byte 0x0A at offset 1 cannot be in a path; write it"
                    + " percent-encoded, and leave out any query"
            ),
            (
                .ambiguous(pattern: "//", offset: 0),
                "path pattern '//': at offset 0 there is '//', a dot segment, a backslash or an"
                    + " escape of one of these; no path matches that"
            ),
            (
                .partialStar(pattern: "/a*", offset: 1),
                "path pattern '/a*': the segment at offset 1 mixes '*' with other characters; use"
                    + " '*' for one whole segment or a final '**'"
            ),
            (
                .restNotLast(pattern: "/**/a", offset: 1),
                "path pattern '/**/a': '**' at offset 1 must be the last segment"
            ),
        ] as [(PathGlobError, String)])
    func messages(_ error: PathGlobError, _ message: String) {
        #expect("\(error)" == message)
    }
}
