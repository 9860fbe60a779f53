import CacheTestKit
import Testing

/// Parts of representations: stored, completed, never taken for the whole (RFC 9111 §3.3, §3.4).
@Suite(.drivesProcesses)
struct StoredPartTests {
    private static let whole = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }

    /// An origin that knows ranges and If-Range; `tag` is what it has at present.
    private func serve(_ stand: Stand, tag: String = "\"1\"") {
        stand.origin.on("/a") { request in
            let fields = fresh().adding(["ETag": tag, "Content-Type": "text/plain"])
            let isCurrent = request.fields["If-Range"].map { $0 == tag } ?? true
            guard isCurrent, let range = request.fields["Range"]?.dropFirst("bytes=".count) else {
                return ScriptedAnswer(200, fields, body: Self.body(tag))
            }
            let ends = range.split(separator: "-").map { Int($0) ?? 0 }
            let (first, last) = (ends[0], ends.count > 1 ? ends[1] : Self.whole.count - 1)
            return ScriptedAnswer(
                206, fields.adding(["Content-Range": "bytes \(first)-\(last)/5000"]),
                body: Array(Self.body(tag)[first...last]))
        }
    }

    private static func body(_ tag: String) -> [UInt8] {
        tag == "\"1\"" ? whole : whole.map { ~$0 }
    }

    private func ranges(_ stand: Stand) -> [String?] {
        stand.origin.requests("/a").map { $0.fields["Range"] }
    }

    private func storedPart(_ stand: Stand) throws -> String {
        try stand.sqlite(
            "SELECT coalesce(part, 'whole') || ' ' || size || ' ' || status FROM entries")
    }

    @Test func aFullGetFetchesOnlyWhatAPartLacks() async throws {
        try await withStand { stand in
            serve(stand)
            let part = try stand.get("/a", ["Range": "bytes=0-999"])
            #expect(part.status == 206)
            #expect(part.fields["Content-Range"] == "bytes 0-999/5000")
            #expect(part.body == Array(Self.whole[0...999]))
            #expect(part.cacheStatus.contains("stored"))
            let answer = try stand.get("/a")
            #expect(answer.status == 200)
            #expect(answer.body == Self.whole)
            #expect(answer.fields["Content-Range"] == nil)
            #expect(answer.fields["Content-Type"] == "text/plain")
            #expect(answer.cacheStatus.contains("fwd=partial; fwd-status=206; stored"))
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.status == 200)
            #expect(hit.body == Self.whole)
            #expect(ranges(stand) == ["bytes=0-999", "bytes=1000-"])
            #expect(stand.origin.requests("/a").last?.fields["If-Range"] == "\"1\"")
            try await eventually("the whole is in the file") {
                try storedPart(stand) == "whole 5000 200"
            }
        }
    }

    @Test func aPartIsCompletedAfterARestart() async throws {
        try await withStand { stand in
            serve(stand)
            _ = try stand.get("/a", ["Range": "bytes=4000-4999"])
            try stand.stop()
            #expect(try storedPart(stand) == "4000-4999/5000 1000 206")
            try stand.start()
            let answer = try stand.get("/a")
            #expect(answer.status == 200)
            #expect(answer.body == Self.whole)
            #expect(ranges(stand) == ["bytes=4000-4999", "bytes=0-3999"])
            try stand.stop()
            #expect(try storedPart(stand) == "whole 5000 200")
            stand.origin.stop()
            try stand.start()
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.body == Self.whole)
        }
    }

    @Test func anotherRepresentationTakesThePlaceOfThePart() async throws {
        try await withStand { stand in
            serve(stand)
            _ = try stand.get("/a", ["Range": "bytes=0-999"])
            serve(stand, tag: "\"2\"")
            let answer = try stand.get("/a")
            #expect(answer.status == 200)
            #expect(answer.body == Self.body("\"2\""))
            let hit = try stand.get("/a")
            #expect(hit.isHit)
            #expect(hit.body == Self.body("\"2\""))
            #expect(ranges(stand) == ["bytes=0-999", "bytes=1000-"])
        }
    }

    @Test func aPartIsNeverTheWhole() async throws {
        try await withStand { stand in
            // No strong validator: the rest cannot be added.
            stand.origin.on("/a") { request in
                let fields = fresh().adding(["ETag": "W/\"1\""])
                return request.fields["Range"] == nil
                    ? ScriptedAnswer(200, fields, body: Self.whole)
                    : ScriptedAnswer(
                        206, fields.adding(["Content-Range": "bytes 0-999/5000"]),
                        body: Array(Self.whole[0...999]))
            }
            _ = try stand.get("/a", ["Range": "bytes=0-999"])
            let only = try stand.get("/a", ["Cache-Control": "only-if-cached"])
            #expect(only.status == 504)
            let head = try stand.exchange("HEAD", "/a")
            #expect(!head.isHit)
            #expect(head.status == 200)
            #expect(head.fields["Content-Length"] == "5000")
            let answer = try stand.get("/a")
            #expect(answer.status == 200)
            #expect(answer.body == Self.whole)
            #expect(ranges(stand) == ["bytes=0-999", nil, nil])
        }
    }

    @Test func aPartOfTheWrongLengthIsNotStored() async throws {
        try await withStand { stand in
            for framing in [ScriptedAnswer.Framing.length, .chunked(100)] {
                stand.origin.on("/a") { request in
                    let fields = fresh().adding(["ETag": "\"1\""])
                    return request.fields["Range"] == nil
                        ? ScriptedAnswer(200, fields, body: Self.whole)
                        : ScriptedAnswer(
                            206, fields.adding(["Content-Range": "bytes 0-999/5000"]),
                            body: Array(Self.whole[0...989]), framing: framing)
                }
                let part = try stand.get("/a", ["Range": "bytes=0-999"])
                #expect(part.status == 206)
                #expect(part.body.count == 990)
            }
            try stand.stop()
            #expect(try storedPart(stand) == "")
            try stand.start()
            let answer = try stand.get("/a")
            #expect(answer.status == 200)
            #expect(answer.body == Self.whole)
            #expect(stand.origin.requests("/a").last?.fields["Range"] == nil)
        }
    }
}
