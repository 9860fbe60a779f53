import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9111 §3.1 Storing header fields")
struct RFC9111Section31FieldsTests {
    private func kept(
        _ lines: KeyValuePairs<String, String>, _ mode: SetCookieMode = .refuse
    ) throws -> [String] {
        linesOf(try judge(lines, policy: StoragePolicy(setCookie: mode)).get().fields)
    }

    @Test("lines, order and case as received, fields of the hop left out")
    func asReceived() throws {
        let lines = try kept([
            "x-A": "1", "Cache-Control": "max-age=60", "Connection": "X-Hop", "X-hop": "2",
            "X-a": " 3", "Transfer-Encoding": "chunked", "Proxy-Status": "p", "Content-Length": "3",
        ])
        #expect(
            lines == [
                "x-A: 1", "Cache-Control: max-age=60", "X-a: 3", "Proxy-Status: p",
                "Content-Length: 3",
            ])
    }

    @Test(
        "§5.2.2.4, §5.2.2.7 the fields named by private and no-cache",
        arguments: [
            "private=\"A, b\"", "no-cache=\"a,B\"", "private=a, no-cache=b",
            "private=\"A\", no-cache=\"B\"",
            "PRIVATE=\" a ,, \", no-cache=\"b\"",
        ])
    func qualified(value: String) throws {
        let control = value + ", max-age=60"
        let lines = try kept(["a": "1", "B": "2", "c": "3", "A": "4", "Cache-Control": control])
        #expect(lines == ["c: 3", "Cache-Control: " + control])
    }

    @Test("the qualified forms restrict nothing but their fields")
    func qualifiedIsFresh() {
        let verdict = judge(["Cache-Control": "no-cache=\"x\", private=\"y\", max-age=60"])
        #expect(verdict.lifetime == 60)
        #expect(verdict.terms?.flags == [])
    }

    @Test(
        "Set-Cookie by mode",
        arguments: [
            (.refuse, .setCookie), (.strip, nil), (.store, nil),
        ] as [(SetCookieMode, NoStoreReason?)])
    func setCookie(mode: SetCookieMode, expected: NoStoreReason?) {
        let policy = StoragePolicy(setCookie: mode)
        for name in ["Set-Cookie", "SET-COOKIE", "Set-Cookie2"] {
            let verdict = judge(
                [name: "a=b", "Cache-Control": "public, max-age=60"], policy: policy)
            #expect(verdict.refusal == expected)
            let isKept = try? verdict.get().fields.contains { $0.value == "a=b" }
            #expect(isKept == (expected == nil ? mode == .store : nil))
        }
    }

    @Test("a cookie the answer itself keeps from stores is no reason to refuse")
    func namedCookie() throws {
        let control = "no-cache=\"Set-Cookie\", max-age=60"
        #expect(
            try kept(["Set-Cookie": "a=b", "Cache-Control": control]) == [
                "Cache-Control: " + control
            ])
    }
}
