import HTTPCaching
import Testing

@Suite("RFC 9211 Cache-Status")
struct RFC9211CacheStatusTests {
    @Test(
        "members",
        arguments: [
            (CacheStatus(result: .hit, ttl: 60), "larder; hit; ttl=60"),
            (CacheStatus(result: .hit), "larder; hit"),
            (CacheStatus(result: .stale, ttl: -5), "larder; hit; ttl=-5"),
            (
                CacheStatus(result: .hit, forwardStatus: 200, isStored: true, isCollapsed: true),
                "larder; hit"
            ),
            (
                CacheStatus(result: .revalidated, ttl: 60),
                "larder; fwd=stale; fwd-status=304; ttl=60"
            ),
            (
                CacheStatus(
                    result: .forwarded(.uriMiss), forwardStatus: 200, isStored: true, ttl: 60),
                "larder; fwd=uri-miss; fwd-status=200; stored; ttl=60"
            ),
            (
                CacheStatus(
                    result: .forwarded(.varyMiss), forwardStatus: 200, isStored: true,
                    isCollapsed: true), "larder; fwd=vary-miss; fwd-status=200; stored; collapsed"
            ),
            (CacheStatus(result: .forwarded(.bypass)), "larder; fwd=bypass"),
            (
                CacheStatus(
                    result: .forwarded(.miss), forwardStatus: 200,
                    detail: NoStoreReason.setCookie.rawValue),
                "larder; fwd=miss; fwd-status=200; detail=set-cookie"
            ),
            (
                CacheStatus(result: .staleOnError, forwardStatus: 503, ttl: -5),
                "larder; fwd=stale; fwd-status=503; ttl=-5"
            ),
            (
                CacheStatus(result: .staleOnError, ttl: -5, detail: "stale-if-error"),
                "larder; fwd=stale; ttl=-5; detail=stale-if-error"
            ),
            (
                CacheStatus(result: .stale, forwardStatus: 503, ttl: -5),
                "larder; fwd=stale; fwd-status=503; ttl=-5"
            ),
            (
                CacheStatus(
                    result: .revalidated, forwardStatus: 304, isStored: true, ttl: 60,
                    storedReason: .request),
                "larder; fwd=request; fwd-status=304; stored; ttl=60"
            ),
            (
                CacheStatus(result: .forwarded(.partial), forwardStatus: 206, isStored: true),
                "larder; fwd=partial; fwd-status=206; stored"
            ),
            (
                CacheStatus(result: .hit, ttl: 5, detail: "a", key: "GET \"/\""),
                "larder; hit; ttl=5; key=\"GET \\\"/\\\"\"; detail=a"
            ),
            (CacheStatus(result: .hit, ttl: .min), "larder; hit; ttl=-999999999999999"),
        ])
    func members(status: CacheStatus, expected: String) {
        #expect(status.serialized() == expected)
    }

    @Test(
        "a detail that is no token is a string",
        arguments: [
            ("a b", "\"a b\""), ("", "\"\""), ("1a", "\"1a\""), ("a\"\\", "\"a\\\"\\\\\""),
            ("a\r\nB\u{E9}", "\"aB\""), ("*a/b:c", "*a/b:c"), ("a;b=c", "\"a;b=c\""),
        ])
    func details(detail: String, expected: String) {
        #expect(
            CacheStatus(result: .hit, detail: detail).serialized() == "larder; hit; detail="
                + expected)
    }

    @Test(
        "X-Cache from the same value",
        arguments: [
            (.hit, "HIT"), (.stale, "STALE"), (.staleOnError, "STALE"),
            (.revalidated, "REVALIDATED"),
            (.forwarded(.bypass), "BYPASS"), (.forwarded(.method), "BYPASS"),
            (.forwarded(.request), "BYPASS"), (.forwarded(.miss), "MISS"),
            (.forwarded(.uriMiss), "MISS"),
            (.forwarded(.varyMiss), "MISS"), (.forwarded(.stale), "MISS"),
            (.forwarded(.partial), "MISS"),
        ] as [(CacheResult, String)])
    func xCache(result: CacheResult, expected: String) {
        #expect(result.xCache == expected)
    }

    @Test("every reason is a token", arguments: NoStoreReason.allCases)
    func noStoreReasons(reason: NoStoreReason) {
        let text = CacheStatus(result: .hit, detail: reason.rawValue).serialized()
        #expect(text == "larder; hit; detail=" + reason.rawValue)
    }

    @Test("one word for each result, and back")
    func resultTokens() {
        let words = CacheResult.allCases.map(\.token)
        #expect(words.count == 4 + ForwardReason.allCases.count)
        #expect(Set(words).count == words.count)
        for result in CacheResult.allCases { #expect(CacheResult(token: result.token) == result) }
        #expect(CacheResult(token: "HIT") == nil)
    }

    @Test("why a request went forward")
    func reasons() {
        #expect(CacheStatus(result: .hit).forwardReason == nil)
        #expect(CacheStatus(result: .stale).forwardReason == nil)
        #expect(CacheStatus(result: .staleOnError).forwardReason == .stale)
        #expect(CacheStatus(result: .revalidated).forwardReason == .stale)
        #expect(CacheStatus(result: .forwarded(.method)).forwardReason == .method)
    }

    @Test(
        "§2 members from upstream are kept, unless they would spoil ours",
        arguments: [
            (["OriginCache; hit; ttl=1100"], true), (["a; fwd=miss", "\"B C\"; hit"], true),
            (["ExampleCache; fwd=uri-miss; key=\"a, b\"; detail=x"], true), ([], true),
            (["a; hit,"], false), (["a hit"], false), (["\"a"], false), (["a; Hit"], false),
            (["\u{E9}"], false), (["a", "b; =1"], false),
        ] as [([String], Bool)])
    func upstream(lines: [String], isKept: Bool) {
        #expect(CacheStatus.upstream(lines) == (isKept ? lines : []))
    }

    @Test("the tokens of §2.2")
    func tokens() {
        #expect(
            Set(ForwardReason.allCases.map(\.rawValue)) == [
                "bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial",
            ])
    }
}
