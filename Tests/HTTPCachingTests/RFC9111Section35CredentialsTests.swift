import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §3.5 Requests with credentials")
struct RFC9111Section35CredentialsTests {
    private static let changed = "Sun, 06 Nov 1993 08:49:37 GMT"

    @Test(
        "GET with credentials",
        arguments: [
            ("max-age=60", .credentials), ("public, max-age=60", nil), ("s-maxage=60", nil),
            ("must-revalidate, max-age=60", nil), ("proxy-revalidate, max-age=60", .credentials),
            ("private, max-age=60", .private), ("public=x, max-age=60", .credentials),
            ("no-store, public", .noStore), ("", .credentials),
        ] as [(String, NoStoreReason?)])
    func get(value: String, expected: NoStoreReason?) {
        let request = RequestFacts(method: .get, hasCredentials: true)
        #expect(judge(["Cache-Control": value], request: request).refusal == expected)
    }

    @Test("a route may ignore them")
    func ignored() {
        let request = RequestFacts(method: .get, hasCredentials: true, hasCookie: true)
        let policy = StoragePolicy(ignoreCredentials: true)
        #expect(
            judge(["Cache-Control": "max-age=60"], request: request, policy: policy).lifetime == 60)
        let guessed = judge(["Last-Modified": Self.changed], request: request, policy: policy)
        #expect(guessed.refusal == nil)
    }

    @Test("a cookie forbids guesses, not lifetimes")
    func cookies() {
        let request = RequestFacts(method: .get, hasCookie: true)
        #expect(judge(["Cache-Control": "max-age=60"], request: request).lifetime == 60)
        #expect(judge(["Last-Modified": Self.changed], request: request).refusal == .noLifetime)
        #expect(judge(["Last-Modified": Self.changed]).refusal == nil)
    }

    @Test(
        "POST and QUERY hold them in the key, and the answer belongs to them",
        arguments: [MethodKind.post, .query],
        [(true, false), (false, true), (true, true), (false, false)])
    func keyed(method: MethodKind, has: (credentials: Bool, cookie: Bool)) {
        let request = RequestFacts(
            method: method, hasCredentials: has.credentials, hasCookie: has.cookie, hasContent: true
        )
        let terms = judge(
            ["Cache-Control": "max-age=60"], request: request,
            policy: StoragePolicy(isDeclared: true)
        ).terms
        #expect(terms?.flags.contains(.isPersonal) == (has.credentials || has.cookie))
        let shared = judge(
            ["Cache-Control": "max-age=60"], request: request,
            policy: StoragePolicy(isDeclared: true, ignoreCredentials: true)
        ).terms
        #expect(shared?.flags.contains(.isPersonal) == false)
    }
}
