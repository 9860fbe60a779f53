import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §4.4 Invalidation")
struct RFC9111Section44InvalidationTests {
    @Test(
        "unsafe methods with answers that are no errors",
        arguments: [
            ("PUT", false, 200, true), ("DELETE", false, 204, true), ("POST", false, 201, true),
            ("POST", true, 200, false), ("PUT", true, 200, true), ("PATCH", false, 303, true),
            ("FOO", false, 200, true), ("get", false, 200, true), ("PUT", false, 399, true),
            ("PUT", false, 400, false), ("DELETE", false, 500, false), ("PUT", false, 199, false),
            ("PUT", false, 100, false), ("PUT", false, 0, false), ("GET", false, 200, false),
            ("HEAD", false, 200, false), ("OPTIONS", false, 200, false),
            ("TRACE", false, 200, false),
            ("QUERY", false, 200, false), ("QUERY", true, 200, false),
            ("PROPFIND", false, 207, false),
            ("REPORT", false, 200, false), ("SEARCH", false, 200, false),
            ("MKCOL", false, 201, true),
        ])
    func applies(name: String, isDeclared: Bool, status: Int, expected: Bool) throws {
        let method = MethodKind(try #require(HTTPRequest.Method(name)))
        #expect(
            Invalidation.applies(method: method, isDeclared: isDeclared, status: status) == expected
        )
    }

    @Test(
        "references of the same origin",
        arguments: [
            ("/new", ["/new"]), ("/new?q=1#f", ["/new?q=1"]), ("new", ["/a/new"]),
            ("?y", ["/a/b?y"]),
            ("../c", ["/c", "/a/../c"]), ("./c", ["/a/c", "/a/./c"]), ("..", ["/", "/a/.."]),
            ("../../../c", ["/c", "/a/../../../c"]), ("", []), ("#f", []), ("/a/b?x", []),
            ("http://example.com/new", ["/new"]), ("HTTP://EXAMPLE.COM/New", ["/New"]),
            ("http://example.com:80/new", ["/new"]), ("http://example.com:080/new", ["/new"]),
            ("http://example.com:/new", ["/new"]),
            ("http://example.com./new", ["/new"]), ("http://example.com.:80/new", ["/new"]),
            ("http://example.com", ["/"]), ("http://example.com?q", ["/?q"]),
            ("//example.com/new", ["/new"]),
            ("/x:y", ["/x:y"]), ("?a:b", ["/a/b?a:b"]), ("/%2e/b", ["/%2e/b"]),
            ("/a//b/", ["/a//b/"]),
            (" /new ", ["/new"]), ("http://example.com#f", ["/"]),
        ])
    func sameOrigin(reference: String, expected: [String]) {
        #expect(related(["Location": reference]) == expected)
        #expect(related(["Content-Location": reference]) == expected)
    }

    @Test(
        "references that leave the origin, or are none",
        arguments: [
            "https://example.com/new", "http://example.com:8080/new", "http://other.com/new",
            "//other.com/new", "http://example.com.evil/new", "http://user@example.com/new",
            "http://evil@example.com:80/new", "http:///new", "http:/new", "mailto:a@example.com",
            "http://example.com /new", "/a b", "/a\u{7F}b", "http://[::1]/new", ":80/new",
            "http://example.com:80:80/new", "http://example.com..:80/new",
        ])
    func otherOrigin(reference: String) {
        #expect(related(["Location": reference]) == [])
    }

    @Test(
        "the port and the brackets of an authority",
        arguments: [
            ("https", "example.com:8443", "https://example.com:8443/n", ["/n"]),
            ("https", "example.com:8443", "https://example.com/n", []),
            ("https", "example.com", "https://example.com:443/n", ["/n"]),
            ("https", "example.com", "https://example.com:80/n", []),
            ("http", "[::1]", "http://[::1]:80/n", ["/n"]), ("http", "[::1]", "//[::1]/n", ["/n"]),
            ("http", "[::1]:8080", "http://[::1]/n", []),
            ("http", "[::1]:8080", "http://[::1]:8080/n", ["/n"]),
            ("http", "[::1]:8080", "http://[::1]:08080/n", ["/n"]),
        ])
    func authorities(scheme: String, authority: String, location: String, expected: [String]) {
        let targets = Invalidation.relatedTargets(
            scheme: scheme, authority: authority, target: "/",
            fields: makeFields(["Location": location]))
        #expect(targets == expected)
    }

    @Test("both fields, every line, each target once")
    func several() {
        #expect(
            related([
                "Content-Location": "/c", "Location": "/l", "location": "/m", "Location": "/c",
                "X-Location": "/x",
            ]) == ["/l", "/m", "/c"])
    }

    @Test("a target that is no path resolves against the root", arguments: ["*", "", "x"])
    func oddTarget(target: String) {
        let targets = Invalidation.relatedTargets(
            scheme: "http", authority: "example.com", target: target,
            fields: makeFields(["Location": "n"]))
        #expect(targets == ["/n"])
    }

    private func related(_ lines: KeyValuePairs<String, String>) -> [String] {
        Invalidation.relatedTargets(
            scheme: "http", authority: "example.com", target: "/a/b?x", fields: makeFields(lines))
    }
}
