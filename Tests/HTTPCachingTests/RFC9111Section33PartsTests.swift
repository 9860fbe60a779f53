import HTTPCaching
import HTTPTypes
import Testing

private func makePart(_ first: Int64, _ last: Int64, _ length: Int64?) throws -> RepresentationPart
{
    let range = try #require(ByteRange(first: first, last: last))
    return try #require(RepresentationPart(range: range, completeLength: length))
}

@Suite("RFC 9111 §3.3, §3.4 Incomplete responses and their parts")
struct RFC9111Section33PartsTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let storing = StoragePolicy(isDeclared: true, storesParts: true)

    private func judgePart(
        _ contentRange: String, method: MethodKind = .get, hasRange: Bool = true,
        length: String = "5", control: String = "max-age=60",
        policy: StoragePolicy = Self.storing
    ) -> Result<StoragePlan, NoStoreReason> {
        judge(
            [
                "Cache-Control": control, "Content-Range": contentRange, "Content-Length": length,
                "X": "y",
            ], status: 206, request: RequestFacts(method: method, hasRange: hasRange),
            policy: policy)
    }

    @Test("§3.3 a 206 is stored with its place in the whole")
    func stored() throws {
        for method in [MethodKind.get, .query] {
            let plan = try judgePart("bytes 5-9/20", method: method).get()
            #expect(plan.status == 206)
            #expect(plan.part == (try makePart(5, 9, 20)))
            #expect(linesOf(plan.fields) == ["Cache-Control: max-age=60", "X: y"])
        }
        let unknown = try judgePart("bytes 5-9/*").get()
        #expect(unknown.part == (try makePart(5, 9, nil)))
    }

    @Test("RFC 9110 §15.3.7.3 a 206 that brings the whole is stored as a 200")
    func whole() throws {
        let plan = try judgePart("bytes 0-4/5").get()
        #expect(plan.status == 200)
        #expect(plan.part == nil)
        #expect(linesOf(plan.fields) == ["Cache-Control: max-age=60", "X: y"])
    }

    @Test("§3.3 what else says 206 is not stored")
    func refused() {
        #expect(judgePart("bytes 5-9/20", policy: StoragePolicy()).refusal == .partial)
        #expect(judgePart("bytes 5-9/20", hasRange: false).refusal == .partial)
        #expect(judgePart("bytes 5-9/20", method: .post).refusal == .partial)
        #expect(judgePart("bytes 5-9/20", length: "6").refusal == .partial)
        #expect(judgePart("bytes 5-9/9").refusal == .partial)
        #expect(judgePart("bytes */20").refusal == .partial)
        #expect(judgePart("").refusal == .partial)
        #expect(judgePart("bytes 5-9/20", control: "no-store").refusal == .noStore)
        #expect(judgePart("bytes 5-9/20", control: "").refusal == .noLifetime)
        #expect(
            judgePart("bytes 5-9/20", control: "must-understand, no-store, max-age=60").refusal
                == nil)
        // RFC 9110 §15.1: a lifetime may be guessed
        let guessed = judge(
            [
                "Content-Range": "bytes 5-9/20",
                "Last-Modified": "Sun, 06 Nov 1994 08:32:57 GMT",
            ], status: 206, request: RequestFacts(method: .get, hasRange: true),
            policy: Self.storing)
        #expect(guessed.lifetime == 100)
    }

    @Test(
        "a stored part, bytes 10 to 19 of 30, answers what it holds",
        arguments: [
            ("bytes=10-19", "part"), ("bytes=12-13", "part"), ("bytes=10-11,15-19", "parts"),
            ("bytes=9-19", "not held"), ("bytes=10-20", "not held"), ("bytes=10-", "not held"),
            ("bytes=-20", "not held"), ("bytes=-15", "not held"), ("bytes=0-", "not held"),
            ("bytes=10-11,18-20", "not held"), ("bytes=30-", "416"), ("junk", "not held"),
            ("bytes=15-16,11-12", "not held"),
        ])
    func held(line: String, expected: String) throws {
        #expect(try words(line, from: makePart(10, 19, 30)) == expected)
    }

    @Test("the end of a whole whose length is known, or is not")
    func ends() throws {
        #expect(try words("bytes=-5", from: makePart(20, 29, 30)) == "part")
        #expect(try words("bytes=25-", from: makePart(20, 29, 30)) == "part")
        #expect(try words("bytes=25-99", from: makePart(20, 29, 30)) == "part")
        #expect(try words("bytes=-5", from: makePart(20, 29, nil)) == "not held")
        #expect(try words("bytes=25-", from: makePart(20, 29, nil)) == "not held")
        #expect(try words("bytes=25-99", from: makePart(20, 29, nil)) == "not held")
        #expect(try words("bytes=25-29", from: makePart(20, 29, nil)) == "part")
        #expect(try words("bytes=99-", from: makePart(20, 29, nil)) == "not held")
    }

    private func words(_ line: String, from part: RepresentationPart) -> String {
        switch RangeSelection.select(RangeSpec.parse([line]), from: .part(part)) {
        case .whole: "whole"
        case .part: "part"
        case .parts: "parts"
        case .unsatisfiable: "416"
        case .notHeld: "not held"
        }
    }

    @Test("where a run begins in the stored bytes")
    func offsets() throws {
        let range = try #require(ByteRange(first: 12, last: 13))
        #expect(StoredExtent.whole(length: 14).offset(of: range) == 12)
        #expect(StoredExtent.whole(length: 13).offset(of: range) == nil)
        #expect(StoredExtent.part(try makePart(10, 19, nil)).offset(of: range) == 2)
        #expect(StoredExtent.part(try makePart(13, 19, nil)).offset(of: range) == nil)
        #expect(StoredExtent(try makePart(0, 4, 5)) == .whole(length: 5))
        #expect(StoredExtent(try makePart(0, 4, nil)) == .part(try makePart(0, 4, nil)))
    }

    @Test(
        "§3.3 the rest to ask for, with bytes 10 to 19 of 30 at hand",
        arguments: [
            ("bytes=10-24", "bytes=20-24"), ("bytes=10-", "bytes=20-"),
            ("bytes=15-99", "bytes=20-"), ("bytes=-15", "bytes=20-"), ("bytes=5-14", "bytes=5-9"),
            ("bytes=12-13", nil), ("bytes=0-29", nil), ("bytes=0-5", nil), ("bytes=25-", nil),
            ("bytes=30-", nil), ("bytes=10-11,25-26", nil),
        ] as [(String, String?)])
    func rest(line: String, expected: String?) throws {
        let specs: [RangeSpec] = try #require(RangeSpec.parse([line]))
        let rest = PartialContent.rest(of: specs, having: try makePart(10, 19, 30))
        #expect(rest?.fieldValue == expected)
    }

    @Test("§3.3 the rest of the whole")
    func restOfWhole() throws {
        #expect(
            PartialContent.rest(of: nil, having: try makePart(0, 9, 30))?.fieldValue == "bytes=10-")
        #expect(
            PartialContent.rest(of: nil, having: try makePart(0, 9, nil))?.fieldValue == "bytes=10-"
        )
        #expect(
            PartialContent.rest(of: nil, having: try makePart(20, 29, 30))?.fieldValue
                == "bytes=0-19")
        #expect(PartialContent.rest(of: nil, having: try makePart(10, 19, 30)) == nil)
        let unknown = try makePart(5, 9, nil)
        #expect(PartialContent.rest(of: [.suffix(3)], having: unknown) == nil)
        #expect(
            PartialContent.rest(of: [.int(first: 7, last: nil)], having: unknown)?.fieldValue
                == "bytes=10-")
        #expect(
            PartialContent.rest(of: [.int(first: 0, last: 7)], having: unknown)?.fieldValue
                == "bytes=0-4")
    }

    @Test(
        "§3.4 parts combine only with the same strong validator",
        arguments: [
            ("\"a\"", "\"a\"", true), ("\"a\"", "\"b\"", false), ("W/\"a\"", "W/\"a\"", false),
            ("a", "a", false), ("\"a\"", nil, false), (nil, nil, false), ("", "", false),
            ("\"\u{E9}\"", "\"e\u{301}\"", false), ("\"a\"b\"", "\"a\"b\"", false),
        ] as [(String?, String?, Bool)])
    func validators(mine: String?, theirs: String?, expected: Bool) throws {
        var stored = HTTPFields()
        if let mine { stored[.eTag] = mine }
        var received = makeFields(["Content-Range": "bytes 20-29/30"])
        if let theirs { received[.eTag] = theirs }
        let combined = PartialContent.combined(
            stored: stored, held: try makePart(10, 19, 30), received: received)
        #expect(combined == (expected ? .part(try makePart(10, 29, 30)) : nil))
    }

    @Test("§3.4 a date is strong when the answer is younger; under a weak tag never")
    func dates() throws {
        func combine(_ fields: KeyValuePairs<String, String>) throws -> StoredExtent? {
            let stored = makeFields(fields)
            var received = stored
            received[.contentRange] = "bytes 0-9/30"
            return PartialContent.combined(
                stored: stored, held: try makePart(10, 29, 30), received: received)
        }
        #expect(
            try combine(["Last-Modified": Self.earlier, "Date": Self.date]) == .whole(length: 30))
        #expect(try combine(["Last-Modified": Self.date, "Date": Self.date]) == nil)
        #expect(try combine(["Last-Modified": Self.earlier]) == nil)
        #expect(
            try combine(["Last-Modified": Self.earlier, "Date": Self.date, "ETag": "W/\"a\""])
                == nil)
    }

    @Test("§3.4 parts that do not touch, or disagree about the length, do not combine")
    func misfits() throws {
        let stored = makeFields(["ETag": "\"a\""])
        func combine(_ contentRange: String, _ length: Int64?) throws -> StoredExtent? {
            PartialContent.combined(
                stored: stored, held: try makePart(10, 19, length),
                received: makeFields(["ETag": "\"a\"", "Content-Range": contentRange]))
        }
        #expect(try combine("bytes 21-29/30", 30) == nil)
        #expect(try combine("bytes 20-29/31", 30) == nil)
        #expect(try combine("bytes */30", 30) == nil)
        #expect(try combine("bytes 20-29/30", nil) == .part(try makePart(10, 29, 30)))
        #expect(try combine("bytes 0-9/*", 20) == .whole(length: 20))
        #expect(try combine("bytes 5-24/*", nil) == .part(try makePart(5, 24, nil)))
    }

    @Test("RFC 9110 §13.1.5 what to ask for the rest with")
    func ifRange() {
        #expect(IfRange.fieldValue(for: makeFields(["ETag": "\"a\""])) == "\"a\"")
        #expect(IfRange.fieldValue(for: makeFields(["ETag": "W/\"a\""])) == nil)
        #expect(
            IfRange.fieldValue(
                for: makeFields(["Last-Modified": Self.earlier, "Date": Self.date]))
                == Self.earlier)
        #expect(IfRange.fieldValue(for: HTTPFields()) == nil)
    }
}
