import HTTPCaching
import HTTPTypes
import Testing

@Suite("Declared routes: POST and QUERY by the operator's word")
struct DeclaredRouteTests {
    private static let post = RequestFacts(method: .post, hasContent: true)
    private static let query = RequestFacts(method: .query, hasContent: true)
    private static let declared = StoragePolicy(isDeclared: true, defaultTTL: 7200)
    private static let overridden = StoragePolicy(isDeclared: true, ttlOverride: 300)

    @Test(
        "lifetime of a declared answer",
        arguments: [
            (200, "", 7200), (200, "max-age=60", 60), (200, "public", 7200),
            (200, "max-age=0", nil),
            (200, "no-store", nil), (200, "private", nil), (200, "no-cache", nil),
            (404, "", nil), (404, "max-age=60", 60), (204, "", nil), (206, "max-age=60", nil),
            (304, "max-age=60", nil), (201, "public", nil), (501, "public", nil),
        ] as [(Int, String, Int64?)])
    func lifetimes(status: Int, value: String, expected: Int64?) {
        for request in [Self.post, Self.query] {
            let verdict = judge(
                ["Cache-Control": value], status: status, request: request, policy: Self.declared)
            #expect(verdict.lifetime == expected)
        }
    }

    @Test(
        "the override rules over the origin for a 200",
        arguments: [
            (200, "", 300), (200, "no-store", 300), (200, "private", 300), (200, "no-cache", 300),
            (200, "max-age=5, must-revalidate", 300), (200, "max-age=99999", 300),
            (404, "", nil), (404, "no-store, max-age=5", nil), (404, "max-age=5", 5),
            (206, "max-age=5", nil),
        ] as [(Int, String, Int64?)])
    func override(status: Int, value: String, expected: Int64?) {
        let verdict = judge(
            ["Cache-Control": value, "ETag": "\"a\""], status: status, request: Self.post,
            policy: Self.overridden)
        #expect(verdict.lifetime == expected)
        if status == 200 {
            let restrictions: ReuseTerms.Flags = [.alwaysValidate, .mustRevalidate]
            #expect(verdict.terms?.flags.isDisjoint(with: restrictions) == true)
        }
    }

    @Test(
        "without explicit freshness another status is refused for being one", arguments: [201, 404])
    func otherStatuses(status: Int) {
        for value in ["", "public", "no-cache"] {
            let verdict = judge(
                ["Cache-Control": value, "ETag": "\"a\""], status: status, request: Self.query,
                policy: Self.declared)
            #expect(verdict.refusal == .status)
        }
    }

    @Test("the override is not for GET, and not for undeclared paths")
    func overrideBelongsToDeclared() {
        let get = RequestFacts(method: .get)
        #expect(judge([:], request: get, policy: Self.overridden).refusal == .noLifetime)
        let undeclared = StoragePolicy(ttlOverride: 300)
        #expect(judge([:], request: Self.query, policy: undeclared).refusal == .noLifetime)
    }

    @Test("neither the override nor a default lifetime lifts Set-Cookie, Vary or the request")
    func whatStays() {
        #expect(
            judge(["Set-Cookie": "a=b"], request: Self.post, policy: Self.overridden).refusal
                == .setCookie)
        #expect(
            judge(["Vary": "*"], request: Self.post, policy: Self.overridden).refusal == .varyStar)
        let refusing = RequestFacts(
            method: .post, cacheControl: RequestCacheControl(cacheControl: ["no-store"]))
        #expect(judge([:], request: refusing, policy: Self.overridden).refusal == .requestNoStore)
        #expect(
            judge([:], request: Self.post, policy: Self.declared, isCloseDelimited: true).refusal
                == .closeDelimited)
    }

    @Test("an operator's lifetime begins with the receipt, the Age is the origin's")
    func operatorLifetime() {
        for policy in [Self.declared, Self.overridden] {
            let terms = judge(["Age": "9000"], request: Self.post, policy: policy).terms
            #expect(terms?.ttl(at: epoch) == policy.ttlOverride ?? 7200)
            #expect(terms?.age(at: epoch) == 9000)
            #expect(terms?.flags.contains(.isOperatorLifetime) == true)
        }
        let explicit = judge(
            ["Age": "50", "Cache-Control": "max-age=60"], request: Self.post, policy: Self.declared)
        #expect(explicit.lifetime == 10)
        #expect(explicit.terms?.flags.contains(.isOperatorLifetime) == false)
    }

    @Test("odd lifetimes of the operator do not trap", arguments: [Int64.min, -1, 0, .max])
    func oddLifetimes(seconds: Int64) {
        let policy = StoragePolicy(isDeclared: true, defaultTTL: seconds)
        let verdict = judge([:], request: Self.post, policy: policy)
        #expect(verdict.lifetime == (seconds > 0 ? 2_147_483_648 : nil))
    }

    @Test("a POST is never validated, a QUERY is")
    func validators() {
        let fields: KeyValuePairs = ["ETag": "\"a\"", "Cache-Control": "max-age=60"]
        let post = judge(fields, request: Self.post, policy: Self.declared).terms
        #expect(post?.flags == [.isKeyedByContent])
        let query = judge(fields, request: Self.query, policy: Self.declared).terms
        #expect(query?.flags == [.isKeyedByContent, .hasValidator])
    }

    @Test("a route may say that its POST answers can be validated")
    func validatedPost() {
        let policy = StoragePolicy(isDeclared: true, validatesPost: true)
        let tagged: KeyValuePairs = ["ETag": "\"a\"", "Cache-Control": "no-cache"]
        #expect(judge(tagged, request: Self.post, policy: policy).refusal == nil)
        #expect(judge(tagged, request: Self.post, policy: Self.declared).refusal == .noCache)
        let plain: KeyValuePairs = ["ETag": "\"a\""]
        let terms = judge(plain, request: Self.post, policy: policy).terms
        #expect(terms?.flags.contains(.hasValidator) == true)
    }

    @Test("a route may be deaf to what requests say, in storing and in reuse")
    func deafness() {
        let said = RequestCacheControl(cacheControl: ["no-cache, no-store, only-if-cached"])
        #expect(StoragePolicy().heard(said) == said)
        #expect(StoragePolicy(ignoreRequestDirectives: true).heard(said) == .none)
    }

    @Test("a declared QUERY that says no-cache has no lifetime, only a validation")
    func queryNoCache() {
        for validator in [("ETag", "\"a\""), ("Last-Modified", "Sun, 06 Nov 1993 08:49:37 GMT")] {
            let verdict = judge(
                ["Cache-Control": "no-cache", validator.0: validator.1], request: Self.query,
                policy: Self.declared)
            #expect(verdict.lifetime == 0)
            #expect(verdict.terms?.flags.contains(.alwaysValidate) == true)
        }
    }

    @Test("an undeclared QUERY is guessed about like a GET")
    func undeclaredQuery() {
        let verdict = judge(
            ["Last-Modified": "Sun, 06 Nov 1994 08:32:57 GMT"], request: Self.query)
        #expect(verdict.lifetime == 100)
    }
}
