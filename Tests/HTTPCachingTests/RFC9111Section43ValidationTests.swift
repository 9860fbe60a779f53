import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §4.3 Validation")
struct RFC9111Section43ValidationTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let otherDate = "Sun, 06 Nov 1994 08:49:38 GMT"

    @Test(
        "§4.3.1 validators exactly as received",
        arguments: [
            (["\"a\""], [], "\"a\"", nil), (["W/\"a\""], [], "W/\"a\"", nil),
            (["bare"], [], "bare", nil),
            ([], ["Sunday, 06-Nov-94 08:49:37 GMT"], nil, "Sunday, 06-Nov-94 08:49:37 GMT"),
            (
                ["\"a\""], ["sun, 06 nov 1994 08:49:37 gmt"], "\"a\"",
                "sun, 06 nov 1994 08:49:37 gmt"
            ),
            ([], ["yesterday"], nil, nil), ([""], [""], nil, nil),
            (["\"a\"", "\"b\""], [], nil, nil),
            (["\"a\"", "\"a\""], [], "\"a\"", nil),
            (["\"\u{E9}\"", "\"e\u{301}\""], [], nil, nil), ([], [], nil, nil),
        ] as [([String], [String], String?, String?)])
    func validators(tags: [String], dates: [String], tag: String?, date: String?) {
        var fields = HTTPFields()
        for value in tags { fields.append(HTTPField(name: .eTag, value: value)) }
        for value in dates { fields.append(HTTPField(name: .lastModified, value: value)) }
        let validators = Validation.validators(of: fields)
        #expect(validators == Validation.Validators(ifNoneMatch: tag, ifModifiedSince: date))
        #expect(validators.isEmpty == (tag == nil && date == nil))
    }

    @Test("§3.2 a 304 brings what it brings and keeps the rest")
    func freshening() {
        let stored = makeFields([
            "Date": Self.date, "X-Kept": "1", "Cache-Control": "max-age=1", "X-New": "a",
            "x-new": "b",
            "X-New": "c", "Content-Length": "5", "Content-Encoding": "gzip", "Content-Type": "a/b",
            "Age": "900", "Set-Cookie": "a=b",
        ])
        let notModified = makeFields([
            "Date": Self.otherDate, "cache-control": "max-age=60", "X-New": "d", "X-Added": "e",
            "X-Added": "f", "Content-Length": "0", "Content-Encoding": "br", "Content-Type": "c/d",
            "Connection": "X-Hop", "X-Hop": "1", "Keep-Alive": "5", "Set-Cookie": "a=c",
        ])
        let fields = Validation.freshened(stored: stored, by: notModified)
        #expect(
            linesOf(fields).sorted() == [
                "Content-Encoding: gzip", "Content-Length: 5", "Content-Type: c/d",
                "Date: " + Self.otherDate, "Set-Cookie: a=b", "X-Added: e", "X-Added: f",
                "X-Kept: 1",
                "X-New: d", "cache-control: max-age=60",
            ])
    }

    @Test("§3.2 Set-Cookie is brought only where the route stores it")
    func cookies() {
        let stored = makeFields(["Set-Cookie": "a=b"])
        let notModified = makeFields(["Set-Cookie": "a=c", "Set-Cookie": "d=e"])
        for mode in [SetCookieMode.refuse, .strip] {
            let fields = Validation.freshened(stored: stored, by: notModified, setCookie: mode)
            #expect(linesOf(fields) == ["Set-Cookie: a=b"])
        }
        let fields = Validation.freshened(stored: stored, by: notModified, setCookie: .store)
        #expect(linesOf(fields) == ["Set-Cookie: a=c", "Set-Cookie: d=e"])
    }

    @Test("Age and Date of the older message make nothing old")
    func renewed() {
        let stored = makeFields([
            "Date": "Sun, 06 Nov 1994 07:49:37 GMT", "Age": "3600", "Cache-Control": "max-age=60",
        ])
        let fields = Validation.freshened(stored: stored, by: makeFields(["ETag": "\"a\""]))
        let verdict = Storability.decide(
            request: RequestFacts(method: .get), status: 200, fields: fields,
            policy: StoragePolicy(), requestTime: epoch, responseTime: epoch)
        #expect(verdict.lifetime == 60)
        let aged = Validation.freshened(stored: stored, by: makeFields(["Age": "7"]))
        #expect(aged[values: .age] == ["7"])
    }

    @Test(
        "§4.3.4 which 304 speaks of the stored response",
        arguments: [
            ("\"a\"", nil, "\"a\"", nil, true), ("\"a\"", nil, "\"b\"", nil, false),
            ("W/\"a\"", nil, "W/\"a\"", nil, true), ("W/\"a\"", nil, "\"a\"", nil, false),
            ("\"a\"", nil, "W/\"a\"", nil, true), ("\"a\"", nil, "W/\"b\"", nil, false),
            ("\"a\"", nil, nil, nil, true), (nil, date, nil, date, true),
            (nil, date, nil, otherDate, false), (nil, date, nil, "Sun Nov  6 08:49:37 1994", true),
            (nil, date, "\"a\"", date, false), (nil, date, "W/\"a\"", date, true),
            (nil, date, "W/\"a\"", otherDate, false), ("\"a\"", date, "\"a\"", otherDate, true),
            ("\"a\"", date, "\"b\"", date, false), ("\"a\"", date, nil, otherDate, false),
            (nil, date, nil, nil, true), (nil, date, "W/\"a\"", nil, false),
            ("\"a\"", nil, nil, date, true),
            ("\"\u{E9}\"", nil, "\"e\u{301}\"", nil, false), ("\"a\"", nil, "\"A\"", nil, false),
            (nil, nil, nil, nil, true),
        ] as [(String?, String?, String?, String?, Bool)])
    func selection(
        storedTag: String?, storedDate: String?, tag: String?, date: String?, expected: Bool
    ) {
        #expect(
            Validation.matches(
                stored: makeValidators(storedTag, storedDate),
                notModified: makeValidators(tag, date))
                == expected)
    }

    private func makeValidators(_ tag: String?, _ date: String?) -> HTTPFields {
        var fields = HTTPFields()
        if let tag { fields[.eTag] = tag }
        if let date { fields[.lastModified] = date }
        return fields
    }
}
