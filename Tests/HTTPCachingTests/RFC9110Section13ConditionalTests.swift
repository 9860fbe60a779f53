import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §13 Conditional requests answered from the store")
struct RFC9110Section13ConditionalTests {
    private static let tagged = makeFields([
        "ETag": "\"xyzzy\"", "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    ])

    @Test(
        "§13.1.2 If-None-Match compares weakly, by bytes",
        arguments: [
            (["\"xyzzy\""], true), (["W/\"xyzzy\""], true), (["*"], true), ([" * "], true),
            (["\"a\", \"xyzzy\""], true), (["\"a\"", "\"xyzzy\""], true),
            (["\"a\",,\t\"xyzzy\" ,"], true), (["\"a,\\\", \"xyzzy\""], true),
            (["\"XYZZY\""], false), (["xyzzy"], false), (["w/\"xyzzy\""], false),
            (["\"xyzzy"], false), ([""], false), (["\"a\", *"], false),
            (["\"xyzz\u{0443}\""], false),
            (["\"a, \"xyzzy\"\""], false),
        ] as [([String], Bool)])
    func ifNoneMatch(lines: [String], isNotModified: Bool) {
        let outcome = Conditional.evaluate(
            ifNoneMatch: lines, ifModifiedSince: [], stored: Self.tagged, storedDate: epoch)
        #expect(outcome == (isNotModified ? .notModified : .full))
    }

    @Test(
        "a stored tag that is weak, bare or composed",
        arguments: [
            ("W/\"a\"", "\"a\"", true), ("W/abc", "abc", false), ("W/\"a\"", "W/\"a\"", true),
            ("abc", "abc", true),
            ("abc", "\"abc\"", false), ("\"\u{E9}\"", "\"e\u{301}\"", false),
            ("\"\u{E9}\"", "\"\u{E9}\"", true), ("\"a\\\"", "\"a\\\"", true), ("", "", false),
        ])
    func storedTags(stored: String, sent: String, isNotModified: Bool) {
        let outcome = Conditional.evaluate(
            ifNoneMatch: [sent], ifModifiedSince: [], stored: makeFields(["ETag": stored]),
            storedDate: epoch)
        #expect(outcome == (isNotModified ? .notModified : .full))
    }

    @Test("two different stored tags are none")
    func contradictoryStoredTags() {
        let stored = makeFields(["ETag": "\"a\"", "etag": "\"b\""])
        let outcome = Conditional.evaluate(
            ifNoneMatch: ["\"a\""], ifModifiedSince: [], stored: stored, storedDate: epoch)
        #expect(outcome == .full)
    }

    @Test(
        "§13.1.3 If-Modified-Since",
        arguments: [
            (["Sun, 06 Nov 1994 08:49:37 GMT"], true), (["Sun, 06 Nov 1994 08:49:38 GMT"], true),
            (["Sun, 06 Nov 1994 08:49:36 GMT"], false), (["Sunday, 06-Nov-94 08:49:37 GMT"], true),
            (["Sun Nov  6 08:49:37 1994"], true), (["junk"], false), ([""], false), ([], false),
            (["Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"], false),
        ] as [([String], Bool)])
    func ifModifiedSince(lines: [String], isNotModified: Bool) {
        let outcome = Conditional.evaluate(
            ifNoneMatch: [], ifModifiedSince: lines, stored: Self.tagged, storedDate: epoch + 100)
        #expect(outcome == (isNotModified ? .notModified : .full))
    }

    @Test("§13.2.2 If-None-Match wins, also against a date that matches")
    func precedence() {
        let outcome = Conditional.evaluate(
            ifNoneMatch: ["\"other\""], ifModifiedSince: ["Sun, 06 Nov 1994 08:49:37 GMT"],
            stored: Self.tagged, storedDate: epoch)
        #expect(outcome == .full)
    }

    @Test(
        "RFC 9111 §4.3.2 without a Last-Modified the Date stands in",
        arguments: [(epoch, true), (epoch + 1, false)])
    func dateStandsIn(storedDate: EpochSeconds, isNotModified: Bool) {
        for stored in [makeFields([:]), makeFields(["Last-Modified": "yesterday"])] {
            let outcome = Conditional.evaluate(
                ifNoneMatch: [], ifModifiedSince: ["Sun, 06 Nov 1994 08:49:37 GMT"],
                stored: stored, storedDate: storedDate)
            #expect(outcome == (isNotModified ? .notModified : .full))
        }
    }

    @Test("§15.4.5 the fields of a 304, in order, all lines")
    func notModifiedFields() {
        let stored = makeFields([
            "Content-Type": "text/plain", "Vary": "a", "ETag": "\"x\"", "Content-Length": "3",
            "Date": "d", "vary": "b", "Cache-Control": "max-age=1", "Expires": "0",
            "Content-Location": "/c", "Set-Cookie": "a=b", "X": "y", "Age": "5",
            "CDN-Cache-Control": "max-age=2",
        ])
        #expect(
            linesOf(Conditional.notModifiedFields(from: stored)) == [
                "Vary: a", "ETag: \"x\"", "Date: d", "vary: b", "Cache-Control: max-age=1",
                "Expires: 0", "Content-Location: /c", "CDN-Cache-Control: max-age=2",
            ])
    }
}
