import HTTPCaching
import HTTPTypes
import Testing

/// How long what is put lives.
@Suite("Cache API put: lifetimes")
struct CacheAPIPutLifetimeTests {
    @Test(
        "s-maxage, max-age, Expires, in this order",
        arguments: [
            (["Cache-Control": "max-age=20, s-maxage=10", "Expires": date(30)], .success(10)),
            (["Cache-Control": "max-age=20", "Expires": date(30)], .success(20)),
            (["Cache-Control": "public", "Expires": date(30)], .success(30)),
            (["Expires": date(30)], .success(30)),
            (["Cache-Control": "max-age=0", "Expires": date(30)], .failure(.noLifetime)),
            (["Expires": date(30), "Last-Modified": date(-600)], .success(30)),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func order(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        for policy in [PutPolicy.explicit, .zone] {
            #expect(put(fields, policy: policy).verdict == expected)
        }
    }

    @Test(
        "max-age as it is written",
        arguments: [
            ("max-age=60", .success(60)), ("Max-Age=60", .success(60)),
            ("MAX-AGE=60", .success(60)), ("S-MaxAge=60", .success(60)),
            ("max-age=\"60\"", .success(60)), ("max-age=060", .success(60)),
            ("max-age=99999999999999999999", .success(1 << 31)),
            ("max-age", .failure(.noLifetime)), ("max-age=", .failure(.noLifetime)),
            ("max-age=abc", .failure(.noLifetime)), ("max-age=-5", .failure(.noLifetime)),
            ("max-age=1.5", .failure(.noLifetime)), ("max-age=6 0", .failure(.noLifetime)),
            // Twice the same is said once; what contradicts itself is stale.
            ("max-age=60, max-age=60", .success(60)),
            ("max-age=60, max-age=90", .failure(.noLifetime)),
            ("max-age=90, max-age=60", .failure(.noLifetime)),
            // Words that are no lifetime, and none that take one away.
            ("immutable, max-age=60", .success(60)), ("proxy-revalidate, max-age=60", .success(60)),
            ("must-revalidate, s-maxage=60", .success(60)),
            ("x-max-age=9, max-age=60", .success(60)),
        ] as [(String, PutVerdict)])
    func maxAge(value: String, expected: PutVerdict) {
        for policy in [PutPolicy.explicit, .zone] {
            #expect(put(["Cache-Control": value], policy: policy).verdict == expected)
        }
    }

    @Test("immutable alone is no lifetime")
    func immutable() {
        #expect(put(["Cache-Control": "immutable"]).refusal == .noLifetime)
        #expect(put(["Cache-Control": "immutable"], policy: .zone).verdict == .success(7200))
    }

    @Test("stale-while-revalidate and stale-if-error extend nothing")
    func stale() throws {
        let value = "max-age=1, stale-while-revalidate=60, stale-if-error=60"
        let plan = try put(["Cache-Control": value]).get()
        #expect(plan.terms.freshUntil == epoch + 1)
        #expect(plan.terms.staleWhileRevalidateUntil == epoch + 1)
        #expect(plan.terms.staleIfErrorUntil == epoch + 1)
        #expect(plan.terms.flags.contains(.mustRevalidate))
        #expect(plan.terms.isFresh(at: epoch))
        #expect(!plan.terms.isFresh(at: epoch + 1), "the last second is over when it has come")
        for value in ["max-age=0, stale-while-revalidate=60", "stale-if-error=60"] {
            #expect(put(["Cache-Control": value]).refusal == .noLifetime)
        }
    }

    @Test(
        "Expires counts from Date, and what is no date is in the past",
        arguments: [
            (["Expires": date(60)], .success(60)),
            (["Expires": date(60), "Date": date(-30)], .success(90)),
            (["Expires": date(60), "Date": date(30)], .success(30)),
            (["Expires": date(60), "Date": "junk"], .success(60)),
            (["Expires": "Sunday, 06-Nov-94 08:50:37 GMT"], .success(60)),
            (["Expires": "Sun Nov  6 08:50:37 1994"], .success(60)),
            (["Expires": date(0)], .failure(.noLifetime)),
            (["Expires": date(-60)], .failure(.noLifetime)),
            (["Expires": "0"], .failure(.noLifetime)), (["Expires": "-1"], .failure(.noLifetime)),
            (["Expires": ""], .failure(.noLifetime)),
            (["Expires": date(60), "expires": date(90)], .failure(.noLifetime)),
            // A Date in the past says nothing about age.
            (["Cache-Control": "max-age=60", "Date": date(-30)], .success(60)),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func expires(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        for policy in [PutPolicy.explicit, .zone] {
            #expect(put(fields, policy: policy).verdict == expected)
        }
    }

    @Test(
        "the response's own Age is gone already, as when a hit is put again",
        arguments: [
            (["Cache-Control": "max-age=60", "Age": "20"], .success(40)),
            (["Cache-Control": "s-maxage=60", "Age": "59"], .success(1)),
            (["Cache-Control": "max-age=60", "Age": "60"], .failure(.noLifetime)),
            (["Cache-Control": "max-age=60", "Age": "90"], .failure(.noLifetime)),
            (["Cache-Control": "max-age=60", "Age": "20, 90"], .success(40)),
            (["Cache-Control": "max-age=60", "Age": "20", "age": "90"], .success(40)),
            (["Cache-Control": "max-age=60", "Age": "junk"], .success(60)),
            (["Cache-Control": "max-age=60", "Age": "-5"], .success(60)),
            (["Cache-Control": "max-age=60", "Age": ""], .success(60)),
            (["Expires": date(60), "Date": date(-30), "Age": "20"], .success(70)),
            (
                ["Cache-Control": "max-age=60", "Age": "99999999999999999999"],
                .failure(.noLifetime)
            ),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func age(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        #expect(put(fields).verdict == expected)
    }

    @Test("what is put again goes on from the Age it had and ends when it would have ended")
    func again() throws {
        let first = try put(["Cache-Control": "max-age=60", "Age": "20"]).get()
        #expect(first.terms.age(at: epoch) == 20)
        #expect(first.terms.freshUntil == epoch + 40)
        var hit = first.fields
        hit.append(HTTPField(name: .age, value: "\(first.terms.age(at: epoch + 15))"))
        let second = try PutRules.decide(
            status: 200, fields: hit, policy: .explicit, now: epoch + 15
        ).get()
        #expect(second.terms.freshUntil == first.terms.freshUntil)
        #expect(second.terms.age(at: epoch + 15) == 35)
        #expect(second.terms.dateValue == epoch + 15, "what was put last is the newest")
        #expect(second.fields == first.fields)
    }

    @Test(
        "fields for caches rule over Cache-Control and Expires, the nearest first",
        arguments: [
            (
                [
                    "Cache-Control": "max-age=30", "CDN-Cache-Control": "max-age=20",
                    "Cloudflare-CDN-Cache-Control": "max-age=10",
                ], .success(10)
            ),
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": "max-age=20"], .success(20)),
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": "Max-Age=20"], .success(20)),
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": "No-Store"], .failure(.noStore)),
            (
                [
                    "Larder-Cache-Control": "max-age=5",
                    "Cloudflare-CDN-Cache-Control": "max-age=10",
                    "CDN-Cache-Control": "max-age=20",
                ], .success(5)
            ),
            (["Cache-Control": "no-store", "CDN-Cache-Control": "max-age=20"], .success(20)),
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": "no-store"], .failure(.noStore)),
            (
                ["CDN-Cache-Control": "max-age=20", "Cloudflare-CDN-Cache-Control": "private"],
                .failure(.private)
            ),
            (["CDN-Cache-Control": "public", "Expires": date(60)], .failure(.noLifetime)),
            (
                ["Cloudflare-CDN-Cache-Control": "public", "Cache-Control": "max-age=30"],
                .failure(.noLifetime)
            ),
            (["CDN-Cache-Control": "s-maxage=10, max-age=20"], .success(10)),
            // Empty, or no list of directives: as if it were not there.
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": ""], .success(30)),
            (["Cache-Control": "max-age=30", "CDN-Cache-Control": "(;"], .success(30)),
            (
                ["CDN-Cache-Control": "max-age=20", "Cloudflare-CDN-Cache-Control": ""],
                .success(20)
            ),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func targeted(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        #expect(put(fields).verdict == expected)
    }

    @Test(
        "Surrogate-Control takes the place of Cache-Control",
        arguments: [
            (["Surrogate-Control": "max-age=30", "Cache-Control": "max-age=60"], .success(30)),
            (["Surrogate-Control": "max-age=30", "Cache-Control": "no-store"], .success(30)),
            (["Surrogate-Control": "no-store", "Cache-Control": "max-age=60"], .failure(.noStore)),
            (
                ["Surrogate-Control": "content=\"ESI/1.0\"", "Cache-Control": "max-age=60"],
                .failure(.noLifetime)
            ),
            (["Surrogate-Control": "", "Cache-Control": "max-age=60"], .failure(.noLifetime)),
            (["Surrogate-Control": "x", "Expires": date(60)], .success(60)),
            (["Surrogate-Control": "max-age=30", "Pragma": "no-cache"], .success(30)),
            (["Surrogate-Control": "max-age=30", "CDN-Cache-Control": "max-age=9"], .success(9)),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func surrogate(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        #expect(put(fields).verdict == expected)
    }

    @Test(
        "Pragma is heard where Cache-Control is silent",
        arguments: [
            (["Pragma": "no-cache"], .failure(.noCache)),
            (["Pragma": "No-Cache"], .failure(.noCache)),
            (["Pragma": "x, no-cache", "Expires": date(60)], .failure(.noCache)),
            (["Pragma": "no-cache", "Cache-Control": "max-age=60"], .success(60)),
            (["Pragma": "no-cache", "CDN-Cache-Control": "max-age=20"], .success(20)),
            (["Pragma": "no-store", "Expires": date(60)], .success(60)),
        ] as [(KeyValuePairs<String, String>, PutVerdict)])
    func pragma(fields: KeyValuePairs<String, String>, expected: PutVerdict) {
        for policy in [PutPolicy.explicit, .zone] {
            #expect(put(fields, policy: policy).verdict == expected)
        }
    }
}
