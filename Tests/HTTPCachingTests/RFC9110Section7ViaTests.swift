import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §7.6.3 Via")
struct RFC9110Section7ViaTests {
    @Test(
        "our own name anywhere is a circle",
        arguments: [
            ["1.1 larder-7f"], ["1.0 fred, 1.1 larder-7f"], ["1.0 fred", "1.1 larder-7f"],
            ["HTTP/1.1 LARDER-7F (a comment)"], ["1.1\tlarder-7f"], ["1.1  larder-7f:8080"],
            [", 1.1 larder-7f,"], ["1.1 fred (a comment, 1.1 larder-7f"],
            ["1.1 larder-7f(x)"], ["1.1 a (b, c), 1.1 larder-7f"],
        ])
    func circle(lines: [String]) {
        #expect(Via.isLoop(lines, pseudonym: "larder-7f"))
    }

    @Test(
        "names that only look like it are others",
        arguments: [
            [], [""], [","], ["1.0 fred, 1.1 p.example.net"], ["1.1 larder-7f0"],
            ["1.1 xlarder-7f"],
            ["larder-7f"], ["1.1 (larder-7f)"], ["1.1 fred (larder-7f)"], ["1.1 fred larder-7f"],
            ["1.1 l\u{E4}rder-7f"], ["1.1"], ["1.1 "],
        ])
    func others(lines: [String]) {
        #expect(!Via.isLoop(lines, pseudonym: "larder-7f"))
    }

    @Test("ten proxies are not too many, eleven are; commas in comments are none")
    func hops() {
        func line(_ count: Int) -> String {
            (0..<count).map { "1.1 p\($0) (a, \"b\", c)" }.joined(separator: ", ")
        }
        #expect(!Via.isLoop([line(10)], pseudonym: "x"))
        #expect(Via.isLoop([line(11)], pseudonym: "x"))
        #expect(!Via.isLoop([line(4), line(6)], pseudonym: "x"))
        #expect(Via.isLoop([line(4), line(7)], pseudonym: "x"))
        #expect(!Via.isLoop(["1.1 a (\\), 1.1 b, 1.1 c)"], pseudonym: "x"))
        #expect(!Via.isLoop([String(repeating: ", ,", count: 5000)], pseudonym: "x"))
        // A comment without an end hides nobody.
        let open = "1.1 a (" + String(repeating: ", 1.1 b", count: 11)
        #expect(Via.isLoop([open], pseudonym: "x"))
    }

    @Test("our entry")
    func member() {
        #expect(Via.member(pseudonym: "larder") == "1.1 larder")
        #expect(Via.member(pseudonym: "larder", isHTTP10: true) == "1.0 larder")
    }
}

@Suite("RFC 9110 §15.2 Informational answers, §6.5 trailer fields")
struct RFC9110Section15InformationalTests {
    @Test(
        "what becomes of them",
        arguments: [
            (100, 1, .consume), (101, 1, .refuse), (102, 1, .forward), (103, 1, .forward),
            (103, 10, .forward), (103, 11, .refuse), (100, 11, .refuse), (104, 1, .forward),
            (199, 1, .forward), (99, 1, .refuse), (200, 1, .refuse), (0, 1, .refuse),
            (-1, 1, .refuse), (103, .max, .refuse),
        ] as [(Int, Int, Informational)])
    func handling(status: Int, count: Int, expected: Informational) {
        #expect(
            Informational.handling(status: status, count: count, isClientHTTP10: false) == expected)
    }

    @Test("a client of HTTP/1.0 gets none")
    func http10() {
        #expect(Informational.handling(status: 103, count: 1, isClientHTTP10: true) == .consume)
        #expect(Informational.handling(status: 101, count: 1, isClientHTTP10: true) == .refuse)
    }

    @Test("none is ever stored", arguments: [100, 102, 103, 199])
    func neverStored(status: Int) {
        #expect(judge(["Cache-Control": "max-age=60"], status: status).refusal == .status)
    }

    @Test("§6.5.1 trailer fields that travel on")
    func trailers() {
        let trailers = makeFields([
            "X-Checksum": "1", "Content-Length": "5", "transfer-encoding": "chunked",
            "ETag": "\"a\"",
            "Set-Cookie": "a=b", "Cache-Control": "max-age=1", "Server-Timing": "a", "Host": "b",
            "x-checksum": "2", "Content-Digest": "d", "If-Match": "*", "Trailer": "x", "Vary": "*",
        ])
        #expect(
            linesOf(Trailers.forwarded(trailers)) == [
                "X-Checksum: 1", "ETag: \"a\"", "Server-Timing: a", "x-checksum: 2",
                "Content-Digest: d",
            ])
    }

    @Test(
        "§10.1.4 who wants them",
        arguments: [
            (["trailers"], true), (["gzip, Trailers"], true), (["gzip", "trailers"], true),
            ([], false), ([""], false), (["trailers;q=0"], false), (["trailer"], false),
        ] as [([String], Bool)])
    func accepted(te: [String], expected: Bool) {
        #expect(Trailers.isAccepted(te: te) == expected)
    }
}
