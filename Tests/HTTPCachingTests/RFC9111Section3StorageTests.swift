import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §3 Storing responses")
struct RFC9111Section3StorageTests {
    @Test(
        "methods",
        arguments: [
            ("GET", false, nil), ("QUERY", false, nil), ("POST", true, nil),
            ("HEAD", false, .method),
            ("POST", false, .method), ("OPTIONS", true, .method), ("PUT", true, .method),
            ("get", true, .method), ("FOO", true, .method), ("PROPFIND", false, .method),
        ] as [(String, Bool, NoStoreReason?)])
    func methods(name: String, isDeclared: Bool, expected: NoStoreReason?) throws {
        let method = try #require(HTTPRequest.Method(name))
        let verdict = judge(
            ["Cache-Control": "max-age=60"], request: RequestFacts(method: MethodKind(method)),
            policy: StoragePolicy(isDeclared: isDeclared))
        #expect(verdict.refusal == expected)
    }

    @Test(
        "statuses with explicit freshness",
        arguments: [
            (200, nil), (203, nil), (204, nil), (299, nil), (301, nil), (302, nil), (303, nil),
            (307, nil), (308, nil), (400, nil), (404, nil), (410, nil), (413, nil), (414, nil),
            (499, nil), (500, nil), (501, nil), (503, nil), (599, nil), (100, .status),
            (199, .status),
            (103, .status), (206, .partial), (304, .status), (407, .status), (412, .status),
            (416, .status), (428, .status), (429, .status), (431, .status), (511, .status),
            (600, .status), (0, .status), (-1, .status),
        ] as [(Int, NoStoreReason?)])
    func explicitStatuses(status: Int, expected: NoStoreReason?) {
        #expect(judge(["Cache-Control": "max-age=60"], status: status).refusal == expected)
    }

    @Test("a 416 to a Range, and a 200 to one with Content-Range, are parts")
    func parts() {
        let ranged = RequestFacts(method: .get, hasRange: true)
        let cacheable: KeyValuePairs = ["Cache-Control": "max-age=60"]
        #expect(judge(cacheable, status: 416, request: ranged).refusal == .partial)
        #expect(judge(cacheable, status: 200, request: ranged).refusal == nil)
        let ranging: KeyValuePairs = [
            "Cache-Control": "max-age=60", "Content-Range": "bytes 0-1/2",
        ]
        #expect(judge(ranging, request: ranged).refusal == .partial)
        #expect(judge(ranging).refusal == nil)
    }

    @Test(
        "directives",
        arguments: [
            ("max-age=60", nil), ("no-store, max-age=60", .noStore), ("No-Store", .noStore),
            ("private, max-age=60", .private), ("private=\"\", max-age=60", .private),
            ("private=\"a b\", max-age=60", .private), ("no-store=x, max-age=60", .noStore),
            ("x=\"no-store, private\", max-age=60", nil), ("max-age=60, \"no-store\"", nil),
            ("no-store;, max-age=60", .noStore), ("no-storex, max-age=60", nil),
            ("no-cache, max-age=60", .noCache), ("max-age=0", .noLifetime), ("public", .noLifetime),
            ("", .noLifetime), (",,,", .noLifetime), ("max-age=0, stale-if-error=60", nil),
            ("max-age=0, stale-while-revalidate=60", nil),
            ("must-revalidate, max-age=0, stale-if-error=60", .noLifetime),
            ("private=\"Vary\", max-age=60", .private), ("no-cache=\"Vary\", max-age=60", .noCache),
        ] as [(String, NoStoreReason?)])
    func directives(value: String, expected: NoStoreReason?) {
        #expect(judge(["Cache-Control": value]).refusal == expected)
    }

    @Test("a validator makes an answer without any lifetime left worth storing")
    func validated() {
        for value in ["no-cache", "max-age=0", "no-cache, max-age=60", "max-age=junk"] {
            let verdict = judge(["Cache-Control": value, "ETag": "\"a\""])
            #expect(verdict.refusal == nil)
            #expect(verdict.terms?.flags.contains(.hasValidator) == true)
        }
        #expect(judge(["Cache-Control": "no-cache", "ETag": ""]).refusal == .noCache)
        #expect(judge(["ETag": "\"a\""]).refusal == .noLifetime)
    }

    @Test(
        "§5.2.2.3 must-understand lifts no-store for a status we know",
        arguments: [
            (200, "must-understand, no-store, max-age=60", nil),
            (499, "must-understand, no-store, max-age=60", .status),
            (499, "must-understand, max-age=60", .status),
            (200, "must-understand, private, max-age=60", .private),
            (200, "must-understand=x, no-store, max-age=60", .noStore),
        ] as [(Int, String, NoStoreReason?)])
    func mustUnderstand(status: Int, value: String, expected: NoStoreReason?) {
        #expect(judge(["Cache-Control": value], status: status).refusal == expected)
    }

    @Test("requests: no-store, content, Range; a route may ignore the directive")
    func requests() {
        let noStore = RequestFacts(
            method: .get, cacheControl: RequestCacheControl(cacheControl: ["no-store"]))
        let cacheable: KeyValuePairs = ["Cache-Control": "max-age=60"]
        #expect(judge(cacheable, request: noStore).refusal == .requestNoStore)
        let ignoring = StoragePolicy(ignoreRequestDirectives: true)
        #expect(judge(cacheable, request: noStore, policy: ignoring).refusal == nil)
        let withContent = RequestFacts(method: .get, hasContent: true)
        #expect(judge(cacheable, request: withContent).refusal == .requestContent)
        let query = RequestFacts(method: .query, hasContent: true)
        #expect(judge(cacheable, request: query).refusal == nil)
    }

    @Test("RFC 9112 §8 an end by closing is trusted only with explicit freshness")
    func closeDelimited() {
        let guessed: KeyValuePairs = ["Last-Modified": "Sun, 06 Nov 1993 08:49:37 GMT"]
        #expect(judge(guessed).refusal == nil)
        #expect(judge(guessed, isCloseDelimited: true).refusal == .closeDelimited)
        let explicit: KeyValuePairs = ["Cache-Control": "s-maxage=5"]
        #expect(judge(explicit, isCloseDelimited: true).refusal == nil)
        #expect(Storability.hasExplicitFreshness(makeFields(["expires": "0"])))
        #expect(Storability.hasExplicitFreshness(makeFields(["CDN-Cache-Control": "max-age=1"])))
        #expect(!Storability.hasExplicitFreshness(makeFields(["Cache-Control": "x=\"max-age=1\""])))
        let replaced = makeFields(["Cache-Control": "max-age=1", "CDN-Cache-Control": "public"])
        #expect(!Storability.hasExplicitFreshness(replaced))
    }
}
