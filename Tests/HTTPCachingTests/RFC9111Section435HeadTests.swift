import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §4.3.5 Freshening with HEAD, §4.3.3 Handling a validation response")
struct RFC9111Section435HeadTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let otherDate = "Sun, 06 Nov 1994 08:49:38 GMT"

    @Test(
        "§4.3.5 every validator that comes must be the stored one",
        arguments: [
            ("ETag", "\"a\"", "\"a\"", .freshen), ("ETag", "\"a\"", "\"b\"", .makeStale),
            ("ETag", nil, "\"a\"", .makeStale), ("ETag", "\"a\"", nil, .none),
            ("ETag", "\"a\"", "W/\"a\"", .makeStale), ("ETag", "W/\"a\"", "W/\"a\"", .freshen),
            ("Last-Modified", date, date, .freshen),
            ("Last-Modified", date, otherDate, .makeStale), ("Last-Modified", date, nil, .none),
            ("Last-Modified", nil, date, .makeStale),
            ("Content-Type", "a/b", "c/d", .freshen), ("X", nil, nil, .freshen),
        ] as [(String, String?, String?, Validation.HeadEffect)])
    func validators(
        name: String, stored: String?, head: String?, expected: Validation.HeadEffect
    ) {
        let effect = Validation.effect(
            ofHead: head.map { makeFields([name: $0]) } ?? HTTPFields(), status: 200,
            stored: stored.map { makeFields([name: $0]) } ?? HTTPFields(), completeLength: 5)
        #expect(effect == expected)
    }

    @Test(
        "§4.3.5 a length that comes must be the stored one",
        arguments: [
            ("5", 5, .freshen), ("6", 5, .makeStale), ("05", 5, .makeStale), ("", 5, .makeStale),
            ("6", nil, .freshen), ("0", 0, .freshen),
        ] as [(String, Int64?, Validation.HeadEffect)])
    func lengths(head: String, stored: Int64?, expected: Validation.HeadEffect) {
        let effect = Validation.effect(
            ofHead: makeFields(["ETag": "\"a\"", "Content-Length": head]), status: 200,
            stored: makeFields(["ETag": "\"a\"", "Content-Length": "77"]), completeLength: stored)
        #expect(effect == expected)
    }

    @Test("one validator that is the same does not outweigh one that is not")
    func mixed() {
        let stored = makeFields(["ETag": "\"a\"", "Last-Modified": Self.date])
        let head = makeFields(["ETag": "\"a\"", "Last-Modified": Self.otherDate])
        #expect(
            Validation.effect(ofHead: head, status: 200, stored: stored, completeLength: nil)
                == .makeStale)
        let twice = makeFields(["ETag": "\"a\"", "etag": "\"b\""])
        #expect(
            Validation.effect(ofHead: twice, status: 200, stored: stored, completeLength: nil)
                == .makeStale)
    }

    @Test("only a 200 says something", arguments: [204, 206, 301, 304, 404, 410, 500])
    func statuses(status: Int) {
        let effect = Validation.effect(
            ofHead: makeFields(["ETag": "\"b\""]), status: status,
            stored: makeFields(["ETag": "\"a\""]), completeLength: 5)
        #expect(effect == .none)
    }

    @Test("§3.2 what a HEAD brings goes into the stored fields, its length does not")
    func freshened() {
        let fields = Validation.freshened(
            stored: makeFields(["Content-Length": "5", "X": "1", "Age": "9"]),
            by: makeFields(["Content-Length": "7", "X": "2", "Cache-Control": "max-age=60"]))
        #expect(
            linesOf(fields).sorted() == ["Cache-Control: max-age=60", "Content-Length: 5", "X: 2"])
    }

    @Test(
        "§4.3.3 the answer to a validation",
        arguments: [
            (304, "\"a\"", .freshen), (304, "\"b\"", .refetch), (412, "\"a\"", .refetch),
            (200, "\"a\"", .replace), (404, "\"a\"", .replace), (206, "\"a\"", .replace),
            (500, "\"a\"", .failed), (501, "\"a\"", .replace), (502, "\"a\"", .failed),
            (503, "\"a\"", .failed), (504, "\"a\"", .failed), (505, "\"a\"", .replace),
        ] as [(Int, String, Validation.Outcome)])
    func outcomes(status: Int, tag: String, expected: Validation.Outcome) {
        let outcome = Validation.outcome(
            status: status, fields: makeFields(["ETag": tag]),
            stored: makeFields(["ETag": "\"a\""]))
        #expect(outcome == expected)
    }

    @Test("which methods validate")
    func methods() {
        for method in MethodKind.allCases {
            let isAlways = method == .get || method == .query
            #expect(Validation.applies(to: method, isPostValidated: false) == isAlways)
            #expect(
                Validation.applies(to: method, isPostValidated: true)
                    == (isAlways || method == .post))
        }
    }

    @Test(
        "§4.3.2 the client's tags and the stored one in one question",
        arguments: [
            (["\"b\""], "\"a\"", "\"b\", \"a\""),
            (["\"b\"", "W/\"c\",,"], "\"a\"", "\"b\", W/\"c\", \"a\""),
            (["\"a\""], "\"a\"", "\"a\""), (["*"], "\"a\"", nil), ([], "\"a\"", nil),
            ([""], "\"a\"", nil), (["\"b\""], "", nil),
            (["\"x, y\""], "W/\"a\"", "\"x, y\", W/\"a\""),
        ] as [([String], String, String?)])
    func combined(client: [String], stored: String, expected: String?) {
        let value = Validation.combinedIfNoneMatch(
            client: client, stored: makeFields(["ETag": stored]))
        #expect(value == expected)
    }
}
