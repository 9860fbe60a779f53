import HTTPCaching
import HTTPTypes
import Testing

/// Which fields of a put are kept, and which a match gives back.
@Suite("Cache API put: fields")
struct CacheAPIPutFieldTests {
    @Test("order, letter case, duplicates and values stay as they came")
    func verbatim() {
        let fields: KeyValuePairs = [
            "x-b": "1", "Content-Type": "text/html", "ETAG": "W/\"a\"", "X-B": "2",
            "cache-control": "Max-Age=60,  public", "Link": "</a>", "Content-Encoding": "br",
            "Date": date(-30), "link": "</b>", "Vary": "Accept", "x-b": "",
            "Warning": "110 - \"x\"",
            "CDN-Cache-Control": "max-age=60", "Cloudflare-CDN-Cache-Control": "max-age=60",
            "Cache-Tag": "A, b", "Last-Modified": "junk",
        ]
        #expect(put(fields).kept == linesOf(makeFields(fields)))
    }

    @Test(
        "an entity tag is kept as it is", arguments: ["\"a\"", "W/\"a\"", "a", "\"\"", "\"a,b\""])
    func entityTags(value: String) {
        let stored = put(["Cache-Control": "max-age=60", "ETag": value])
        #expect(stored.kept == ["Cache-Control: max-age=60", "ETag: \(value)"])
    }

    @Test(
        "what ends at a hop, counts bytes or tells of another cache is not kept",
        arguments: [
            ("Age", "20"), ("age", "20"), ("CF-Cache-Status", "HIT"), ("cf-cache-status", "MISS"),
            ("Content-Length", "5"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
            ("Keep-Alive", "timeout=5"), ("TE", "trailers"), ("Trailer", "X"), ("Upgrade", "h2c"),
            ("Proxy-Authenticate", "Basic"), ("Proxy-Connection", "close"),
        ])
    func stripped(name: String, value: String) {
        var fields = makeFields(["Cache-Control": "max-age=60"])
        if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        fields.append(HTTPField(name: .server, value: "s"))
        #expect(fields.count == 3)
        let stored = PutRules.decide(status: 200, fields: fields, policy: .explicit, now: epoch)
        #expect(stored.kept == ["Cache-Control: max-age=60", "Server: s"])
    }

    @Test("fields that Connection names go with it")
    func nominated() {
        let fields: KeyValuePairs = [
            "Connection": "close, X-Hop", "X-Hop": "1", "X-End": "2", "Cache-Control": "max-age=60",
        ]
        #expect(put(fields).kept == ["X-End: 2", "Cache-Control: max-age=60"])
    }

    @Test(
        "a cookie keeps a response out unless it says that caches may drop it",
        arguments: [
            "max-age=60", "public, max-age=60", "public, s-maxage=60", "private=X-A, max-age=60",
            "no-cache=\"X-A, X-B\", max-age=60", "x=\"private=Set-Cookie\", max-age=60",
        ])
    func cookies(value: String) {
        for name in ["Set-Cookie", "set-cookie", "Set-Cookie2"] {
            var fields = makeFields(["Cache-Control": value])
            if let name = HTTPField.Name(name) {
                fields.append(HTTPField(name: name, value: "a=b"))
            }
            for policy in [PutPolicy.explicit, .zone] {
                let stored = PutRules.decide(
                    status: 200, fields: fields, policy: policy, now: epoch)
                #expect(stored.refusal == .setCookie)
            }
        }
    }

    @Test(
        "exactly the named fields are left out",
        arguments: [
            ("private=Set-Cookie", ["X-A: 1", "X-B: 2"]),
            ("private=\"Set-Cookie\"", ["X-A: 1", "X-B: 2"]),
            ("private=set-cookie", ["X-A: 1", "X-B: 2"]),
            ("Private=\"SET-COOKIE\"", ["X-A: 1", "X-B: 2"]),
            ("no-cache=Set-Cookie", ["X-A: 1", "X-B: 2"]),
            ("no-cache=\"set-cookie\"", ["X-A: 1", "X-B: 2"]),
            ("private=\"Set-Cookie, X-A\"", ["X-B: 2"]),
            ("private=\"X-B,set-cookie\"", ["X-A: 1"]),
            ("private=\" x-a , X-B ,Set-Cookie\"", []),
            ("private=\"Set-Cookie\", no-cache=\"X-B\"", ["X-A: 1"]),
            ("private=Set-Cookie, private=X-A", ["X-B: 2"]),
            ("private=\"Set-Cookie, X-Absent\"", ["X-A: 1", "X-B: 2"]),
        ])
    func named(directive: String, expected: [String]) {
        let control = "public, \(directive), max-age=60"
        let fields: KeyValuePairs = [
            "Set-Cookie": "a=b", "X-A": "1", "Cache-Control": control, "X-B": "2",
            "set-cookie": "c=d",
        ]
        let stored = put(fields)
        #expect(stored.kept?.filter { !$0.hasPrefix("Cache-Control") } == expected)
        #expect(stored.kept?.contains("Cache-Control: " + control) == true)
        #expect(stored.verdict == .success(60))
        // Where no lifetime counts, named fields are not kept either.
        let kept = put(fields, policy: .unlimited).kept
        #expect(kept?.filter { !$0.hasPrefix("Cache-Control") } == expected)
    }

    @Test("named fields alone are no refusal")
    func namedWithoutCookie() {
        for value in ["private=X-A, max-age=60", "no-cache=\"X-A\", max-age=60"] {
            let stored = put(["X-A": "1", "Cache-Control": value])
            #expect(stored.kept == ["Cache-Control: " + value])
        }
        let targeted: KeyValuePairs = [
            "Set-Cookie": "a=b", "CDN-Cache-Control": "private=(\"set-cookie\"), max-age=60",
        ]
        #expect(put(targeted).verdict == .success(60))
    }

    @Test("a match does not see what was for caches alone")
    func match() {
        let stored = makeFields([
            "X-A": "1", "Cache-Tag": "a", "Age": "5", "CDN-Cache-Control": "max-age=1",
            "cloudflare-cdn-cache-control": "max-age=2", "CF-Cache-Status": "HIT",
            "cache-tag": "b", "Cache-Control": "max-age=60", "x-a": "2",
        ])
        #expect(
            linesOf(PutRules.fieldsOfMatch(stored)) == [
                "X-A: 1", "CDN-Cache-Control: max-age=1", "Cache-Control: max-age=60", "x-a: 2",
            ])
        let plain = makeFields(["X-A": "1", "x-a": "2"])
        #expect(PutRules.fieldsOfMatch(plain) == plain)
    }

    @Test(
        "tags: lists and lines, without space, empty items, case and doubles",
        arguments: [
            (["a"], ["a"]), (["a,b"], ["a", "b"]), ([" a ,\tb,, ,c,"], ["a", "b", "c"]),
            (["A", "b,a,B"], ["a", "b"]), (["~!\"'/:;=@[]"], ["~!\"'/:;=@[]"]), ([""], []),
            ([",, ,"], []), ([], []),
            // What is no tag is dropped, its neighbours stay.
            (["a b,c", "d\u{E9},e"], ["c", "e"]),
        ])
    func tags(lines: [String], expected: [String]) throws {
        let name = try #require(HTTPField.Name("Cache-Tag"))
        var fields = makeFields(["Cache-Control": "max-age=60"])
        for line in lines { fields.append(HTTPField(name: name, value: line)) }
        #expect(CacheTags.tags(in: fields) == expected)
        #expect(
            CacheTags.normalized(lines.flatMap { $0.split(separator: ",").map(String.init) })
                == expected)
    }

    @Test("tags: so long, so many, so large")
    func tagLimits() {
        let longest = String(repeating: "x", count: 1024)
        #expect(CacheTags.normalized([longest + "x", longest, "a"]) == [longest, "a"])
        #expect(CacheTags.normalized(["a\u{7F}", "a\u{0}b", "b,c", "d"]) == ["d"])
        let many = (0..<1500).map { "\($0)" }
        #expect(CacheTags.normalized(many) == Array(many.prefix(1000)))
        let large = (0..<20).map { "\(10 + $0)" + String(repeating: "x", count: 1021) }
        #expect(CacheTags.normalized(large) == Array(large.prefix(16)))
    }
}
