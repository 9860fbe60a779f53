import HTTPCaching
import Testing

@Suite("RFC 9110 §12.5.3 Accept-Encoding in keys")
struct RFC9110Section12EncodingTests {
    @Test(
        "the codings a client allows",
        arguments: [
            ([], ""), ([""], ""), (["gzip"], "gzip"), (["gzip, br"], "br,gzip"),
            (["br", "GZIP"], "br,gzip"), (["gzip;q=1.0, br;q=0.8"], "br,gzip"),
            (["gzip ; q=0.001"], "gzip"), (["gzip;q=0, br"], "br"), (["gzip;q=0.000"], ""),
            (["x-gzip, x-compress"], "compress,gzip"), (["x-gzip, gzip"], "gzip"),
            (["identity"], ""), (["identity;q=0"], "identity;q=0"), (["*"], "*"),
            (["*;q=0"], "identity;q=0"), (["identity;q=0.5, *;q=0"], ""),
            (["*, br;q=0"], "*,br;q=0"), (["br, *;q=0"], "br,identity;q=0"),
            (["gzip, gzip"], "gzip"), ([" gzip ,, "], "gzip"),
        ] as [([String], String)])
    func reduced(lines: [String], expected: String) {
        #expect(AcceptEncoding.reduced(lines) == expected)
    }

    @Test(
        "what is no list of codings stays as it came",
        arguments: [
            (["gzip;q=2"], "gzip;q=2"), (["gzip;q=0.1234"], "gzip;q=0.1234"),
            (["gzip;level=1"], "gzip;level=1"), (["gz ip"], "gz ip"),
            (["gzip;q=1, gzip;q=0"], "gzip;q=1, gzip;q=0"),
            (["gzip;q="], "gzip;q="), (["gzip;q=1;q=1"], "gzip;q=1;q=1"),
            (["gzip;q=1.001"], "gzip;q=1.001"), (["é"], "é"), ([" a b ", "c"], "a b, c"),
        ] as [([String], String)])
    func junk(lines: [String], expected: String) {
        #expect(AcceptEncoding.reduced(lines) == expected)
    }

    @Test("a list of thousands is junk, not work")
    func many() {
        let line = (0..<5000).map { "c\($0)" }.joined(separator: ", ")
        #expect(AcceptEncoding.reduced([line]) == line)
    }
}
