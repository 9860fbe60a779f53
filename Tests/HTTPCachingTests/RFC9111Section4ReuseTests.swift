import HTTPCaching
import Testing

@Suite("RFC 9111 §4 Constructing responses from the store")
struct RFC9111Section4ReuseTests {
    /// Born at 0, fresh for 100 s, then 50 s of stale-while-revalidate.
    private static func makeTerms(_ flags: ReuseTerms.Flags = []) -> ReuseTerms {
        ReuseTerms(
            dateValue: 0, bornAt: 0, freshUntil: 100, staleWhileRevalidateUntil: 150,
            staleIfErrorUntil: 100, flags: flags)
    }

    private func decide(
        _ request: String, at now: EpochSeconds, flags: ReuseTerms.Flags = [],
        isReadableStale: Bool = true
    ) -> Reuse.Decision {
        Reuse.decide(
            terms: Self.makeTerms(flags),
            request: RequestCacheControl(cacheControl: request.isEmpty ? [] : [request]),
            isReadableStale: isReadableStale, now: now)
    }

    @Test(
        "a request that says nothing",
        arguments: [
            (0, .fresh), (99, .fresh), (100, .staleWhileRevalidate), (149, .staleWhileRevalidate),
            (150, .mustForward(.stale)), (-5, .fresh), (.max, .mustForward(.stale)), (.min, .fresh),
        ] as [(EpochSeconds, Reuse.Decision)])
    func plain(now: EpochSeconds, expected: Reuse.Decision) {
        #expect(decide("", at: now) == expected)
    }

    @Test(
        "§5.2.1 request directives",
        arguments: [
            ("no-cache", 10, .mustForward(.request)), ("no-cache", 110, .mustForward(.stale)),
            ("max-age=0", 10, .mustForward(.request)), ("max-age=0", 0, .mustForward(.request)),
            ("max-age=1", 0, .fresh), ("max-age=0, only-if-cached", 0, .gatewayTimeout),
            ("max-age=10", 10, .fresh), ("max-age=9", 10, .mustForward(.request)),
            ("max-age=junk", 10, .mustForward(.request)),
            ("max-age=1000", 110, .mustForward(.stale)),
            ("max-age=1000, max-stale", 110, .staleWhileRevalidate),
            ("max-age=105, max-stale", 110, .mustForward(.stale)),
            ("min-fresh=90", 10, .fresh), ("min-fresh=91", 10, .mustForward(.request)),
            ("min-fresh=0", 110, .mustForward(.stale)), ("min-fresh=0", 100, .mustForward(.stale)),
            ("min-fresh=junk", 10, .fresh),
            ("min-fresh=99999999999999999999", 10, .mustForward(.request)),
            ("max-stale", 10_000, .stale),
            ("max-stale=60", 160, .stale),
            ("max-stale=60", 161, .mustForward(.stale)),
            ("max-stale=junk", 160, .mustForward(.stale)),
            ("max-stale=0", 120, .staleWhileRevalidate),
            ("max-stale, max-stale=5", 160, .mustForward(.stale)),
            ("no-store", 10, .fresh), ("no-store", 160, .mustForward(.stale)),
            ("only-if-cached", 10, .fresh), ("only-if-cached", 110, .staleWhileRevalidate),
            ("only-if-cached", 150, .gatewayTimeout),
            ("only-if-cached, no-cache", 10, .gatewayTimeout),
            ("only-if-cached, max-age=5", 10, .gatewayTimeout), ("unknown=1", 10, .fresh),
        ] as [(String, EpochSeconds, Reuse.Decision)])
    func requestDirectives(request: String, now: EpochSeconds, expected: Reuse.Decision) {
        #expect(decide(request, at: now) == expected)
    }

    @Test("a limit at the ends of the range does not trap", arguments: [Int64.min, .max])
    func extremeLimits(limit: Int64) {
        var request = RequestCacheControl.none
        request.maxStale = .seconds(limit)
        let decision = Reuse.decide(terms: Self.makeTerms(), request: request, now: 160)
        #expect(decision == (limit > 0 ? .stale : .mustForward(.stale)))
    }

    @Test(
        "§5.2.2.4 no-cache is validated although fresh", arguments: ["", "max-stale", "max-age=50"])
    func alwaysValidate(request: String) {
        #expect(decide(request, at: 10, flags: .alwaysValidate) == .mustForward(.stale))
        #expect(decide(request, at: 110, flags: .alwaysValidate) == .mustForward(.stale))
    }

    @Test(
        "§4.2.4 nothing stale where the response or an invalidation forbids it",
        arguments: ["", "max-stale", "max-stale=1000"])
    func forbidden(request: String) {
        #expect(decide(request, at: 110, flags: .mustRevalidate) == .mustForward(.stale))
        #expect(decide(request, at: 99, flags: .mustRevalidate) == .fresh)
        #expect(decide(request, at: 110, isReadableStale: false) == .mustForward(.stale))
        #expect(decide(request, at: 99, isReadableStale: false) == .fresh)
    }

    @Test(
        "a min-fresh and a max-stale that both apply: the stricter holds",
        arguments: [("min-fresh=1, max-stale", 110), ("min-fresh=1, max-stale", 100)])
    func minFreshAndMaxStale(request: String, now: EpochSeconds) {
        #expect(decide(request, at: now) == .mustForward(.stale))
    }

    @Test("of several that would do the newest is used")
    func newest() {
        var newer = Self.makeTerms()
        newer.dateValue = 1
        #expect(newer.isNewer(than: Self.makeTerms()))
        #expect(!Self.makeTerms().isNewer(than: newer))
        #expect(!newer.isNewer(than: newer))
    }

    @Test(
        "the frozen flags of a response",
        arguments: [
            ("max-age=60", []), ("max-age=60, no-cache", .alwaysValidate),
            ("max-age=60, must-revalidate", .mustRevalidate),
            ("max-age=60, proxy-revalidate", .mustRevalidate), ("s-maxage=60", .mustRevalidate),
            ("max-age=60, immutable", .immutable), ("max-age=60, immutable=1", []),
            ("max-age=60, stale-if-error=0", .hasStaleIfError),
        ] as [(String, ReuseTerms.Flags)])
    func flags(value: String, expected: ReuseTerms.Flags) {
        let flags = judge(["Cache-Control": value, "ETag": "\"a\""]).terms?.flags
        #expect(flags == expected.union(.hasValidator))
    }
}
