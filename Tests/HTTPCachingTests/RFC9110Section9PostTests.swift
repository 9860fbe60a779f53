import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §9.3.3 POST that serves later GETs, RFC 10008 QUERY")
struct RFC9110Section9PostTests {
    private static let post = RequestFacts(method: .post, hasContent: true)

    private func decide(
        _ lines: KeyValuePairs<String, String>, request: RequestFacts = Self.post,
        status: Int = 200, policy: StoragePolicy = StoragePolicy(), target: String = "/a/b?q"
    ) -> Result<StoragePlan, NoStoreReason> {
        Storability.decideForGet(
            post: request, status: status, fields: makeFields(lines), policy: policy,
            scheme: "http", authority: "example.com", target: target, requestTime: epoch,
            responseTime: epoch)
    }

    @Test(
        "Content-Location with the same value as the target",
        arguments: [
            ("/a/b?q", true), ("http://example.com/a/b?q", true), ("//EXAMPLE.com:80/a/b?q", true),
            ("b?q", true), ("?q", true), ("/a/./b?q", true), (" /a/b?q ", true),
            ("/a/b", false), ("/a/b?Q", false), ("/A/b?q", false), ("/a/b?q#f", false),
            ("", false), ("#", false), ("https://example.com/a/b?q", false),
            ("http://example.org/a/b?q", false), ("/a/%62?q", false), ("/a/b?q x", false),
        ])
    func contentLocation(value: String, isStored: Bool) {
        let verdict = decide(["Cache-Control": "max-age=60", "Content-Location": value])
        #expect(verdict.refusal == (isStored ? nil : .method))
    }

    @Test("one value, and one there must be")
    func lines() {
        let control: KeyValuePairs = ["Cache-Control": "max-age=60"]
        #expect(decide(control).refusal == .method)
        let twice: KeyValuePairs = [
            "Cache-Control": "max-age=60", "Content-Location": "/a/b?q", "content-location": "/c",
        ]
        #expect(decide(twice).refusal == .method)
    }

    @Test(
        "explicit freshness, and all that holds for a GET",
        arguments: [
            ("", .noLifetime), ("public", .noLifetime), ("max-age=60", nil), ("s-maxage=60", nil),
            ("no-store, max-age=60", .noStore), ("private, max-age=60", .private),
            ("max-age=0", .noLifetime), ("max-age=60, no-cache", .noCache),
        ] as [(String, NoStoreReason?)])
    func freshness(control: String, expected: NoStoreReason?) {
        let verdict = decide([
            "Cache-Control": control, "Content-Location": "/a/b?q",
            "Last-Modified": "junk",
        ])
        #expect(verdict.refusal == expected)
    }

    @Test("a guess is not enough, an Expires is")
    func guesses() {
        let guessed = decide([
            "Content-Location": "/a/b?q", "Last-Modified": "Sun, 06 Nov 1993 08:49:37 GMT",
        ])
        #expect(guessed.refusal == .noLifetime)
        let said = decide([
            "Content-Location": "/a/b?q", "Expires": "Sun, 06 Nov 1994 08:50:37 GMT",
        ])
        #expect(said.lifetime == 60)
    }

    @Test("only a 200", arguments: [201, 203, 204, 206, 303, 404])
    func statuses(status: Int) {
        let verdict = decide(
            ["Cache-Control": "max-age=60", "Content-Location": "/a/b?q"], status: status)
        #expect(verdict.refusal == .status)
    }

    @Test("it is a GET's answer in every way: validated, not keyed by content, without overrides")
    func terms() throws {
        let policy = StoragePolicy(isDeclared: true, defaultTTL: 5, ttlOverride: 7)
        let plan = try decide(
            ["Cache-Control": "max-age=60", "Content-Location": "/a/b?q", "ETag": "\"a\""],
            policy: policy
        ).get()
        #expect(plan.terms.ttl(at: epoch) == 60)
        #expect(plan.terms.flags == .hasValidator)
        #expect(plan.status == 200)
    }

    @Test("credentials, cookies set and the request's no-store count as for a GET")
    func restrictions() {
        let claim: KeyValuePairs = ["Cache-Control": "max-age=60", "Content-Location": "/a/b?q"]
        let credentials = RequestFacts(method: .post, hasCredentials: true, hasContent: true)
        #expect(decide(claim, request: credentials).refusal == .credentials)
        let refusing = RequestFacts(
            method: .post, cacheControl: RequestCacheControl(cacheControl: ["no-store"]))
        #expect(decide(claim, request: refusing).refusal == .requestNoStore)
        let cookie: KeyValuePairs = [
            "Cache-Control": "max-age=60", "Content-Location": "/a/b?q", "Set-Cookie": "a=b",
        ]
        #expect(decide(cookie).refusal == .setCookie)
    }

    @Test(
        "RFC 10008 §2.2 no other method makes the claim, QUERY neither",
        arguments: [MethodKind.get, .head, .query, .otherSafe, .unsafe])
    func methods(method: MethodKind) {
        let verdict = decide(
            ["Cache-Control": "max-age=60", "Content-Location": "/a/b?q"],
            request: RequestFacts(method: method))
        #expect(verdict.refusal == .method)
    }

    @Test("RFC 10008 §2 the answer to a QUERY invalidates nothing and names nothing to invalidate")
    func query() {
        for status in [200, 201, 204, 303] {
            #expect(!Invalidation.applies(method: .query, isDeclared: false, status: status))
        }
        // It is stored for QUERY with all its fields, Location and Accept-Query among them.
        let verdict = judge(
            [
                "Cache-Control": "max-age=60", "Location": "/queries/17",
                "Content-Location": "/results/42", "Accept-Query": "\"application/sql\"",
            ], request: RequestFacts(method: .query, hasContent: true))
        #expect((try? verdict.get().fields.count) == 4)
        #expect(verdict.terms?.flags == .isKeyedByContent)
    }
}
