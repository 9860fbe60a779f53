import HTTPCaching
import HTTPTypes
import Testing

/// What a match makes of conditions and ranges on its key.
@Suite("Cache API match: conditions and ranges")
struct CacheAPIMatchTests {
    @Test(
        "If-None-Match against the stored tag: weak comparison, a list read as one",
        arguments: [
            ("\"a\"", "\"a\"", "304"), ("\"a\"", "W/\"a\"", "304"), ("W/\"a\"", "\"a\"", "304"),
            ("W/\"a\"", "W/\"a\"", "304"), ("\"a\"", "\"b\"", "200"), ("\"a\"", "\"A\"", "200"),
            ("\"a\"", "\"x\", \"a\"", "304"), ("\"a\"", "\"x\",W/\"a\" , \"y\"", "304"),
            ("\"a\"", "\"x\", \"y\"", "200"),
            // Commas within quotes part nothing.
            ("\"a,b\"", "\"x\", \"a,b\"", "304"), ("\"a\"", "\"x,\"a\",y\"", "200"),
            ("\"a\"", "\"a,b\"", "200"), ("\"b\"", "\"a,b\"", "200"),
            // An empty tag is one.
            ("\"\"", "\"\"", "304"), ("\"\"", "\"a\"", "200"), ("\"a\"", "\"\"", "200"),
            ("\"a\"", "a", "200"), ("\"a\"", "", "200"),
        ])
    func ifNoneMatch(tag: String, line: String, expected: String) {
        #expect(answer(["If-None-Match": line], stored: ["ETag": tag]) == expected)
    }

    @Test("If-None-Match in several lines is one list")
    func ifNoneMatchLines() {
        #expect(answer(["If-None-Match": "\"x\"", "If-None-Match": "\"a\""]) == "304")
        #expect(answer(["If-None-Match": "\"x\"", "If-None-Match": "\"y\""]) == "200")
    }

    @Test(
        "a stored tag that is none matches nothing but the asterisk",
        arguments: ["a", "\"a", "a\"", "'a'", "w/\"a\"", "\"", "", "W/a"])
    func malformedTag(tag: String) {
        let stored: KeyValuePairs = ["ETag": tag, "Last-Modified": date(-60)]
        for line in [tag, "\"a\"", "a", "\"x\", \(tag)"] {
            #expect(answer(["If-None-Match": line], stored: stored) == "200", "\(line)")
            // If-None-Match rules over If-Modified-Since all the same.
            let both: KeyValuePairs = ["If-None-Match": line, "If-Modified-Since": date(0)]
            #expect(answer(both, stored: stored) == "200", "\(line)")
        }
        #expect(answer(["If-None-Match": "*"], stored: stored) == "304")
    }

    @Test("the asterisk matches whatever is stored")
    func anyTag() {
        for stored: KeyValuePairs in [[:], ["ETag": "\"a\""], ["ETag": "W/\"a\""]] {
            #expect(answer(["If-None-Match": "*"], stored: stored) == "304")
            #expect(answer(["If-None-Match": " * "], stored: stored) == "304")
        }
        #expect(answer(["If-None-Match": "\"a\""], stored: [:]) == "200")
    }

    @Test(
        "If-Modified-Since counts for nothing beside If-None-Match",
        arguments: [
            ("\"x\"", 0, "200"), ("\"a\"", 0, "304"), ("\"a\"", -600, "304"), ("junk", 0, "200"),
        ] as [(String, Int64, String)])
    func precedence(tag: String, since: Int64, expected: String) {
        let both: KeyValuePairs = ["If-None-Match": tag, "If-Modified-Since": date(since)]
        let stored: KeyValuePairs = ["ETag": "\"a\"", "Last-Modified": date(-60)]
        #expect(answer(both, stored: stored) == expected)
    }

    @Test(
        "If-Modified-Since against Last-Modified, in all three forms of dates",
        arguments: [
            (date(-60), "304"), (date(-59), "304"), (date(0), "304"), (date(-61), "200"),
            ("Sunday, 06-Nov-94 08:48:37 GMT", "304"), ("Sunday, 06-Nov-94 08:48:36 GMT", "200"),
            ("Sun Nov  6 08:48:37 1994", "304"), ("Sun Nov  6 08:48:36 1994", "200"),
            ("junk", "200"), ("", "200"), ("784111777", "200"),
        ])
    func ifModifiedSince(line: String, expected: String) {
        let stored: KeyValuePairs = ["Last-Modified": date(-60)]
        #expect(answer(["If-Modified-Since": line], stored: stored) == expected)
        let twice: KeyValuePairs = ["If-Modified-Since": line, "If-Modified-Since": line]
        #expect(answer(twice, stored: stored) == "200")
    }

    @Test("without validators the time of the put stands in for Last-Modified")
    func storedAt() {
        for stored: KeyValuePairs in [[:], ["Date": date(-90)]] {
            #expect(answer(["If-Modified-Since": date(0)], stored: stored) == "304")
            #expect(answer(["If-Modified-Since": date(-1)], stored: stored) == "200")
        }
    }

    @Test("a stored ETag without Last-Modified is no date")
    func tagOnly() {
        #expect(answer(["If-Modified-Since": date(600)], stored: ["ETag": "\"a\""]) == "200")
    }

    @Test("only a stored 200 is asked for conditions and ranges")
    func otherStatuses() {
        let asks: [KeyValuePairs<String, String>] = [
            ["If-None-Match": "\"a\""], ["If-None-Match": "*"], ["If-Modified-Since": date(600)],
            ["Range": "bytes=2-4"], ["Range": "bytes=15-"],
        ]
        let stored: KeyValuePairs = ["ETag": "\"a\"", "Last-Modified": date(-60)]
        for status in [201, 203, 204, 226, 301, 304, 404, 410, 500] {
            for ask in asks {
                #expect(answer(ask, stored: stored, status: status) == "200", "\(status)")
            }
        }
        #expect(
            asks.map { answer($0, stored: stored) } == ["304", "304", "304", "206 2-4", "416 */10"])
    }

    @Test("conditions for origins count for nothing")
    func originConditions() {
        #expect(answer([:]) == "200")
        #expect(answer(["If-Match": "\"x\""]) == "200")
        #expect(answer(["If-Unmodified-Since": date(-600)]) == "200")
        #expect(answer(["If-Match": "\"x\"", "If-None-Match": "\"a\""]) == "304")
        #expect(answer(["If-Unmodified-Since": date(-600), "Range": "bytes=2-4"]) == "206 2-4")
    }

    @Test(
        "conditions first, then If-Range, then the range",
        arguments: [
            (["If-None-Match": "\"a\"", "Range": "bytes=2-4"], "304"),
            (["If-None-Match": "\"a\"", "Range": "bytes=15-"], "304"),
            (["If-None-Match": "\"a\"", "Range": "junk"], "304"),
            (["If-Modified-Since": date(0), "Range": "bytes=15-"], "304"),
            (["If-None-Match": "\"x\"", "Range": "bytes=2-4"], "206 2-4"),
            (["If-None-Match": "\"x\"", "Range": "bytes=15-"], "416 */10"),
            (["If-None-Match": "\"a\"", "If-Range": "\"x\"", "Range": "bytes=2-4"], "304"),
            (["If-Range": "\"x\"", "Range": "bytes=15-"], "200"),
            (["If-Range": "\"a\"", "Range": "bytes=15-"], "416 */10"),
            (["If-Range": "\"a\""], "200"),
        ] as [(KeyValuePairs<String, String>, String)])
    func order(lines: KeyValuePairs<String, String>, expected: String) {
        let stored: KeyValuePairs = ["ETag": "\"a\"", "Last-Modified": date(-60)]
        #expect(answer(lines, stored: stored) == expected)
    }

    @Test(
        "If-Range: strong comparison, or the very date",
        arguments: [
            ("\"a\"", "\"a\"", "206 2-4"), ("\"a\"", "\"b\"", "200"), ("\"a\"", "W/\"a\"", "200"),
            ("W/\"a\"", "W/\"a\"", "200"), ("W/\"a\"", "\"a\"", "200"), ("a", "a", "200"),
            ("\"a\"", "*", "200"), ("\"a\"", "", "200"), ("\"a\"", "\"a\", \"b\"", "200"),
            ("\"a\"", date(-60), "206 2-4"), ("\"a\"", date(-59), "200"),
            ("\"a\"", date(-61), "200"),
        ])
    func ifRange(tag: String, line: String, expected: String) {
        let stored: KeyValuePairs = [
            "ETag": tag, "Last-Modified": date(-60), "Date": date(0),
        ]
        #expect(answer(["If-Range": line, "Range": "bytes=2-4"], stored: stored) == expected)
    }

    @Test("the 304 has these fields alone, as they are stored")
    func notModifiedFields() {
        let stored = makeFields([
            "Content-Type": "text/html", "etag": "W/\"a\"", "Vary": "Accept", "Cache-Tag": "x",
            "Date": date(0), "Content-Length": "9", "CACHE-CONTROL": "max-age=60", "X-A": "1",
            "Content-Location": "/b", "Expires": date(60), "Last-Modified": date(-60),
            "vary": "Cookie", "Age": "3", "Content-Encoding": "br", "CF-Cache-Status": "HIT",
            "CDN-Cache-Control": "max-age=1", "Set-Cookie": "a=b", "Content-Range": "bytes 0-1/2",
        ])
        #expect(
            linesOf(MatchAnswer.notModifiedFields(from: stored)) == [
                "etag: W/\"a\"", "Vary: Accept", "Date: \(date(0))", "CACHE-CONTROL: max-age=60",
                "Content-Location: /b", "Expires: \(date(60))", "Last-Modified: \(date(-60))",
                "vary: Cookie",
            ])
        #expect(MatchAnswer.notModifiedFields(from: [:]) == [:])
    }
}
