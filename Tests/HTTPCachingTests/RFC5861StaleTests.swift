import HTTPCaching
import Testing

@Suite("RFC 5861 Stale answers")
struct RFC5861StaleTests {
    @Test(
        "the windows that are frozen, in seconds after the lifetime",
        arguments: [
            ("max-age=600, stale-while-revalidate=30", 30, 0),
            ("max-age=600, stale-if-error=1200", 0, 1200),
            ("max-age=600, stale-while-revalidate=5, stale-if-error=7", 5, 7),
            ("max-age=600", 0, 0), ("max-age=600, stale-while-revalidate=x", 0, 0),
            ("max-age=600, stale-while-revalidate=30, stale-while-revalidate=31", 0, 0),
            ("max-age=600, stale-if-error=99999999999", 0, 2_147_483_648),
            ("max-age=600, stale-while-revalidate=30, must-revalidate", 0, 0),
            ("max-age=600, stale-if-error=30, proxy-revalidate", 0, 0),
            ("s-maxage=600, stale-while-revalidate=30, stale-if-error=30", 0, 0),
            ("max-age=600, no-cache, stale-while-revalidate=30, stale-if-error=30", 0, 0),
            ("max-age=600, no-cache=\"x\", stale-while-revalidate=30", 30, 0),
        ] as [(String, Int64, Int64)])
    func windows(value: String, behind: Int64, onError: Int64) {
        let terms = judge(["Cache-Control": value, "ETag": "\"a\""]).terms
        #expect(terms?.freshUntil == epoch + 600)
        #expect(terms?.staleWhileRevalidateUntil == epoch + 600 + behind)
        #expect(terms?.staleIfErrorUntil == epoch + 600 + onError)
    }

    /// Fresh until 100; `stale-if-error` ends at `until`.
    private func mayServe(
        until: EpochSeconds = 100, flags: ReuseTerms.Flags = [], request: String = "",
        at now: EpochSeconds, standard: Int64 = 0, isUnreachable: Bool = false
    ) -> Bool {
        let terms = ReuseTerms(
            dateValue: 0, bornAt: 0, freshUntil: 100, staleWhileRevalidateUntil: 100,
            staleIfErrorUntil: until, flags: flags)
        return Reuse.mayServeOnError(
            terms: terms,
            request: RequestCacheControl(cacheControl: request.isEmpty ? [] : [request]), now: now,
            defaultStaleIfError: standard, isUnreachable: isUnreachable)
    }

    @Test("§4 the response's own window, also when it is none")
    func ownWindow() {
        #expect(mayServe(until: 150, flags: .hasStaleIfError, at: 149))
        #expect(!mayServe(until: 150, flags: .hasStaleIfError, at: 150))
        #expect(mayServe(until: 150, at: 149))
        #expect(
            !mayServe(
                until: 150, flags: .hasStaleIfError, at: 150, standard: 1000, isUnreachable: true))
        #expect(!mayServe(flags: .hasStaleIfError, at: 101, standard: 1000, isUnreachable: true))
        #expect(mayServe(at: 99))
    }

    @Test("the operator's window for those without one")
    func operatorWindow() {
        #expect(mayServe(at: 149, standard: 50))
        #expect(!mayServe(at: 150, standard: 50, isUnreachable: true))
        #expect(mayServe(at: 1_000_000, standard: .max))
        #expect(!mayServe(at: 101, standard: -5))
    }

    @Test("with neither, an unreachable origin lets a GET answer of nobody live a day longer")
    func unreachable() {
        #expect(mayServe(at: 86_499, isUnreachable: true))
        #expect(!mayServe(at: 86_500, isUnreachable: true))
        #expect(!mayServe(at: 101, isUnreachable: false))
        #expect(!mayServe(flags: .isPersonal, at: 101, isUnreachable: true))
        #expect(!mayServe(flags: .isKeyedByContent, at: 101, isUnreachable: true))
    }

    @Test("the operator's window is for answers to POST and QUERY, too")
    func operatorWindowForPost() {
        #expect(mayServe(flags: [.isKeyedByContent, .isPersonal], at: 149, standard: 50))
    }

    @Test(
        "RFC 9111 §4.2.4 what forbids stale answers rules over every window",
        arguments: [ReuseTerms.Flags.mustRevalidate, .alwaysValidate])
    func forbidden(flag: ReuseTerms.Flags) {
        #expect(!mayServe(until: 500, flags: flag, at: 101, standard: 500, isUnreachable: true))
    }

    @Test(
        "§4 a request may take a stale answer itself, where the response does not forbid it",
        arguments: [
            ("stale-if-error=50", [], 149, true), ("stale-if-error=50", [], 150, false),
            ("stale-if-error=50, stale-if-error=9", [], 110, false),
            ("stale-if-error=junk", [], 101, false), ("stale-if-error", [], 101, false),
            ("stale-if-error=99999999999", [], 1_000_000, true),
            ("stale-if-error=50", .mustRevalidate, 110, false),
            ("stale-if-error=50", .alwaysValidate, 110, false),
            ("stale-if-error=50", .hasStaleIfError, 110, false),
            ("stale-if-error=50, no-cache", [], 110, false),
        ] as [(String, ReuseTerms.Flags, EpochSeconds, Bool)])
    func requestWindow(
        request: String, flags: ReuseTerms.Flags, now: EpochSeconds, expected: Bool
    ) {
        #expect(mayServe(flags: flags, request: request, at: now) == expected)
        #expect(RequestCacheControl(cacheControl: ["stale-if-error=5"]).isEmpty == false)
    }

    @Test("§4 which answers are failures")
    func failures() {
        let failures = (100...599).filter { Reuse.isFailure(status: $0) }
        #expect(failures == [500, 502, 503, 504])
    }

    @Test(
        "the request's own word rules over every window",
        arguments: [
            ("no-cache", false), ("max-age=1000", false), ("min-fresh=0", false),
            ("max-stale", true),
            ("no-store", true), ("only-if-cached", true), ("", true),
        ])
    func request(request: String, expected: Bool) {
        #expect(
            mayServe(until: 500, request: request, at: 101, standard: 500, isUnreachable: true)
                == expected)
    }
}
