import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §5.2 Cache-Control")
struct RFC9111Section52DirectiveTests {
    @Test(
        "flags of responses: case, lines, empty members, arguments",
        arguments: [
            (["no-store"], .noStore), (["NO-STORE"], .noStore), ([" no-store\t,,"], .noStore),
            (["no-cache", "private"], [.noCache, .private]), (["public"], .public),
            (["public=1"], []), (["must-understand"], .mustUnderstand),
            (["must-understand=\"\""], []),
            (["immutable, no-transform"], [.immutable, .noTransform]),
            (["must-revalidate=1,proxy-revalidate"], [.mustRevalidate, .proxyRevalidate]),
            (["no-store=\"x"], .noStore), (["no store"], []), (["=no-store"], []), ([], []),
            ([""], []),
            (["x=\"no-store\""], []), (["x=\"\\\"no-store, private"], [.noStore, .private]),
            (["max-age=5, x=\"a, No-Cache=b, public, max-age=9"], .noCache),
            (["x=\"a\", y=\"b, no-store", "immutable"], [.noStore, .immutable]),
            (["no-st\u{F6}re"], []),
            (["\u{212A}, no-cache"], .noCache), (["no-cache=\"\""], .noCache),
            (["no-cache=\"a,b\", no-cache"], .noCache), (["private=\"a\u{E9}\""], .private),
        ] as [([String], ResponseCacheControl.Flags)])
    func responseFlags(lines: [String], expected: ResponseCacheControl.Flags) {
        #expect(ResponseCacheControl(lines: lines).flags == expected)
    }

    @Test("the names in qualified forms")
    func qualified() {
        let control = ResponseCacheControl(lines: [
            "private=\"A, b,, a\", no-cache=c", "private=D, no-cache=\"E\"",
        ])
        #expect(control.privateFields == ["a", "b", "d"])
        #expect(control.noCacheFields == ["c", "e"])
        #expect(control.flags == [])
    }

    @Test("numbers of responses keep what the others do not touch")
    func numbers() {
        var expected = ResponseCacheControl()
        expected.maxAge = 1
        expected.sMaxAge = 2
        expected.staleWhileRevalidate = 3
        expected.staleIfError = 0
        #expect(
            ResponseCacheControl(lines: [
                "max-age=1, s-maxage=\"2\"", "Stale-While-Revalidate=3, stale-if-error=x",
            ]) == expected)
    }

    @Test("a line of 64 KB is read to its end")
    func long() {
        let line = String(repeating: "a=\"b\\\"\", ", count: 8000) + "max-age=7"
        #expect(ResponseCacheControl(lines: [line]).maxAge == 7)
    }

    @Test(
        "flags of requests, §5.4 Pragma where Cache-Control is silent",
        arguments: [
            (["no-cache"], [], .noCache),
            (["No-Store, only-if-cached"], [], [.noStore, .onlyIfCached]),
            ([], ["no-cache"], .noCache), ([], ["x, No-Cache"], .noCache),
            ([], ["x=\"no-cache\""], []),
            (["max-age=5"], ["no-cache"], []), ([""], ["no-cache"], []), ([], [], []),
            (["private"], [], []),
        ] as [([String], [String], RequestCacheControl.Flags)])
    func requestFlags(
        cacheControl: [String], pragma: [String], expected: RequestCacheControl.Flags
    ) {
        let control = RequestCacheControl(cacheControl: cacheControl, pragma: pragma)
        #expect(control.flags == expected)
    }

    @Test(
        "numbers of requests",
        arguments: [
            ("max-age=5", 5, nil, nil), ("max-age=5, max-age=5", 5, nil, nil),
            ("max-age=5, max-age=6", 0, nil, nil), ("max-age", 0, nil, nil),
            ("min-fresh=5, min-fresh=9, min-fresh=x", nil, 9, nil), ("max-stale", nil, nil, .any),
            ("max-stale=5, max-stale=3", nil, nil, .seconds(3)),
            ("max-stale=3, max-stale", nil, nil, .seconds(3)),
            ("max-stale=x", nil, nil, nil),
            ("max-stale=99999999999", nil, nil, .seconds(2_147_483_648)),
        ] as [(String, Int64?, Int64?, RequestCacheControl.MaxStale?)])
    func requestNumbers(
        line: String, maxAge: Int64?, minFresh: Int64?, maxStale: RequestCacheControl.MaxStale?
    ) {
        let control = RequestCacheControl(cacheControl: [line])
        #expect(control.maxAge == maxAge)
        #expect(control.minFresh == minFresh)
        #expect(control.maxStale == maxStale)
        #expect(control.isEmpty == (maxAge == nil && minFresh == nil && maxStale == nil))
    }

    @Test("what says nothing is empty")
    func empty() {
        #expect(RequestCacheControl.none.isEmpty)
        #expect(RequestCacheControl(cacheControl: ["x, y=1"], pragma: ["z"]) == .none)
        #expect(!RequestCacheControl(cacheControl: ["no-store"]).isEmpty)
    }
}
