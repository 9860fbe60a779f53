import HTTPCaching
import HTTPTypes
import Testing

/// Which responses a put stores.
@Suite("Cache API put: storable or not")
struct CacheAPIPutTests {
    @Test(
        "directives, whatever is done where nothing is said, and validators do not help",
        arguments: [
            ("no-store", .failure(.noStore)), ("no-store, max-age=60", .failure(.noStore)),
            ("private", .failure(.private)), ("private, max-age=60", .failure(.private)),
            ("private=\"\", max-age=60", .failure(.private)),
            ("private=\"a b\", max-age=60", .failure(.private)),
            ("no-cache", .failure(.noCache)), ("no-cache, max-age=60", .failure(.noCache)),
            ("max-age=0", .failure(.noLifetime)), ("s-maxage=0", .failure(.noLifetime)),
            ("s-maxage=0, max-age=60", .failure(.noLifetime)),
            ("must-revalidate, max-age=0", .failure(.noLifetime)),
            ("max-age=60", .success(60)), ("public, max-age=60", .success(60)),
            ("must-revalidate, max-age=60", .success(60)),
            ("must-understand, no-store, max-age=60", .failure(.noStore)),
            // Case does not matter.
            ("No-Store", .failure(.noStore)), ("PRIVATE", .failure(.private)),
            ("No-Cache", .failure(.noCache)), ("Max-Age=60", .success(60)),
            // What stands in quotes is no directive.
            ("x=\"no-store, private\", max-age=60", .success(60)),
        ] as [(String, PutVerdict)])
    func directives(value: String, expected: PutVerdict) {
        for policy in [PutPolicy.explicit, .zone] {
            #expect(put(["Cache-Control": value], policy: policy).verdict == expected)
            let validated: KeyValuePairs = [
                "Cache-Control": value, "ETag": "\"a\"", "Last-Modified": date(-600),
            ]
            #expect(put(validated, policy: policy).verdict == expected)
        }
    }

    @Test(
        "statuses with explicit freshness",
        arguments: [
            ([200, 201, 202, 203, 204, 205, 207, 299], nil),
            ([300, 301, 302, 303, 305, 307, 308, 399], nil),
            ([400, 401, 403, 404, 405, 407, 410, 412, 414, 429, 451, 499], nil),
            ([206], .partial), ([304, 416], .status), ([101], .upgrade),
            ([500, 501, 502, 503, 504, 511, 520, 526, 599], .status),
            ([100, 102, 103, 199, 600, 999, 0, -1], .status),
        ] as [([Int], NoStoreReason?)])
    func explicitStatuses(statuses: [Int], expected: NoStoreReason?) {
        for status in statuses {
            for value in ["max-age=60", "s-maxage=60", "public, max-age=60"] {
                let verdict = put(["Cache-Control": value], status: status).verdict
                #expect(verdict == expected.map { .failure($0) } ?? .success(60), "\(status)")
            }
            #expect(put(["Expires": date(60)], status: status).refusal == expected, "\(status)")
        }
    }

    @Test(
        "server errors are stored where that is configured, and only with explicit freshness",
        arguments: [500, 501, 502, 503, 504, 520, 526, 599])
    func serverErrors(status: Int) {
        for defaults in PutPolicy.TTLDefaults.allCases {
            let policy = PutPolicy(.fromFields(defaults), storesServerErrors: true)
            let explicit = put(["Cache-Control": "max-age=60"], status: status, policy: policy)
            #expect(explicit.verdict == .success(60))
            #expect(
                put([:], status: status, policy: policy).refusal
                    == (status == 501 ? .noLifetime : .status))
        }
    }

    @Test(
        "no configuration makes a part, a 304 or a 416 a response to store",
        arguments: [(206, .partial), (304, .status), (416, .status), (101, .upgrade)]
            as [(Int, NoStoreReason)])
    func never(status: Int, expected: NoStoreReason) {
        let overrides = [
            PutOverrides(ttl: 60), PutOverrides(everything: true),
            PutOverrides(byStatus: [(codes: 100...599, seconds: 60)]),
        ]
        let policies = [
            PutPolicy.unlimited, PutPolicy(.fromFields(.cloudflare), storesServerErrors: true),
        ]
        for overrides in overrides + [.none] {
            for policy in policies {
                let verdict = put(
                    ["Cache-Control": "max-age=60"], status: status, overrides: overrides,
                    policy: policy)
                #expect(verdict.refusal == expected)
            }
        }
    }

    @Test(
        "statuses without freshness: Cloudflare's table for zones, or nothing",
        arguments: [
            ([200, 301], .success(7200), .noLifetime), ([404, 410], .success(180), .noLifetime),
            ([203, 204, 300, 308, 405, 414], .failure(.noLifetime), .noLifetime),
            // Explicit freshness only.
            ([302, 303, 307], .failure(.status), .status),
            ([201, 400, 401, 403, 429], .failure(.status), .status),
            ([501], .failure(.status), .status), ([206], .failure(.partial), .partial),
        ] as [([Int], PutVerdict, NoStoreReason)])
    func silentStatuses(statuses: [Int], zone: PutVerdict, explicit: NoStoreReason) {
        for status in statuses {
            // `public` alone is no lifetime.
            for fields: KeyValuePairs in [[:], ["Cache-Control": "public"], ["ETag": "\"a\""]] {
                #expect(put(fields, status: status, policy: .zone).verdict == zone, "\(status)")
                #expect(put(fields, status: status).refusal == explicit, "\(status)")
            }
        }
    }

    @Test(
        "a tenth of the time since Last-Modified is a guess where no table is asked",
        arguments: [
            (200, .success(60)), (203, .success(60)), (204, .success(60)), (300, .success(60)),
            (301, .success(60)), (308, .success(60)), (404, .success(60)), (405, .success(60)),
            (410, .success(60)), (414, .success(60)), (201, .failure(.status)),
            (302, .failure(.status)), (403, .failure(.status)), (501, .failure(.status)),
        ] as [(Int, PutVerdict)])
    func guessed(status: Int, expected: PutVerdict) {
        let changed: KeyValuePairs = ["Last-Modified": date(-600), "Date": date(0)]
        #expect(put(changed, status: status).verdict == expected)
    }

    @Test(
        "Authorization in the key's request: as RFC 9111 §3.5",
        arguments: [
            ("max-age=60", .failure(.credentials)), ("", .failure(.credentials)),
            ("proxy-revalidate, max-age=60", .failure(.credentials)),
            ("immutable, max-age=60", .failure(.credentials)),
            ("public, max-age=60", .success(60)), ("s-maxage=60", .success(60)),
            ("must-revalidate, max-age=60", .success(60)), ("Public, max-age=60", .success(60)),
            ("public=x, max-age=60", .failure(.credentials)),
        ] as [(String, PutVerdict)])
    func authorization(value: String, expected: PutVerdict) {
        let fields: KeyValuePairs = ["Cache-Control": value]
        #expect(put(fields, hasAuthorization: true).verdict == expected)
        let targeted: KeyValuePairs = ["Cache-Control": "private", "CDN-Cache-Control": value]
        if !value.isEmpty, !value.hasPrefix("Public") {
            #expect(put(targeted, hasAuthorization: true).verdict == expected)
        }
    }

    @Test("what rules over lifetimes does not rule over credentials")
    func credentialsStay() {
        for overrides in [PutOverrides(ttl: 60), PutOverrides(everything: true)] {
            let verdict = put([:], hasAuthorization: true, overrides: overrides, policy: .zone)
            #expect(verdict.refusal == .credentials)
        }
        #expect(put([:], hasAuthorization: true, policy: .unlimited).refusal == .credentials)
    }

    @Test(
        "Vary with an asterisk is refused, whoever says what",
        arguments: ["*", "Accept, *", "*, Accept", " * ", "Accept,*,Cookie"])
    func varyStar(value: String) {
        let policies = [
            PutPolicy.explicit, .zone, .unlimited,
            PutPolicy(.fromFields(.none), honoursVary: true),
        ]
        for policy in policies {
            let fields: KeyValuePairs = ["Cache-Control": "max-age=60", "Vary": value]
            #expect(put(fields, policy: policy).refusal == .varyStar)
            let lines: KeyValuePairs = [
                "Cache-Control": "max-age=60", "Vary": "Accept", "vary": value,
            ]
            #expect(put(lines, policy: policy).refusal == .varyStar)
            let overrides = PutOverrides(ttl: 60, everything: true)
            #expect(put(fields, overrides: overrides, policy: policy).refusal == .varyStar)
        }
    }

    @Test("other Vary is stored; it selects where it is honoured only")
    func vary() throws {
        let fields: KeyValuePairs = [
            "Cache-Control": "max-age=60", "Vary": "Origin, Accept", "vary": "ORIGIN",
        ]
        let plan = try put(fields).get()
        #expect(plan.vary == [])
        #expect(plan.fields[values: .vary] == ["Origin, Accept", "ORIGIN"])
        let honouring = PutPolicy(.fromFields(.none), honoursVary: true)
        let honoured = try put(fields, policy: honouring).get()
        #expect(honoured.vary == ["accept", "origin"])
        #expect(honoured.fields == plan.fields)
        let many: KeyValuePairs = [
            "Cache-Control": "max-age=60",
            "Vary": (0..<100).map { "X-\($0)" }.joined(separator: ","),
        ]
        #expect(put(many).verdict == .success(60))
        #expect(put(many, policy: honouring).refusal == .varyTooLarge)
        // No list of names: nobody selects by it, or nobody can.
        let malformed: KeyValuePairs = ["Cache-Control": "max-age=60", "Vary": "Accept; q=1"]
        #expect(try put(malformed).get().vary == [])
        #expect(put(malformed, policy: honouring).refusal == .varyStar)
    }

    @Test("without lifetimes everything that may be stored stays to the end of time")
    func unlimited() throws {
        let values = ["", "no-store", "private", "no-cache", "max-age=0", "max-age=60"]
        for value in values {
            for status in [200, 201, 302, 404, 429, 500, 503] {
                let plan = try put(
                    ["Cache-Control": value, "Age": "90"], status: status, policy: .unlimited
                ).get()
                // 9999-12-31T23:59:59Z
                #expect(plan.terms.freshUntil == 253_402_300_799)
            }
        }
        let cookie: KeyValuePairs = ["Set-Cookie": "a=b"]
        #expect(put(cookie, policy: .unlimited).refusal == .setCookie)
    }
}
