import HTTPCaching
import HTTPTypes
import Testing

/// What the key of a put says about the response: `request.cf` of a worker.
@Suite("Cache API put: what the key says")
struct CacheAPIPutOverrideTests {
    @Test(
        "cacheTtl rules over the response's fields",
        arguments: ["", "max-age=60", "no-store", "private", "no-cache", "max-age=0"])
    func ttl(value: String) {
        let fields: KeyValuePairs = ["Cache-Control": value, "Expires": date(90), "Age": "20"]
        for status in [200, 201, 302, 404] {
            for policy in [PutPolicy.explicit, .zone] {
                for (seconds, expected) in [
                    (30, .success(30)), (0, .failure(.noLifetime)), (-1, .failure(.noLifetime)),
                    (.max, .success(1 << 31)), (.min, .failure(.noLifetime)),
                ] as [(Int64, PutVerdict)] {
                    let verdict = put(
                        fields, status: status, overrides: PutOverrides(ttl: seconds),
                        policy: policy)
                    #expect(verdict.verdict == expected)
                }
            }
        }
    }

    @Test("cacheTtl is no licence for cookies and server errors")
    func ttlLimits() {
        let overrides = PutOverrides(ttl: 30)
        #expect(put(["Set-Cookie": "a=b"], overrides: overrides).refusal == .setCookie)
        #expect(put([:], status: 503, overrides: overrides).refusal == .status)
    }

    @Test(
        "cacheTtlByStatus: the first range that has the status; others leave the response to itself",
        arguments: [
            (200, .success(10)), (299, .success(10)), (404, .success(5)), (410, .success(60)),
            (301, .failure(.noLifetime)), (302, .failure(.noLifetime)), (503, .success(7)),
            (500, .failure(.status)),
        ] as [(Int, PutVerdict)])
    func ttlByStatus(status: Int, expected: PutVerdict) {
        let overrides = PutOverrides(byStatus: [
            (200...299, 10), (200...200, 20), (404...404, 5), (301...301, 0), (302...302, -1),
            (503...503, 7),
        ])
        let verdict = put(["Cache-Control": "max-age=60"], status: status, overrides: overrides)
        #expect(verdict.verdict == expected)
    }

    @Test("cacheTtlByStatus rules over no-store; cacheTtl rules over it")
    func ttlPrecedence() {
        var overrides = PutOverrides(byStatus: [(codes: 200...299, seconds: 10)])
        #expect(put(["Cache-Control": "no-store"], overrides: overrides).verdict == .success(10))
        #expect(
            put(["Cache-Control": "no-store"], status: 404, overrides: overrides).refusal
                == .noStore)
        overrides.ttl = 30
        #expect(put([:], overrides: overrides).verdict == .success(30))
    }

    @Test(
        "keys of cacheTtlByStatus",
        arguments: [
            ("404", 404...404), ("200-299", 200...299), (" 200 - 299 ", 200...299),
            ("100-599", 100...599), ("", nil), ("-", nil), ("20", nil), ("2000", nil),
            ("2xx", nil), ("299-200", nil), ("200-", nil), ("-299", nil), ("200-299-300", nil),
            ("200,404", nil), ("200..299", nil), ("+20", nil), ("-20-200", nil),
            ("\u{0662}00", nil),
        ] as [(String, ClosedRange<Int>?)])
    func statusKeys(text: String, expected: ClosedRange<Int>?) {
        let range = PutOverrides.StatusTTL(codes: text, seconds: 60)
        #expect(range?.codes == expected)
        #expect(range?.seconds == expected.map { _ in 60 })
    }

    @Test(
        "cacheEverything: storable whatever Cache-Control says, for as long as the fields say",
        arguments: [
            ("no-store", .failure(.noLifetime), .success(7200)),
            ("private", .failure(.noLifetime), .success(7200)),
            ("no-cache", .failure(.noLifetime), .success(7200)),
            ("no-store, max-age=60", .success(60), .success(60)),
            ("private, s-maxage=5, max-age=60", .success(5), .success(5)),
            ("max-age=0", .failure(.noLifetime), .failure(.noLifetime)),
            ("", .failure(.noLifetime), .success(7200)),
        ] as [(String, PutVerdict, PutVerdict)])
    func everything(value: String, explicit: PutVerdict, zone: PutVerdict) {
        let overrides = PutOverrides(everything: true)
        let fields: KeyValuePairs = ["Cache-Control": value]
        #expect(put(fields, overrides: overrides).verdict == explicit)
        #expect(put(fields, overrides: overrides, policy: .zone).verdict == zone)
    }

    @Test("cacheEverything leaves cookies out, and nothing else")
    func everythingWithoutCookies() throws {
        let fields: KeyValuePairs = [
            "set-cookie": "a=b", "Cache-Control": "max-age=60, no-store", "X-A": "1",
            "Set-Cookie": "c=d", "Set-Cookie2": "e=f",
        ]
        let stored = put(fields, overrides: PutOverrides(everything: true))
        #expect(stored.kept == ["Cache-Control: max-age=60, no-store", "X-A: 1"])
        let error = put(fields, status: 503, overrides: PutOverrides(everything: true))
        #expect(error.refusal == .status)
    }

    @Test("cacheTags are written into the file beside those of Cache-Tag")
    func tags() throws {
        let fields: KeyValuePairs = ["Cache-Control": "max-age=60", "Cache-Tag": "One, two"]
        let plan = try put(
            fields, overrides: PutOverrides(tags: ["Three", "two", "", "b\u{E4}d", "a b", "a,b"])
        ).get()
        #expect(CacheTags.tags(in: plan.fields) == ["one", "two", "three"])
        #expect(linesOf(plan.fields).contains("Cache-Tag: One, two"))
        let bare = try put(
            ["Cache-Control": "max-age=60"], overrides: PutOverrides(tags: ["a", "b"])
        ).get()
        #expect(linesOf(bare.fields) == ["Cache-Control: max-age=60", "Cache-Tag: a,b"])
    }

    @Test("tags that are none leave no trace", arguments: [[""], ["a b"], ["\u{E4}"], ["", ","]])
    func badTags(tags: [String]) {
        let stored = put(["Cache-Control": "max-age=60"], overrides: PutOverrides(tags: tags))
        #expect(stored.kept == ["Cache-Control: max-age=60"])
    }
}
