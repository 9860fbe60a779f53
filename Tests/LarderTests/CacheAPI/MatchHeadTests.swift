import CacheTestKit
import Glibc
import Testing

/// What a match gives back of what was put: the bytes of it, and a live Age.
@Suite(.drivesProcesses)
struct MatchHeadTests {
    private static let url = "http://a.example/r"

    /// Runs a check on the answer from memory, and on the one from the file.
    private func check(
        _ message: [UInt8], _ fields: WireFields = [:],
        _ body: (RawAnswer, String) throws -> Void
    ) async throws {
        try await withCacheStand { stand in
            let put = try stand.put(Self.url, message, fields)
            try #require(put.isStored, "\(put.status) \(put.larderPut)")
            let warm = try stand.match(Self.url)
            #expect(warm.isMatch)
            try body(warm, "from memory")
            try stand.restart()
            let cold = try stand.match(Self.url)
            #expect(cold.isMatch)
            try body(cold, "from the file")
        }
    }

    @Test func orderCaseDuplicatesAndReasonAreKept() async throws {
        let message = Array(
            ("HTTP/1.1 203 Quite  Odd: (really)\r\nx-first: 1\r\nCACHE-CONTROL: max-age=60\r\n"
                + "SeT-Thing: a=1; Path=/\r\nX-Mixed: one\r\nset-thing: b=2, c\r\nx-mixed: two\r\n"
                + "ETag: W/\"v\"\r\nX-Empty:\r\nX-Text: caf\u{E9}\r\nVary: Accept, Cookie\r\n"
                + "Expires: whenever\r\nLink: </a>; rel=\"next\"\r\n\r\nbody").utf8)
        try await check(message) { answer, place in
            #expect(answer.version == "HTTP/1.1" && answer.status == 203, "\(place)")
            #expect(answer.reason == "Quite  Odd: (really)", "\(place)")
            #expect(answer.text == "body", "\(place)")
            let lines = answer.fields.lines.filter {
                !["Date", "Age", "CF-Cache-Status", "Content-Length"].contains($0.name)
            }
            #expect(
                lines.map { "\($0.name)=\($0.value)" } == [
                    "x-first=1", "CACHE-CONTROL=max-age=60", "SeT-Thing=a=1; Path=/",
                    "X-Mixed=one", "set-thing=b=2, c", "x-mixed=two", "ETag=W/\"v\"", "X-Empty=",
                    "X-Text=caf\u{E9}", "Vary=Accept, Cookie", "Expires=whenever",
                    "Link=</a>; rel=\"next\"",
                ], "\(place)")
            for name in ["Date", "Age", "CF-Cache-Status", "Content-Length"] {
                #expect(answer.fields.values(name).count == 1, "\(name) \(place)")
            }
        }
    }

    @Test(arguments: ["200 ", "200", "200 404 Not Found", "404 Missing, \"sadly\"", "299 \u{E9}"])
    func reasons(status: String) async throws {
        let parts = status.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        try await check(response(status, fresh())) { answer, place in
            #expect("\(answer.status)" == parts[0], "\(place)")
            #expect(answer.reason == (parts.count > 1 ? String(parts[1]) : ""), "\(place)")
        }
    }

    /// A worker puts what it got from a cache: its Age counts on, its status field is not kept.
    @Test func aHitThatIsPutAgain() async throws {
        try await withCacheStand { stand in
            let message = payload(
                "x", ["Age": "100", "CF-Cache-Status": "MISS", "Date": WireDate.now(-100)])
            let put = try stand.put(Self.url, message)
            #expect((495...500).contains(put.ttl ?? 0), "\(put.larderPut)")
            let first = try stand.match(Self.url)
            let firstAge = try #require(first.age)
            #expect((100...400).contains(firstAge) && first.isMatch)
            #expect(first.fields.values("Age").count == 1)
            // Live: it rises while nothing else changes.
            try await eventually("Age rises") {
                (try stand.match(Self.url).age ?? 0) > firstAge
            }
            let again = Array("HTTP/1.1 200 OK\r\n\(try stand.match(Self.url).fields)\r\nx".utf8)
            #expect(try stand.put(Self.url, again).isStored)
            let second = try stand.match(Self.url)
            #expect(second.isMatch && (second.age ?? 0) > firstAge)
            #expect(second.fields.values("Age").count == 1)
            try stand.restart()
            #expect(try stand.match(Self.url).isMatch)
            let kept = try stand.sqlite("SELECT headers FROM responses").lowercased()
            #expect(!kept.contains("cf-cache-status") && !kept.contains("age: 1"))
        }
    }

    @Test func whatIsForCachesAloneIsNotSent() async throws {
        let fields: WireFields = [
            "Cache-Tag": "a,b", "cache-tag": "c", "Cloudflare-CDN-Cache-Control": "max-age=50",
            "CDN-Cache-Control": "max-age=40", "CF-Cache-Status": "DYNAMIC", "X-Kept": "1",
        ]
        try await check(payload("x", fields)) { answer, place in
            #expect(!answer.fields.contains("Cache-Tag"), "\(place)")
            #expect(!answer.fields.contains("Cloudflare-CDN-Cache-Control"), "\(place)")
            #expect(answer.fields["CDN-Cache-Control"] == "max-age=40", "\(place)")
            #expect(answer.fields["X-Kept"] == "1", "\(place)")
        }
    }

    @Test func whatEndsAtAHopIsNotKept() async throws {
        let fields: WireFields = [
            "Connection": "X-Named, keep-alive", "X-Named": "1", "Keep-Alive": "timeout=5",
            "TE": "trailers", "Upgrade": "h2c", "Proxy-Authenticate": "Basic", "X-Kept": "1",
        ]
        try await check(payload("x", fields)) { answer, place in
            for name in ["Connection", "X-Named", "Keep-Alive", "TE", "Upgrade"] {
                #expect(!answer.fields.contains(name), "\(name) \(place)")
            }
            #expect(answer.fields["X-Kept"] == "1", "\(place)")
        }
    }

    @Test(arguments: [("204 No Content", nil), ("205 Reset Content", "0"), ("200 OK", "0")])
    func nothingAsContent(status: String, length: String?) async throws {
        try await check(response(status, fresh(), [])) { answer, place in
            #expect(answer.body.isEmpty, "\(place)")
            #expect(answer.fields["Content-Length"] == length, "\(place)")
            #expect(!answer.fields.contains("Transfer-Encoding"), "\(place)")
        }
    }

    @Test(arguments: ["204 No Content", "205 Reset Content"])
    func contentWhereNoneMayBe(status: String) async throws {
        try await withCacheStand { stand in
            let answer = try stand.put(Self.url, response(status, fresh()))
            #expect(answer.status == 413 && answer.larderPut == "refused; reason=malformed")
            #expect(try stand.match(Self.url).isMiss)
        }
    }

    @Test func a304HasNeitherLengthNorBody() async throws {
        try await withCacheStand { stand in
            try stand.put(Self.url, payload("body", ["ETag": "\"v1\"", "X-Not": "sent"]))
            let client = try stand.client()
            let answer = try client.match(Self.url, ["If-None-Match": "\"v1\""])
            #expect(answer.status == 304 && answer.isMatch && answer.body.isEmpty)
            #expect(!answer.fields.contains("Content-Length"))
            #expect(!answer.fields.contains("X-Not") && answer.fields["ETag"] == "\"v1\"")
            #expect(answer.fields["Cache-Control"] == "max-age=600" && answer.age != nil)
            // Nothing of a body stands in the way of the next answer.
            #expect(try client.match(Self.url).text == "body")
        }
    }

    @Test func encodedBytesAreNotTouched() async throws {
        let bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF, 0x0D, 0x0A, 0x0D, 0x0A, 0]
        let fields = fresh().adding(["Content-Encoding": "gzip", "Content-Type": "text/html"])
        try await check(response("200 OK", fields, bytes), ["Accept-Encoding": "br"]) {
            answer, place in
            #expect(answer.body == bytes, "\(place)")
            #expect(answer.fields["Content-Encoding"] == "gzip", "\(place)")
        }
    }

    /// In one row, at the border, and in many.
    @Test(arguments: [256, 65_536, 262_143, 262_144, 262_145, 3_000_001])
    func binaryBodies(size: Int) async throws {
        let body = Array((0...255).map { UInt8($0) } + largeBody("/b", size).dropFirst(256))
        try await check(response("200 OK", fresh(), body)) { answer, place in
            expectBody(answer, body)
            #expect(answer.fields["Content-Length"] == "\(size)", "\(place)")
        }
    }

    @Test(arguments: ["404 Not Found", "301 Moved Permanently", "410 Gone", "300 Choices"])
    func anyStoredStatusIsAHit(status: String) async throws {
        try await check(response(status, fresh().adding(["Location": "/b"]))) { answer, place in
            #expect("\(answer.status) \(answer.reason)" == status, "\(place)")
            #expect(answer.text == "content" && answer.fields["Location"] == "/b", "\(place)")
        }
    }

    @Test func whatHasExpiredIsNotThere() async throws {
        try await withCacheStand { stand in
            let fields: WireFields = [
                "Cache-Control": "max-age=1, stale-while-revalidate=600, stale-if-error=600"
            ]
            #expect(try stand.put(Self.url, response("200 OK", fields)).ttl == 1)
            try await eventually("it expires at its max-age") { try stand.match(Self.url).isMiss }
            #expect(try stand.purge(Self.url).status == 404)
            try stand.restart()
            #expect(try stand.match(Self.url).isMiss)
        }
    }
}
