import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9213 Targeted Cache-Control")
struct RFC9213TargetedTests {
    @Test(
        "a valid field replaces Cache-Control and Expires",
        arguments: [
            ("max-age=60", "no-store", 60), ("max-age=60", "max-age=1", 60),
            ("max-age=1", "max-age=60", 1),
            ("max-age=60;x=1", "max-age=1", 60), ("foobar, max-age=60", "private", 60),
            ("max-age=60, max-age=30", "no-store", 30), ("max-age=99999999999", "", 2_147_483_648),
            ("s-maxage=60, max-age=5", "", 60), ("no-store=?0, max-age=60", "no-store", 60),
            ("max-age=60, no-store;x=?0", "max-age=1", nil), ("no-store", "max-age=60", nil),
            ("private", "max-age=60", nil), ("no-cache", "max-age=60", nil),
            ("max-age=0", "max-age=60", nil),
            ("max-age=-5", "max-age=60", nil), ("max-age=\"60\"", "max-age=60", nil),
            ("max-age=60.0", "max-age=60", nil), ("max-age", "max-age=60", nil),
            ("foo", "max-age=60", nil),
            ("public", "max-age=60", nil), ("no-store=1, max-age=60", "max-age=60", nil),
            ("private=(), max-age=60", "max-age=60", nil),
            ("private=(1), max-age=60", "max-age=60", nil),
        ] as [(String, String, Int64?)])
    func valid(targeted: String, control: String, expected: Int64?) {
        let verdict = judge([
            "CDN-Cache-Control": targeted, "Cache-Control": control,
            "Expires": "Sun, 06 Nov 1994 08:49:42 GMT",
        ])
        #expect(verdict.lifetime == expected)
    }

    @Test(
        "an invalid field counts as absent",
        arguments: [
            "", "  ", "max-age=60, &&&&&", "max-age =60", "max-age= 60", "max-age=60,",
            "MaX-aGe=60",
            "max-age=9999999999999999", "max-age=\"60", "no-store no-cache", "max-age=6\u{E9}",
        ])
    func invalid(targeted: String) {
        let verdict = judge(["CDN-Cache-Control": targeted, "Cache-Control": "max-age=5"])
        #expect(verdict.lifetime == 5)
        let refused = judge(["CDN-Cache-Control": targeted, "Cache-Control": "no-store"])
        #expect(refused.refusal == .noStore)
    }

    @Test("our own field comes first, if it is valid; several lines are one dictionary")
    func order() {
        #expect(
            judge(["CDN-Cache-Control": "max-age=5", "Larder-Cache-Control": "max-age=60"]).lifetime
                == 60)
        #expect(
            judge(["CDN-Cache-Control": "max-age=5", "Larder-Cache-Control": "?"]).lifetime == 5)
        #expect(
            judge(["CDN-Cache-Control": "max-age=5", "cdn-cache-control": "no-store"]).refusal
                == .noStore)
        #expect(
            judge(["CDN-Cache-Control": "max-age=5", "cdn-cache-control": "&"]).refusal
                == .noLifetime)
    }

    @Test(
        "the fields named by private and no-cache",
        arguments: [
            "max-age=60, private=(\"x-a\"), no-cache=(x-b \"x-c\")",
            "max-age=60, private=x-a, no-cache=\"X-B, x-c\"",
        ])
    func names(targeted: String) throws {
        let plan = try judge([
            "CDN-Cache-Control": targeted, "X-A": "1", "X-B": "2", "X-C": "3", "X-D": "4",
        ]).get()
        #expect(linesOf(plan.fields) == ["CDN-Cache-Control: " + targeted, "X-D: 4"])
        #expect(plan.terms.flags == [])
    }

    @Test("the other directives act as in Cache-Control")
    func others() {
        let terms = judge([
            "CDN-Cache-Control": "max-age=60, stale-if-error=5, immutable, stale-while-revalidate=7"
        ]).terms
        #expect(terms?.flags == [.immutable, .hasStaleIfError])
        #expect(terms?.staleIfErrorUntil == epoch + 65)
        #expect(terms?.staleWhileRevalidateUntil == epoch + 67)
        let strict = judge(["CDN-Cache-Control": "max-age=60, must-revalidate"]).terms
        #expect(strict?.flags == .mustRevalidate)
        let understood = judge(["CDN-Cache-Control": "max-age=60, no-store, must-understand"])
        #expect(understood.lifetime == 60)
        let credentials = RequestFacts(method: .get, hasCredentials: true)
        let shared = judge(
            ["CDN-Cache-Control": "max-age=60, public"], request: credentials)
        #expect(shared.lifetime == 60)
        let replaced = judge(
            ["CDN-Cache-Control": "max-age=60", "Cache-Control": "public"], request: credentials)
        #expect(replaced.refusal == .credentials)
    }
}
