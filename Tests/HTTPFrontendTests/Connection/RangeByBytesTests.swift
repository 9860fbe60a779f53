import CacheEngine
import HTTPTypes
import Testing

@testable import HTTPFrontend

/// Where the stored body is when a range is asked for.
enum Place: CaseIterable {
    case memory
    /// In chunk rows of four bytes; the rest of the response is in memory.
    case chunks
    /// In its response's row, found by a fill.
    case row
    /// All of it in the file, found by a fill.
    case rowAndChunks

    var isChunked: Bool { self == .chunks || self == .rowAndChunks }
}

let alphabet = "abcdefghijklmnopqrstuvwxyz"

/// Runs a test on a front that has stored the alphabet under `/a`, with a client to ask for it.
func withStoredAlphabet(
    _ place: Place, fields: [(String, String)] = [],
    _ body: (Front, Client) async throws -> Void
) async throws {
    try await Front.run(configureEngine: { engine in
        if place.isChunked { engine.inlineBytes = 8 }
        engine.chunkBytes = 4
        if place == .row || place == .rowAndChunks { engine.memoryBudget = 0 }
    }) { front in
        front.origin.reply { _ in
            .init(
                fields: [
                    ("Date", "Fri, 15 Jan 2027 08:00:00 GMT"), ("Cache-Control", "max-age=60"),
                    ("ETag", "\"v1\""), ("Last-Modified", "Fri, 15 Jan 2027 07:00:00 GMT"),
                    ("Content-Type", "text/plain"),
                ] + fields, parts: [alphabet])
        }
        let client = try await front.connect()
        #expect(try await client.ask(get("/a")).body == alphabet)
        // Until it knows that they are committed, the engine has the chunks itself: seven and a row.
        try await front.eventually("the row") {
            front.engine.counters.committed.current == (place.isChunked ? 8 : 1)
        }
        _ = front.store.takeReads()
        try await body(front, client)
    }
}

@Suite("Answers by bytes: ranges of stored responses")
struct RangeByBytesTests {
    struct Case: Sendable {
        var lines: [String]
        var status = 206
        var contentRange: String?
        var body: String

        init(_ lines: String..., range: String, body: String) {
            self.lines = lines
            contentRange = "bytes \(range)/26"
            self.body = body
        }

        /// What gets the whole.
        init(whole lines: String...) {
            self.lines = lines
            status = 200
            body = alphabet
        }
    }

    static let cases: [Case] = [
        // Single, open, suffix, to and past the ends; ends of chunks.
        Case("Range: bytes=0-0", range: "0-0", body: "a"),
        Case("Range: bytes=0-3", range: "0-3", body: "abcd"),
        Case("Range: bytes=4-7", range: "4-7", body: "efgh"),
        Case("Range: bytes=3-4", range: "3-4", body: "de"),
        Case("Range: bytes=2-13", range: "2-13", body: "cdefghijklmn"),
        Case("Range: bytes=20-", range: "20-25", body: "uvwxyz"),
        Case("Range: bytes=-3", range: "23-25", body: "xyz"),
        Case("Range: bytes=-100", range: "0-25", body: alphabet),
        Case("Range: bytes=0-", range: "0-25", body: alphabet),
        Case("Range: bytes=25-9999999999999999999999", range: "25-25", body: "z"),
        Case("Range: BYTES= 1-2 ,", range: "1-2", body: "bc"),
        Case("Range: bytes=1-2, 99-", range: "1-2", body: "bc"),
        // Ignored.
        Case(whole: "Range: bytes=5-2"), Case(whole: "Range: bytes="),
        Case(whole: "Range: bytes=a-b"), Case(whole: "Range: items=0-1"),
        Case(whole: "Range: bytes=0-1", "Range: bytes=3-4"),
        Case(whole: "Range: bytes=0-2,2-4"), Case(whole: "Range: bytes=4-5,0-1"),
        Case(whole: "Range: bytes=0-0,2-2,4-4,6-6,8-8"),
        // If-Range.
        Case("Range: bytes=0-1", "If-Range: \"v1\"", range: "0-1", body: "ab"),
        Case(
            "Range: bytes=0-1", "If-Range: Fri, 15 Jan 2027 07:00:00 GMT", range: "0-1",
            body: "ab"),
        Case(whole: "Range: bytes=0-1", "If-Range: \"v2\""),
        Case(whole: "Range: bytes=0-1", "If-Range: W/\"v1\""),
        Case(whole: "Range: bytes=0-1", "If-Range: Fri, 15 Jan 2027 07:00:01 GMT"),
        Case(whole: "If-Range: \"v1\""),
        // Other conditions come first.
        Case("Range: bytes=0-1", "If-None-Match: \"v2\"", range: "0-1", body: "ab"),
        Case(
            "Range: bytes=0-1", "If-Modified-Since: Fri, 15 Jan 2027 06:00:00 GMT", range: "0-1",
            body: "ab"),
    ]

    @Test(arguments: Place.allCases)
    func aRangeIsCut(_ place: Place) async throws {
        try await withStoredAlphabet(place) { front, client in
            for test in Self.cases {
                let answer = try await client.ask(
                    "GET /a HTTP/1.1\r\nHost: a.example\r\n"
                        + test.lines.map { $0 + "\r\n" }.joined() + "\r\n")
                #expect(answer.status == test.status, "\(test.lines)")
                #expect(answer.body == test.body, "\(test.lines)")
                #expect(
                    answer.values("content-range") == (test.contentRange.map { [$0] } ?? []),
                    "\(test.lines)")
                #expect(answer.values("content-length") == ["\(test.body.utf8.count)"])
                #expect(answer.values("content-type") == ["text/plain"])
                #expect(answer.values("cache-status") == ["larder; hit; ttl=60"])
                #expect(answer.values("age") == ["0"] && answer.values("x-cache") == ["HIT"])
            }
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test func aPartIsExactlyThis() async throws {
        try await withStoredAlphabet(
            .memory,
            fields: [("X-B", "1"), ("Content-MD5", "x"), ("Age", "2"), ("x-b", "2")]
        ) { front, client in
            try await client.reset()
            try await client.send(get("/a", "Range: bytes=1-2"))
            _ = try await client.answers(1)
            let lines = [
                "HTTP/1.1 206 Partial Content", "Date: Fri, 15 Jan 2027 08:00:00 GMT",
                "Cache-Control: max-age=60", "ETag: \"v1\"",
                "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT", "Content-Type: text/plain",
                "X-B: 1", "x-b: 2", "Via: 1.1 larder", "Content-Range: bytes 1-2/26",
                "Content-Length: 2", "Age: 2", "Cache-Status: larder; hit; ttl=58", "X-Cache: HIT",
            ]
            let expected = lines.joined(separator: "\r\n") + "\r\n\r\nbc"
            #expect(String(decoding: try await client.bytes(), as: UTF8.self) == expected)
        }
    }

    @Test(arguments: Place.allCases)
    func severalRangesAreExactlyThis(_ place: Place) async throws {
        try await withStoredAlphabet(place) { front, client in
            let answer = try await client.ask(get("/a", "Range: bytes=0-1, 3-3,6-9,-1"))
            #expect(answer.status == 206 && answer.values("content-range").isEmpty)
            let type = try #require(answer.values("content-type").first)
            #expect(answer.values("content-type").count == 1)
            let mark = "multipart/byteranges; boundary="
            try #require(type.hasPrefix(mark))
            let boundary = type.dropFirst(mark.count)
            #expect(boundary.utf8.count > 30)
            let parts = [("0-1", "ab"), ("3-3", "d"), ("6-9", "ghij"), ("25-25", "z")]
                .map { range, body in
                    "--\(boundary)\r\nContent-Type: text/plain\r\n"
                        + "Content-Range: bytes \(range)/26\r\n\r\n\(body)\r\n"
                }
            let expected = parts.joined() + "--\(boundary)--\r\n"
            #expect(answer.body == expected)
            #expect(answer.values("content-length") == ["\(expected.utf8.count)"])
            let again = try await client.ask(get("/a", "Range: bytes=0-1, 3-3"))
            #expect(again.values("content-type") != [type])
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test(arguments: Place.allCases, ["bytes=26-", "bytes=-0", "bytes=99-100, 26-26"])
    func whatIsNotThereIs416(_ place: Place, range: String) async throws {
        try await withStoredAlphabet(
            place, fields: [("Content-Language", "en"), ("Access-Control-Allow-Origin", "*")]
        ) { front, client in
            try await client.reset()
            try await client.send(get("/a", "Range: \(range)"))
            _ = try await client.answers(1)
            let lines = [
                "HTTP/1.1 416 Range Not Satisfiable", "Date: Fri, 15 Jan 2027 08:00:00 GMT",
                "ETag: \"v1\"", "Last-Modified: Fri, 15 Jan 2027 07:00:00 GMT",
                "Access-Control-Allow-Origin: *", "Via: 1.1 larder", "Content-Range: bytes */26",
                "Content-Length: 0", "Age: 0", "Cache-Status: larder; hit; ttl=60",
                "X-Cache: HIT",
            ]
            let expected = lines.joined(separator: "\r\n") + "\r\n\r\n"
            #expect(String(decoding: try await client.bytes(), as: UTF8.self) == expected)
            #expect(try await client.ask(get("/a")).body == alphabet)
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test(arguments: Place.allCases)
    func conditionsComeBeforeTheRange(_ place: Place) async throws {
        try await withStoredAlphabet(place) { front, client in
            for line in [
                "If-None-Match: \"v1\"", "If-Modified-Since: Fri, 15 Jan 2027 07:00:00 GMT",
            ] {
                for range in ["bytes=0-1", "bytes=99-", "bytes=0-1,3-4"] {
                    let answer = try await client.ask(get("/a", "Range: \(range)", line))
                    #expect(answer.status == 304 && answer.values("content-range").isEmpty)
                    #expect(answer.values("x-cache") == ["HIT"])
                }
            }
            #expect(front.origin.seen.count == 1)
        }
    }

    @Test(arguments: Place.allCases)
    func headKnowsNoRange(_ place: Place) async throws {
        try await withStoredAlphabet(place) { front, client in
            let answer = try await client.ask(
                "HEAD /a HTTP/1.1\r\nHost: a.example\r\nRange: bytes=0-1\r\n\r\n")
            #expect(answer.status == 200 && answer.values("content-range").isEmpty)
            #expect(answer.values("content-length") == ["26"])
            #expect(answer.values("x-cache") == ["HIT"] && front.store.takeReads().isEmpty)
        }
    }

    @Test func storedErrorsAreNotCut() async throws {
        try await Front.run { front in
            front.origin.reply { _ in .init(status: 404) }
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            let answer = try await client.ask(get("/a", "Range: bytes=0-1"))
            #expect(answer.status == 404 && answer.body == "hello")
            #expect(answer.values("x-cache") == ["HIT"])
        }
    }

    /// What the origin confirms is cut like what is fresh.
    @Test func aConfirmedResponseIsCut() async throws {
        try await withStoredAlphabet(.memory) { front, client in
            front.clock.advance(61)
            await front.advance(1)
            front.origin.reply { seen in
                .init(
                    status: seen.values("if-none-match") == ["\"v1\""] ? 304 : 500,
                    fields: [("ETag", "\"v1\""), ("Cache-Control", "max-age=60")], parts: [],
                    framing: OriginFraming.none)
            }
            let answer = try await client.ask(get("/a", "Range: bytes=-2"))
            #expect(answer.status == 206 && answer.body == "yz")
            #expect(answer.values("x-cache") == ["REVALIDATED"])
        }
    }

    @Test func aMissAsksForTheRange() async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(
                    status: 206,
                    fields: [("Content-Range", "bytes 1-2/9"), ("Cache-Control", "max-age=60")],
                    parts: seen.values("range") == ["bytes=1-2"] ? ["bc"] : [])
            }
            let client = try await front.connect()
            let answer = try await client.ask(
                get("/a", "Range: bytes=1-2", "If-Range: \"v1\""))
            #expect(answer.status == 206 && answer.body == "bc")
            #expect(front.origin.seen.first?.values("if-range") == ["\"v1\""])
        }
    }
}
