import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §13.2.2 Precedence of preconditions, §13.1.5 If-Range")
struct RFC9110Section13PrecedenceTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let later = "Sun, 06 Nov 1994 08:49:38 GMT"
    private static let stored = makeFields([
        "ETag": "\"a\"", "Last-Modified": Self.date, "Date": Self.later,
    ])

    private func evaluate(
        _ lines: KeyValuePairs<String, String>, method: MethodKind = .get, status: Int = 200,
        stored: HTTPFields = Self.stored, extent: StoredExtent = .whole(length: 10)
    ) -> StoredAnswer {
        let fields = makeFields(lines)
        var conditions = RequestConditions()
        conditions.ifMatch = fields[values: .ifMatch]
        conditions.ifNoneMatch = fields[values: .ifNoneMatch]
        conditions.ifModifiedSince = fields[values: .ifModifiedSince]
        conditions.ifUnmodifiedSince = fields[values: .ifUnmodifiedSince]
        conditions.ifRange = fields[values: .ifRange]
        conditions.range = fields[values: .range]
        return StoredAnswer.evaluate(
            method: method, conditions: conditions, status: status, stored: stored,
            storedDate: epoch, extent: extent)
    }

    private static func makeRange(_ first: Int64, _ last: Int64) throws -> ByteRange {
        try #require(ByteRange(first: first, last: last))
    }

    @Test("nothing said")
    func plain() throws {
        for method in [MethodKind.get, .head, .query, .post] {
            #expect(evaluate([:], method: method) == .full)
            #expect(evaluate([:], method: method, status: 404) == .full)
        }
        #expect(evaluate(["If-Range": "\"a\""]) == .full)
        #expect(RequestConditions.none.isEmpty)
    }

    @Test("RFC 9111 §4.3.2 steps 1 and 2 are the origin's, whatever else is said")
    func forOrigin() {
        for line in [("If-Match", "\"a\""), ("If-Match", "*"), ("If-Unmodified-Since", Self.date)] {
            #expect(evaluate([line.0: line.1]) == .forward(.request))
            #expect(
                evaluate([line.0: line.1, "If-None-Match": "\"a\"", "Range": "bytes=0-1"])
                    == .forward(.request))
        }
    }

    @Test("steps 3 and 4 come before the range")
    func notModified() throws {
        #expect(evaluate(["If-None-Match": "\"a\"", "Range": "bytes=0-1"]) == .notModified)
        #expect(evaluate(["If-Modified-Since": Self.date, "Range": "bytes=0-1"]) == .notModified)
        #expect(
            evaluate([
                "If-None-Match": "\"b\"", "If-Modified-Since": Self.date, "Range": "bytes=0-1",
            ]) == .part(try Self.makeRange(0, 1)))
        // Also where the range could not be satisfied.
        #expect(evaluate(["If-None-Match": "\"a\"", "Range": "bytes=99-"]) == .notModified)
    }

    @Test("§13.2.1 only where the answer would be a success", arguments: [301, 404, 500])
    func statuses(status: Int) {
        #expect(evaluate(["If-None-Match": "\"a\""], status: status) == .full)
        #expect(evaluate(["Range": "bytes=0-1"], status: status) == .full)
    }

    @Test("§14.2 a range is for a 200, to GET and QUERY")
    func ranges() throws {
        let ranging: KeyValuePairs = ["Range": "bytes=2-3"]
        #expect(evaluate(ranging) == .part(try Self.makeRange(2, 3)))
        #expect(evaluate(ranging, method: .query) == .part(try Self.makeRange(2, 3)))
        #expect(evaluate(ranging, method: .head) == .full)
        #expect(evaluate(ranging, method: .post) == .full)
        #expect(evaluate(ranging, status: 203) == .full)
        #expect(
            evaluate(["Range": "bytes=0-1,5-"])
                == .parts([try Self.makeRange(0, 1), try Self.makeRange(5, 9)]))
        #expect(evaluate(["Range": "bytes=10-"]) == .rangeNotSatisfiable(completeLength: 10))
        #expect(evaluate(["Range": "bytes=junk"]) == .full)
    }

    @Test("HEAD and a declared POST: the conditions of a HEAD count, those of a POST do not")
    func methods() {
        let condition: KeyValuePairs = ["If-None-Match": "\"a\""]
        #expect(evaluate(condition, method: .head) == .notModified)
        #expect(evaluate(condition, method: .query) == .notModified)
        #expect(evaluate(condition, method: .post) == .full)
        #expect(evaluate(["If-Match": "\"b\""], method: .post) == .full)
    }

    @Test(
        "§13.1.5 If-Range",
        arguments: [
            (["\"a\""], true), ([" \"a\" "], true), (["\"b\""], false), (["W/\"a\""], false),
            (["a"], false), (["*"], false), (["\"a\", \"b\""], false), ([""], false),
            (["\"a\"", "\"a\""], true), (["\"a\"", "\"b\""], false), ([date], true),
            ([later], false), (["Sun Nov  6 08:49:37 1994"], true), (["junk"], false),
        ] as [([String], Bool)])
    func ifRange(lines: [String], holds: Bool) throws {
        #expect(IfRange.holds(lines, stored: Self.stored) == holds)
        var conditions = RequestConditions()
        conditions.range = ["bytes=0-1"]
        conditions.ifRange = lines
        let answer = StoredAnswer.evaluate(
            method: .get, conditions: conditions, status: 200, stored: Self.stored,
            storedDate: epoch, extent: .whole(length: 10))
        #expect(answer == (holds ? .part(try Self.makeRange(0, 1)) : .full))
    }

    @Test(
        "§13.1.5 a date that may have been written in the same second proves nothing; nor a weak tag"
    )
    func weakIfRange() {
        let young = makeFields(["Last-Modified": Self.date, "Date": Self.date])
        #expect(!IfRange.holds([Self.date], stored: young))
        #expect(!IfRange.holds([Self.date], stored: makeFields(["Last-Modified": Self.date])))
        #expect(!IfRange.holds(["W/\"a\""], stored: makeFields(["ETag": "W/\"a\""])))
        #expect(!IfRange.holds(["\"a\""], stored: makeFields(["ETag": "W/\"a\""])))
        #expect(!IfRange.holds(["a"], stored: makeFields(["ETag": "a"])))
        #expect(!IfRange.holds(["\"a\""], stored: HTTPFields()))
        #expect(IfRange.holds([], stored: HTTPFields()))
    }

    @Test("a stored part answers what it holds; everything else goes to the origin")
    func parts() throws {
        let part = try #require(
            RepresentationPart(range: try Self.makeRange(2, 5), completeLength: 10))
        func answer(
            _ lines: KeyValuePairs<String, String>, _ method: MethodKind = .get
        ) -> StoredAnswer {
            evaluate(lines, method: method, status: 206, extent: .part(part))
        }
        #expect(answer([:]) == .forward(.partial))
        #expect(answer(["Range": "bytes=2-5"]) == .part(try Self.makeRange(2, 5)))
        #expect(answer(["Range": "bytes=2-6"]) == .forward(.partial))
        #expect(answer(["Range": "bytes=2-5"], .head) == .forward(.partial))
        #expect(answer(["Range": "bytes=2-5"], .post) == .forward(.partial))
        #expect(answer(["Range": "bytes=2-5", "If-Range": "\"b\""]) == .forward(.partial))
        #expect(answer(["Range": "bytes=2-5", "If-None-Match": "\"a\""]) == .notModified)
        // Not even the condition: what is stored was not chosen.
        #expect(answer(["If-None-Match": "\"a\""]) == .forward(.partial))
        #expect(answer(["Range": "bytes=10-"]) == .rangeNotSatisfiable(completeLength: 10))
    }
}
