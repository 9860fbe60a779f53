import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9875 Cache groups")
struct RFC9875CacheGroupsTests {
    private func groups(_ lines: [String]) -> [String] {
        var fields = HTTPFields()
        for line in lines {
            guard let name = HTTPField.Name("Cache-Groups") else { continue }
            fields.append(HTTPField(name: name, value: line))
        }
        return CacheGroups.groups(in: fields)
    }

    @Test(
        "§2 a list of strings; lines are one list; parameters mean nothing",
        arguments: [
            (["\"scripts\""], ["scripts"]), (["\"a\", \"b\""], ["a", "b"]),
            (["\"a\"", "\"b\""], ["a", "b"]), (["\"a\";x;y=\"1, 2\", \"b\""], ["a", "b"]),
            (["\"a\", \"a\", \"A\""], ["a", "A"]), (["\"a, b\""], ["a, b"]),
            (["\"a\\\"b\\\\\""], ["a\"b\\"]), (["\"\""], [""]), ([" \"a\" ,\t\"b\" "], ["a", "b"]),
        ] as [([String], [String])])
    func valid(lines: [String], expected: [String]) {
        #expect(groups(lines) == expected)
    }

    @Test(
        "§2 what is no list of strings is ignored whole",
        arguments: [
            [], [""], ["scripts"], ["\"a\", scripts"], ["\"a\","], ["\"a\" \"b\""], ["\"a"], ["1"],
            ["\"a\", 1"], ["?1"], [":YQ==:"], ["(\"a\" \"b\")"], ["\"a\", (\"b\")"], ["\"\u{E9}\""],
            ["\"a\"", "b"], ["'a'"], ["\"a\\n\""],
        ])
    func invalid(lines: [String]) {
        #expect(groups(lines) == [])
    }

    @Test("§2 at least 32 groups of 32 characters; there is an end to both")
    func limits() {
        let name = String(repeating: "n", count: 30)
        let many = (10..<42).map { "\"\(name)\($0)\"" }.joined(separator: ", ")
        #expect(groups([many]).count == 32)
        #expect(groups([many]).allSatisfy { $0.utf8.count == 32 })
        let thousand = (0..<1000).map { "\"g\($0)\"" }.joined(separator: ", ")
        #expect(groups([thousand]).count == CacheGroups.countMax)
        let long = String(repeating: "n", count: CacheGroups.characterCountMax)
        #expect(groups(["\"\(long)\", \"\(long)n\", \"a\""]) == [long, "a"])
    }

    @Test(
        "§3 invalidation by unsafe methods only, whatever the status",
        arguments: [
            ("POST", false, true), ("PUT", false, true), ("DELETE", true, true),
            ("FOO", false, true),
            ("POST", true, false), ("GET", false, false), ("HEAD", false, false),
            ("QUERY", false, false), ("OPTIONS", false, false),
        ])
    func invalidation(name: String, isDeclared: Bool, applies: Bool) throws {
        let method = MethodKind(try #require(HTTPRequest.Method(name)))
        let invalidated = CacheGroups.invalidated(
            by: method, isDeclared: isDeclared,
            fields: makeFields([
                "Cache-Group-Invalidation": "\"eurovision-results\", \"kylie-minogue\"",
                "Cache-Groups": "\"other\"",
            ]))
        #expect(invalidated == (applies ? ["eurovision-results", "kylie-minogue"] : []))
    }

    @Test("an invalid field invalidates nothing; none does neither")
    func noInvalidation() {
        for value in ["a", "\"a\", b", ""] {
            let fields = makeFields(["Cache-Group-Invalidation": value])
            #expect(CacheGroups.invalidated(by: .unsafe, isDeclared: false, fields: fields) == [])
        }
        #expect(
            CacheGroups.invalidated(by: .unsafe, isDeclared: false, fields: HTTPFields()) == [])
    }

    @Test(
        "§2.1 the same origin, however it is spelled",
        arguments: [
            ("http", "example.com", "http://example.com"),
            ("HTTP", "EXAMPLE.com:80", "http://example.com"),
            ("https", "example.com.:443", "https://example.com"),
            ("http", "example.com:443", "http://example.com:443"),
            ("https", "example.com:080", "https://example.com:80"),
            ("http", "[::1]:8080", "http://[::1]:8080"),
        ])
    func origins(scheme: String, authority: String, expected: String) {
        #expect(CacheGroups.origin(scheme: scheme, authority: authority) == expected)
    }

    @Test("the plan holds the groups, the fields keep the line")
    func plan() throws {
        let plan = try judge(["Cache-Control": "max-age=60", "Cache-Groups": "\"a\", \"b\""]).get()
        #expect(plan.groups == ["a", "b"])
        #expect(linesOf(plan.fields).contains("Cache-Groups: \"a\", \"b\""))
        #expect(try judge(["Cache-Control": "max-age=60"]).get().groups == [])
    }
}
