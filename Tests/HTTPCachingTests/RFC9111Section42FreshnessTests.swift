import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §4.2 Freshness")
struct RFC9111Section42FreshnessTests {
    @Test(
        "§4.2.1 the lifetime by Cache-Control",
        arguments: [
            ("max-age=60", 60), ("MaX-aGe=60", 60), ("max-age=\"60\"", 60), ("max-age=0060", 60),
            ("max-age=10, s-maxage=60", 60), ("s-maxage=60, max-age=100", 60),
            ("max-age=60, max-age=60", 60), ("max-age=60, max-age=30", 0),
            ("max-age=30, max-age=60", 0),
            ("max-age=60, max-age=x", 0), ("max-age=-1", 0), ("max-age=+60", 0),
            ("max-age=60.0", 0),
            ("max-age=a60", 0), ("max-age=60a", 0), ("max-age='60'", 0), ("max-age", 0),
            ("max-age=", 0), ("max-age=\"\"", 0), ("max-age =60", 0), ("max-age= 60", 0),
            ("max-age=60 60", 0), ("max-age=6\u{0660}", 0), ("max-age=2147483648", 2_147_483_648),
            ("max-age=2147483649", 2_147_483_648),
            ("max-age=99999999999999999999999999", 2_147_483_648),
            ("x=\"max-age=100\", max-age=1", 1), ("max-age=1, x=\"max-age=100\"", 1),
            ("x=\"\\\", max-age=100\", max-age=1", 1), ("foobar, max-age=60", 60),
            ("max-age=60, s-maxage=junk", 0), ("x=\"a, max-age=60", nil),
            ("s-maxage=60, s-maxage=60", 60),
        ] as [(String, Int64?)])
    func cacheControl(value: String, expected: Int64?) {
        // A validator, so that what is stale on receipt is stored, too.
        #expect(judge(["Cache-Control": value, "ETag": "\"a\""]).lifetime == expected)
    }

    @Test("several lines are one list")
    func lines() {
        let verdict = judge(["Cache-Control": "max-age=100", "cache-control": "s-maxage=5"])
        #expect(verdict.lifetime == 5)
        let conflict = judge(["Cache-Control": "max-age=100", "cache-control": "max-age=5"])
        #expect(conflict.refusal == .noLifetime)
    }

    @Test(
        "§5.3 Expires",
        arguments: [
            (["Sun, 06 Nov 1994 08:50:37 GMT"], "Sun, 06 Nov 1994 08:49:37 GMT", 60),
            (["Sunday, 06-Nov-94 08:50:37 GMT"], "Sun Nov  6 08:49:37 1994", 60),
            (["Sun, 06 Nov 1994 08:50:37 GMT"], nil, 60),
            (["Sun, 06 Nov 1994 08:50:37 GMT"], "junk", 60),
            (["Sun, 06 Nov 1994 08:49:37 GMT"], nil, 0),
            (["Sun, 06 Nov 1994 08:49:36 GMT"], nil, 0),
            (["0"], nil, 0), (["-1"], nil, 0), ([""], nil, 0), (["never"], nil, 0),
            (["Thu, 18 Aug 2050 02:01:18 UTC"], nil, 0), (["Sun, 06 Nov 94 08:50:37 GMT"], nil, 0),
            (["Fri, 31 Dec 9999 23:59:59 GMT"], nil, 2_147_483_648),
            (["Sun, 06 Nov 1994 08:50:37 GMT", " Sun, 06 Nov 1994 08:50:37 GMT"], nil, 60),
            (["Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:51:37 GMT"], nil, 0),
            // A Date that runs ahead shortens what Expires gives.
            (["Sun, 06 Nov 1994 08:50:37 GMT"], "Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ] as [([String], String?, Int64)])
    func expires(values: [String], date: String?, expected: Int64) {
        var fields = makeFields(["ETag": "\"a\""])
        for value in values { fields.append(HTTPField(name: .expires, value: value)) }
        if let date { fields[.date] = date }
        let verdict = Storability.decide(
            request: RequestFacts(method: .get), status: 200, fields: fields,
            policy: StoragePolicy(), requestTime: epoch, responseTime: epoch)
        #expect(verdict.lifetime == expected)
    }

    @Test("max-age rules over Expires, either way")
    func precedence() {
        let past: KeyValuePairs = ["Expires": "0", "Cache-Control": "max-age=60"]
        #expect(judge(past).lifetime == 60)
        let future: KeyValuePairs = [
            "Expires": "Thu, 18 Aug 2050 02:01:18 GMT", "Cache-Control": "max-age=0",
        ]
        #expect(judge(future).refusal == .noLifetime)
        let silent: KeyValuePairs = [
            "Expires": "Sun, 06 Nov 1994 08:50:37 GMT", "Cache-Control": "public",
        ]
        #expect(judge(silent).lifetime == 60)
    }

    @Test(
        "§4.2.2 a tenth of the time since the last change, a day at most",
        arguments: [
            (200, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (200, "", "Sun, 06 Nov 1994 08:49:27 GMT", 1),
            (200, "", "Sun, 06 Nov 1994 08:49:28 GMT", nil),
            (200, "", "Sun, 06 Nov 1994 08:49:38 GMT", nil),
            (200, "", "Tue, 06 Nov 1984 08:49:37 GMT", 86_400), (200, "", "yesterday", nil),
            (201, "", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
            (201, "public", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (203, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (204, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (300, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (301, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (302, "", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
            (308, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (404, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (405, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (410, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (414, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (501, "", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (599, "", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
            (599, "public", "Sun, 06 Nov 1994 08:32:57 GMT", 100),
            (400, "public", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
            (413, "public", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
            (500, "", "Sun, 06 Nov 1994 08:32:57 GMT", nil),
        ] as [(Int, String, String, Int64?)])
    func heuristics(status: Int, control: String, changed: String, expected: Int64?) {
        let verdict = judge(
            ["Cache-Control": control, "Last-Modified": changed], status: status)
        #expect(verdict.lifetime == expected)
        #expect(expected == nil || verdict.terms?.flags.contains(.heuristic) == true)
    }

    @Test("§4.2.2 what is said, even wrongly, leaves nothing to guess")
    func noGuess() {
        let changed = "Sun, 06 Nov 1993 08:49:37 GMT"
        for said in ["max-age=x", "max-age=0", "s-maxage=0"] {
            let verdict = judge(["Cache-Control": said, "Last-Modified": changed])
            #expect(verdict.lifetime == 0)
        }
        #expect(judge(["Expires": "0", "Last-Modified": changed]).lifetime == 0)
    }

    @Test(
        "§4.2.3, §5.1 the age on receipt",
        arguments: [
            ([], 0, 0), (["30"], 0, 30), (["30"], 5, 35), (["30, 0"], 0, 30), (["0,30"], 0, 0),
            (["30", "0"], 0, 30), (["0", "30"], 0, 0), (["abc"], 7, 7), (["-30"], 0, 0),
            (["30.0"], 0, 0),
            ([""], 0, 0), (["+30"], 0, 0), ([" 30 "], 0, 30), (["abc, 30"], 0, 0),
            (["99999999999999999999"], 0, 2_147_483_648), (["30"], -100, 30),
        ] as [([String], Int64, Int64)])
    func ages(values: [String], delay: Int64, expected: Int64) {
        var fields = makeFields(["Cache-Control": "max-age=99999999999", "ETag": "\"a\""])
        for value in values { fields.append(HTTPField(name: .age, value: value)) }
        let verdict = Storability.decide(
            request: RequestFacts(method: .get), status: 200, fields: fields,
            policy: StoragePolicy(), requestTime: epoch - delay, responseTime: epoch)
        #expect(verdict.terms?.age(at: epoch) == expected)
        #expect(verdict.terms?.age(at: epoch + 10) == expected + 10)
    }

    @Test(
        "§4.2.3 the apparent age counts when it is larger, a Date ahead counts as now",
        arguments: [
            ("Sun, 06 Nov 1994 08:48:37 GMT", "10", 60, 60),
            ("Sun, 06 Nov 1994 08:48:37 GMT", "90", 90, 60),
            ("Sun, 06 Nov 1994 09:49:37 GMT", "10", 10, 0), ("junk", "10", 10, 0),
            ("Sat, 01 Jan 0000 00:00:00 GMT", "10", 62_951_330_977 - 0, 62_951_330_977),
        ] as [(String, String, Int64, Int64)])
    func apparentAge(date: String, age: String, expected: Int64, behind: Int64) {
        let verdict = judge([
            "Date": date, "Age": age, "Cache-Control": "max-age=60", "ETag": "\"a\"",
        ])
        #expect(verdict.terms?.age(at: epoch) == expected)
        #expect(verdict.terms?.ttl(at: epoch) == 60 - expected)
        #expect(verdict.terms?.dateValue == epoch - behind)
    }

    @Test("an answer older than its lifetime is stale on receipt, and useless without a validator")
    func staleOnReceipt() {
        let verdict = judge(["Cache-Control": "max-age=60", "Age": "60"])
        #expect(verdict.refusal == .noLifetime)
        #expect(judge(["Cache-Control": "max-age=60", "Age": "59"]).lifetime == 1)
    }

    @Test("§4.2 fresh while the lifetime exceeds the age; clocks that jump do no harm")
    func boundaries() {
        let terms = ReuseTerms(
            dateValue: 0, bornAt: 100, freshUntil: 160, staleWhileRevalidateUntil: 160,
            staleIfErrorUntil: 160)
        #expect(terms.isFresh(at: 159))
        #expect(!terms.isFresh(at: 160))
        #expect(terms.age(at: 50) == 0)
        #expect(terms.ttl(at: 50) == 60)
        #expect(terms.ttl(at: .max) < 0)
        #expect(terms.age(at: .max) == .max - 100)
        #expect(terms.age(at: .min) == 0)
        #expect(terms.ttl(at: .min) == 60)
    }

    @Test(
        "sums and differences saturate",
        arguments: [
            (Int64.max, Int64(1), Int64.max, Int64.max - 1), (.min, -1, .min, .min + 1),
            (.max, -1, .max - 1, .max), (.min, 1, .min + 1, .min), (0, .min, .min, .max),
            (2, 3, 5, -1),
        ])
    func saturation(left: Int64, right: Int64, sum: Int64, difference: Int64) {
        #expect(ReuseTerms.sum(left, right) == sum)
        #expect(ReuseTerms.difference(left, right) == difference)
    }

    @Test("times at the ends of the range do not trap", arguments: [Int64.min, .max])
    func extremes(time: EpochSeconds) {
        for other in [Int64.min, 0, .max] {
            let verdict = judge(
                [
                    "Cache-Control": "max-age=60, stale-if-error=60", "Age": "5", "ETag": "\"a\"",
                    "Date": "Sun, 06 Nov 1994 08:49:37 GMT",
                    "Expires": "Sunday, 06-Nov-94 08:49:37 GMT",
                ], requestTime: other, responseTime: time)
            #expect(verdict.terms.map { $0.age(at: other) >= 0 } == true)
        }
    }
}
