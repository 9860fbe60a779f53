import CacheTestKit
import Testing

/// Conditions and ranges of a key over the wire: from memory and from the file, of a body in one row
/// and of one in many.
@Suite(.drivesProcesses)
struct MatchConditionTests {
    private static let small = Array("0123456789".utf8)
    private static let large = largeBody("/large", 700_001)
    private static let date = "Wed, 21 Oct 2015 07:28:00 GMT"

    /// Puts a body of ten bytes and a large one, and runs a check on both, before and after a
    /// restart.
    private func check(
        _ fields: WireFields = [:], _ body: (RawClient, String, [UInt8]) throws -> Void
    ) async throws {
        try await withCacheStand { stand in
            let client = try stand.client()
            let all = fresh().adding(fields)
            let bodies = [
                ("http://a.example/s", Self.small), ("http://a.example/l", Self.large),
            ]
            for (url, bytes) in bodies {
                #expect(try client.put(url, response("200 OK", all, bytes)).isStored)
            }
            for (url, bytes) in bodies { try body(client, url, bytes) }
            try stand.restart()
            let cold = try stand.client()
            for (url, bytes) in bodies { try body(cold, url, bytes) }
        }
    }

    // MARK: Conditions

    private static let conditions: [(WireFields, isNotModified: Bool)] = [
        (["If-None-Match": "\"v1\""], true), (["If-None-Match": "W/\"v1\""], true),
        (["If-None-Match": "*"], true), (["If-None-Match": "\"a,b\", \"v1\""], true),
        (["If-None-Match": "\"a\"", "If-None-Match": "\"v1\""], true),
        (["If-None-Match": "\"v\""], false), (["If-None-Match": "v1"], false),
        (["If-None-Match": "\"x,\"v1\""], false),
        // RFC 9110 §13.1.3: not looked at beside If-None-Match
        (["If-None-Match": "\"no\"", "If-Modified-Since": date], false),
        (["If-Modified-Since": date], true),
        (["If-Modified-Since": "Wednesday, 21-Oct-15 07:28:00 GMT"], true),
        (["If-Modified-Since": "Wed Oct 21 07:28:01 2015"], true),
        (["If-Modified-Since": "Wed, 21 Oct 2015 07:27:59 GMT"], false),
        (["If-Modified-Since": "yesterday"], false),
        (["If-Match": "\"no\""], false), (["If-Unmodified-Since": "x"], false),
    ]

    @Test func conditions() async throws {
        try await check(["ETag": "\"v1\"", "Last-Modified": Self.date]) { client, url, body in
            for (fields, isNotModified) in Self.conditions {
                let answer = try client.match(url, fields)
                #expect(answer.isMatch)
                #expect(answer.status == (isNotModified ? 304 : 200), "\(url) \(fields)")
                expectBody(answer, isNotModified ? [] : body)
                let head = try client.match(url, fields, method: "HEAD")
                #expect(head.status == answer.status && head.isMatch && head.body.isEmpty)
                // Conditions come before the range, also before one that is not there.
                for (range, status) in [("bytes=0-1", 206), ("bytes=9999999-", 416)] {
                    let ranged = try client.match(url, fields.adding(["Range": range]))
                    #expect(
                        ranged.status == (isNotModified ? 304 : status), "\(url) \(fields)")
                }
            }
        }
    }

    @Test func aTagWithoutADateIsNoDate() async throws {
        try await check(["ETag": "\"v1\""]) { client, url, _ in
            let later = try client.match(url, ["If-Modified-Since": WireDate.now(60)])
            #expect(later.status == 200)
        }
    }

    @Test func withoutValidatorsTheTimeOfThePutCounts() async throws {
        try await check { client, url, _ in
            let later = try client.match(url, ["If-Modified-Since": WireDate.now(60)])
            #expect(later.status == 304)
            #expect(try client.match(url, ["If-Modified-Since": Self.date]).status == 200)
            #expect(try client.match(url, ["If-None-Match": "\"\""]).status == 200)
            #expect(try client.match(url, ["If-None-Match": "*"]).status == 304)
        }
    }

    @Test(arguments: ["v1", "\"v1"])
    func aMalformedTagMatchesNothing(tag: String) async throws {
        try await check(["ETag": tag, "Last-Modified": Self.date]) { client, url, _ in
            for condition in [tag, "\"v1\""] {
                let fields: WireFields = [
                    "If-None-Match": condition, "If-Modified-Since": Self.date,
                ]
                let answer = try client.match(url, fields)
                #expect(answer.status == 200, "\(condition)")
            }
            let any = try client.match(url, ["If-None-Match": "*"])
            #expect(any.status == 304)
        }
    }

    @Test func conditionsAreForStoredSuccessOnly() async throws {
        try await withCacheStand { stand in
            let fields = fresh().adding(["ETag": "\"v1\"", "Last-Modified": Self.date])
            try stand.put("http://a.example/404", response("404 Not Found", fields))
            for condition: WireFields in [
                ["If-None-Match": "\"v1\""], ["If-Modified-Since": Self.date],
                ["Range": "bytes=0-1"],
            ] {
                let answer = try stand.match("http://a.example/404", condition)
                #expect(answer.status == 404 && answer.isMatch && answer.text == "content")
            }
        }
    }

    // MARK: Ranges

    /// First and last byte of what is expected of a body of so many bytes; nil for all of it as 200.
    private typealias Expected = @Sendable (Int) -> (first: Int, last: Int)?

    private static let ranges: [(String, Expected)] = [
        ("bytes=2-4", { _ in (2, 4) }), ("bytes=0-0", { _ in (0, 0) }),
        ("bytes=7-", { (7, $0 - 1) }), ("bytes=-3", { ($0 - 3, $0 - 1) }),
        ("bytes=5-99999999", { (5, $0 - 1) }), ("bytes=-99999999", { (0, $0 - 1) }),
        ("bytes=0-", { (0, $0 - 1) }), ("BYTES=1-2", { _ in (1, 2) }),
        // One that is not there is dropped.
        ("bytes=1-2,99999999-", { _ in (1, 2) }), ("bytes=4-2,1-2", { _ in (1, 2) }),
        // What is no range is ignored.
        ("items=0-1", { _ in nil }), ("bytes=a-b", { _ in nil }), ("bytes=0-1,", { _ in nil }),
        ("bytes", { _ in nil }), ("bytes=1", { _ in nil }), ("bytes=--1", { _ in nil }),
        // Overlapping, or out of order.
        ("bytes=0-4,3-5", { _ in nil }), ("bytes=5-6,1-2", { _ in nil }),
        ("bytes=" + (0..<101).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ","), { _ in nil }),
    ]

    @Test func singleRanges() async throws {
        try await check(["ETag": "\"v1\"", "Content-Type": "text/x"]) { client, url, body in
            for (range, expected) in Self.ranges {
                let answer = try client.match(url, ["Range": range])
                #expect(answer.isMatch, "\(range)")
                guard let (first, last) = expected(body.count) else {
                    #expect(answer.status == 200, "\(range)")
                    expectBody(answer, body)
                    continue
                }
                #expect(answer.status == 206, "\(range)")
                expectBody(answer, Array(body[first...last]))
                #expect(answer.fields["Content-Range"] == "bytes \(first)-\(last)/\(body.count)")
                #expect(answer.fields["Content-Type"] == "text/x")
                let head = try client.match(url, ["Range": range], method: "HEAD")
                #expect(head.status == 206 && head.body.isEmpty && head.isMatch, "\(range)")
                #expect(head.fields["Content-Length"] == "\(last - first + 1)", "\(range)")
            }
        }
    }

    @Test func rangesThatAreNotThere() async throws {
        try await check(["ETag": "\"v1\""]) { client, url, body in
            for range in [
                "bytes=99999999-", "bytes=-0", "bytes=", "bytes=4-2", "bytes=4-2,99999999-",
            ] {
                for method in ["GET", "HEAD"] {
                    let answer = try client.match(url, ["Range": range], method: method)
                    #expect(answer.status == 416 && answer.isMatch, "\(range) \(method)")
                    #expect(answer.body.isEmpty && answer.fields["Content-Length"] == "0")
                    #expect(answer.fields["Content-Range"] == "bytes */\(body.count)")
                }
            }
        }
    }

    @Test func severalRanges() async throws {
        try await check(["Content-Type": "text/x"]) { client, url, body in
            let size = body.count
            let answer = try client.match(url, ["Range": "bytes=1-3,99999999-,5-6,-2"])
            #expect(answer.status == 206 && answer.isMatch && !answer.boundary.isEmpty)
            var expected: [UInt8] = []
            for (first, last) in [(1, 3), (5, 6), (size - 2, size - 1)] {
                expected += Array(
                    ("--\(answer.boundary)\r\nContent-Type: text/x\r\n"
                        + "Content-Range: bytes \(first)-\(last)/\(size)\r\n\r\n").utf8)
                expected += body[first...last] + [13, 10]
            }
            expected += Array("--\(answer.boundary)--\r\n".utf8)
            expectBody(answer, expected)
            #expect(answer.fields["Content-Length"] == "\(expected.count)")
            #expect(!answer.fields.contains("Content-Range"))
        }
    }

    @Test func ifRange() async throws {
        try await check(["ETag": "\"v1\"", "Last-Modified": Self.date]) { client, url, body in
            for (condition, status) in [
                ("\"v1\"", 206), ("W/\"v1\"", 200), ("\"v2\"", 200),
                (Self.date, 206), ("Wed, 21 Oct 2015 07:28:01 GMT", 200), ("v1", 200),
            ] {
                let fields: WireFields = ["Range": "bytes=0-0", "If-Range": condition]
                let answer = try client.match(url, fields)
                #expect(answer.status == status && answer.isMatch, "\(condition)")
                expectBody(answer, status == 206 ? [body[0]] : body)
            }
        }
    }

    @Test func rangesOfNothing() async throws {
        try await withCacheStand { stand in
            try stand.put("http://a.example/0", response("200 OK", fresh(), []))
            for (range, status) in [("bytes=0-", 416), ("bytes=-1", 416), ("bytes=x", 200)] {
                let answer = try stand.match("http://a.example/0", ["Range": range])
                #expect(answer.status == status && answer.isMatch, "\(range)")
                if status == 416 { #expect(answer.fields["Content-Range"] == "bytes */0") }
            }
        }
    }
}
