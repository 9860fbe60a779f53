import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §4.1 Vary")
struct RFC9111Section41VaryTests {
    @Test(
        "names: lower-cased, sorted, once",
        arguments: [
            ([], []), ([""], []), ([" , ,"], []), (["Accept"], ["accept"]),
            (["b, A", "B,c"], ["a", "b", "c"]), (["X-\u{41}"], ["x-a"]),
        ] as [([String], [String])])
    func names(lines: [String], expected: [String]) throws {
        #expect(try Vary.names(in: makeVary(lines)).get() == expected)
    }

    @Test(
        "names that nothing can match",
        arguments: [
            (["*"], .varyStar), (["a, *"], .varyStar), (["a", " * "], .varyStar),
            (["a b"], .varyStar),
            (["\"a\""], .varyStar), (["*, a, *"], .varyStar), (["\u{212A}ind"], .varyStar),
        ] as [([String], NoStoreReason)])
    func refused(lines: [String], expected: NoStoreReason) {
        #expect(Vary.names(in: makeVary(lines)) == .failure(expected))
        let stored = judge(["Cache-Control": "max-age=60", "Vary": lines.joined(separator: ",")])
        #expect(stored.refusal == expected)
    }

    @Test("sixteen names and 1,024 bytes, not one more")
    func limits() {
        let sixteen = (1...16).map { "x-\($0)" }.joined(separator: ",")
        #expect((try? Vary.names(in: makeVary([sixteen])).get())?.count == 16)
        #expect((try? Vary.names(in: makeVary([sixteen, "X-1"])).get())?.count == 16)
        #expect(Vary.names(in: makeVary([sixteen, "x-17"])) == .failure(.varyTooLarge))
        let long = String(repeating: "a", count: 1024)
        #expect(Vary.names(in: makeVary([long])) == .success([long]))
        #expect(Vary.names(in: makeVary([long, "b"])) == .failure(.varyTooLarge))
        #expect(Vary.names(in: makeVary([long, "b,*"])) == .failure(.varyStar))
    }

    @Test(
        "values that are the same",
        arguments: [
            ("x", ["a, b"], ["a", "b"]), ("x", [" a\t"], ["a"]), ("x", [""], [" "]),
            ("accept-encoding", ["gzip, br"], ["br", "GZIP"]),
            ("accept-encoding", ["gzip;q=0.80"], ["gzip ; q=0.8"]),
            ("accept-encoding", ["gzip;Q=1.000"], ["x-gzip"]),
            ("accept-language", ["en, de;q=0.5"], ["DE;q=0.500,EN"]),
            ("accept-language", ["en,en"], ["en"]),
        ] as [(String, [String], [String])])
    func same(name: String, left: [String], right: [String]) {
        let value = Vary.normalizedValue(name: name, lines: left)
        #expect(value != nil)
        #expect(value == Vary.normalizedValue(name: name, lines: right))
    }

    @Test(
        "values that differ, to the byte",
        arguments: [
            ("x", [], [""]), ("x", ["a"], ["A"]), ("x", ["a,b"], ["a, b"]),
            ("x", ["a", ""], ["a"]),
            ("x", ["a  b"], ["a b"]), ("x", ["\u{E9}"], ["e\u{301}"]),
            ("accept", ["a, b"], ["b, a"]), ("accept-encoding", ["gzip;q=0.8"], ["gzip"]),
            ("accept-encoding", ["gzip;q=0"], [""]), ("accept-encoding", [], [""]),
            ("accept-encoding", ["gzip;q=0.001"], ["gzip;q=0.01"]),
            ("accept-encoding", ["g zip"], ["gzip"]), ("accept-language", ["en-us"], ["en"]),
            ("accept-language", ["e\u{301}"], ["\u{E9}"]),
        ] as [(String, [String], [String])])
    func different(name: String, left: [String], right: [String]) {
        let one = Vary.normalizedValue(name: name, lines: left).map { Array($0.utf8) }
        let other = Vary.normalizedValue(name: name, lines: right).map { Array($0.utf8) }
        #expect(one != other)
    }

    @Test("the plan holds the names")
    func plan() throws {
        let plan = try judge(["Cache-Control": "max-age=60", "Vary": "B, a"]).get()
        #expect(plan.vary == ["a", "b"])
    }

    private func makeVary(_ lines: [String]) -> HTTPFields {
        var fields = HTTPFields()
        for line in lines { fields.append(HTTPField(name: .vary, value: line)) }
        return fields
    }
}
