import CacheTestKit
import Testing

/// How long what is put is found: the response's fields, the defaults of the operator and what the
/// key says about it.
@Suite(.drivesProcesses)
struct PutLifetimeTests {
    private static let url = "http://a.example/t"

    /// What a put answers; a lifetime may have lost a few seconds.
    private func expect(
        _ answer: RawAnswer, ttl: Int, _ comment: Comment,
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.isStored, comment, sourceLocation: location)
        let given = answer.ttl ?? -1
        #expect((ttl - 5...ttl).contains(given), comment, sourceLocation: location)
    }

    @Test func lifetimesOfTheFields() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for (fields, ttl) in [
                (["Cache-Control": "max-age=100"], 100), (["Cache-Control": "Max-Age=100"], 100),
                (["Cache-Control": "max-age=\"100\""], 100),
                (["Cache-Control": "s-maxage=50, max-age=100"], 50),
                (["Cache-Control": "max-age=100, s-maxage=50"], 50),
                (["Cache-Control": "max-age=100", "Age": "20"], 80),
                (["Cache-Control": "max-age=100", "Date": WireDate.now(-30)], 100),
                (["Cache-Control": "max-age=100, stale-while-revalidate=500"], 100),
                (["Cache-Control": "max-age=100", "Expires": WireDate.now(7)], 100),
                (["Expires": WireDate.now(60), "Date": WireDate.now(-30)], 90),
                (["Expires": WireDate.now(60)], 60),
                (["Cache-Control": "immutable, max-age=100"], 100),
                (["Cache-Control": "max-age=7", "CDN-Cache-Control": "max-age=100"], 100),
                (
                    [
                        "Cloudflare-CDN-Cache-Control": "max-age=100",
                        "CDN-Cache-Control": "max-age=7", "Cache-Control": "no-store",
                    ], 100
                ),
                (["Surrogate-Control": "max-age=100", "Cache-Control": "no-store"], 100),
                (["Cache-Control": "public, must-revalidate, max-age=100"], 100),
                (["Vary": "Accept, Cookie", "Cache-Control": "max-age=100"], 100),
            ] as [(WireFields, Int)] {
                expect(
                    try client.put(Self.url, response("200 OK", fields)), ttl: ttl, "\(fields)")
                #expect(try client.match(Self.url).isMatch, "\(fields)")
            }
        }
    }

    private static let silent: [(status: String, ttl: Int?)] = [
        ("200 OK", 7200), ("301 Moved", 7200), ("404 Not Found", 180), ("410 Gone", 180),
        ("203 x", nil), ("204 x", nil), ("300 x", nil), ("302 x", nil), ("303 x", nil),
        ("307 x", nil), ("308 x", nil), ("405 x", nil), ("414 x", nil), ("201 x", nil),
        ("400 x", nil), ("403 x", nil), ("429 x", nil), ("501 x", nil),
    ]

    @Test func whatSaysNothingLivesAsTheTableHasIt() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for (status, ttl) in Self.silent {
                let answer = try client.put(Self.url, response(status, [:], []))
                if let ttl {
                    expect(answer, ttl: ttl, "\(status)")
                } else {
                    #expect(answer.status == 413, "\(status)")
                }
            }
        }
    }

    @Test func withoutDefaultsNothingIsGuessed() async throws {
        try await withCacheStand(["--cache-ttl-defaults", "none"]) { stand in
            let client = try stand.client()
            for (status, _) in Self.silent {
                let answer = try client.put(Self.url, response(status, [:], []))
                #expect(answer.status == 413, "\(status)")
                #expect(
                    ["refused; reason=no-lifetime", "refused; reason=status"].contains(
                        answer.larderPut), "\(status)")
                #expect(try client.match(Self.url).isMiss)
            }
            expect(try client.put(Self.url, payload("x")), ttl: 600, "explicit")
            // RFC 9111 §4.2.2: a tenth of the time since the last change
            let changed = try client.put(
                Self.url, response("200 OK", ["Last-Modified": WireDate.now(-1000)]))
            expect(changed, ttl: 100, "heuristic")
        }
    }

    @Test func everyFinalStatusIsStoredWhenItSaysHowLong() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for status in [
                200, 201, 202, 203, 207, 226, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405,
                409, 410, 414, 418, 422, 429, 451, 499,
            ] {
                let url = "\(Self.url)/\(status)"
                expect(
                    try client.put(url, response("\(status) S", fresh())), ttl: 600, "\(status)")
                #expect(try client.match(url).status == status)
            }
        }
    }

    @Test func serverErrorsWhereTheOperatorSaysSo() async throws {
        try await withCacheStand(["--cache-api-5xx"]) { stand in
            let client = try stand.client()
            for status in ["500 a", "502 b", "503 c", "504 d", "520 e", "599 f"] {
                expect(try client.put(Self.url, response(status, fresh())), ttl: 600, "\(status)")
                let hit = try client.match(Self.url)
                #expect(hit.isMatch && "\(hit.status) \(hit.reason)" == status)
                // A 504 that is a hit is none of ours.
                #expect(hit.text == "content")
            }
            #expect(try client.put(Self.url, response("500 a", [:])).status == 413)
        }
    }

    /// Fields of the response, `request.cf`, and the lifetime that comes of them.
    private static let overridden: [(String, WireFields, String, Int)] = [
        ("200 OK", ["Cache-Control": "max-age=5"], "{\"cacheTtl\":100}", 100),
        ("200 OK", ["Cache-Control": "no-store"], "{\"cacheTtl\":100}", 100),
        ("200 OK", ["Cache-Control": "private"], "{\"cacheTtl\":100}", 100),
        ("403 Forbidden", [:], "{\"cacheTtl\":100}", 100),
        ("200 OK", fresh(), "{\"cacheTtl\":\"100\"}", 600),
        ("404 Not Found", fresh(), "{\"cacheTtlByStatus\":{\"404\":100}}", 100),
        ("404 Not Found", fresh(), "{\"cacheTtlByStatus\":{\"200-299\":100}}", 600),
        (
            "404 Not Found", fresh(),
            "{\"cacheTtlByStatus\":{\"200-299\":1,\"400-499\":100,\"404\":2}}", 100
        ),
        ("404 Not Found", fresh(), "{\"cacheTtlByStatus\":{\"x\":1,\"404\":100}}", 100),
        ("503 Busy", fresh(), "{\"cacheTtlByStatus\":{\"500-599\":100}}", 100),
        ("200 OK", fresh(), "{\"cacheTtl\":100,\"cacheTtlByStatus\":{\"200\":7}}", 100),
        ("200 OK", ["Cache-Control": "no-store, max-age=100"], "{\"cacheEverything\":true}", 100),
        ("200 OK", ["Cache-Control": "private"], "{\"cacheEverything\":true}", 7200),
        ("200 OK", fresh().adding(["Set-Cookie": "a=b"]), "{\"cacheEverything\":true}", 600),
        ("200 OK", fresh(), "{\"cacheEverything\":false}", 600),
    ]

    @Test func whatTheKeySaysRules() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for (status, fields, blob, ttl) in Self.overridden {
                let answer = try client.put(
                    Self.url, response(status, fields), ["CF-Blob": blob])
                expect(answer, ttl: ttl, "\(blob)")
                let hit = try client.match(Self.url)
                #expect("\(hit.status) \(hit.reason)" == status && hit.isMatch, "\(blob)")
                #expect(!hit.fields.contains("Set-Cookie"), "\(blob)")
            }
            for (fields, blob) in [
                (fresh().adding(["Set-Cookie": "a=b"]), "{\"cacheTtl\":100}"),
                (fresh().adding(["Vary": "*"]), "{\"cacheEverything\":true}"),
            ] {
                let answer = try client.put(
                    Self.url, response("200 OK", fields), ["CF-Blob": blob])
                #expect(answer.status == 413, "\(blob)")
            }
        }
    }

    /// What the response itself keeps from stores, and nothing else.
    @Test func namedFieldsAreLeftOut() async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            for control in [
                "private=Set-Cookie", "private=\"Set-Cookie\"", "no-cache=\"set-cookie\"",
                "private=\"X-Other, set-cookie\"",
            ] {
                let fields: WireFields = [
                    "Cache-Control": "public, \(control), max-age=60", "Set-Cookie": "a=b",
                    "X-Kept": "1",
                ]
                let put = try client.put(Self.url, response("200 OK", fields))
                expect(put, ttl: 60, "\(control)")
                let hit = try client.match(Self.url)
                #expect(!hit.fields.contains("Set-Cookie") && hit.fields["X-Kept"] == "1")
                #expect(hit.fields["Cache-Control"] == "public, \(control), max-age=60")
            }
        }
    }

    @Test func authorizationNeedsTheResponsesWord() async throws {
        try await withCacheStand { stand in
            let key: WireFields = ["Authorization": "Basic eA=="]
            for (control, isStored) in [
                ("max-age=60", false), ("public, max-age=60", true), ("s-maxage=60", true),
                ("must-revalidate, max-age=60", true),
            ] {
                let put = try stand.put(
                    Self.url, response("200 OK", ["Cache-Control": control]), key)
                #expect(put.isStored == isStored, "\(control)")
                #expect(try stand.match(Self.url).isMatch == isStored)
                try #expect(stand.purge(Self.url).status == (isStored ? 200 : 404))
            }
        }
    }
}
