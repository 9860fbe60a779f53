import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §15.3.7 206 and §15.5.17 416 from the store")
struct RFC9110Section15PartialContentTests {
    private static let stored = makeFields([
        "Content-Type": "text/plain", "ETag": "\"a\"", "Content-Length": "10", "Date": "d",
        "Content-Range": "bytes 0-1/2", "X-A": "1", "x-a": "2", "Content-MD5": "m",
        "Content-Digest": "sha-256=:x:", "Repr-Digest": "sha-256=:x:", "Content-Encoding": "gzip",
        "Vary": "a", "Expires": "0", "Content-Location": "/c", "Cache-Control": "max-age=5",
    ])

    @Test("all fields but those that are true of the whole message only")
    func fields() throws {
        let range = try #require(ByteRange(first: 2, last: 5))
        let part = try #require(RepresentationPart(range: range, completeLength: 10))
        let kept = [
            "ETag: \"a\"", "Date: d", "X-A: 1", "x-a: 2", "Repr-Digest: sha-256=:x:",
            "Content-Encoding: gzip", "Vary: a", "Expires: 0", "Content-Location: /c",
            "Cache-Control: max-age=5",
        ]
        #expect(
            linesOf(PartialContent.fields(from: Self.stored, part: part))
                == ["Content-Type: text/plain"] + kept + ["Content-Range: bytes 2-5/10"])
        // RFC 9110 §15.3.7.2: no Content-Range in the head of a multipart
        #expect(linesOf(PartialContent.fields(from: Self.stored, part: nil)) == kept)
    }

    @Test("§14.6 multipart/byteranges")
    func multipart() throws {
        let first = try #require(ByteRange(first: 0, last: 1))
        let second = try #require(ByteRange(first: 7, last: 9))
        let text = MultipartByteRanges(
            seed: (1, .max), contentType: "text/plain", completeLength: 10)
        let boundary = "larder-0000000000000001ffffffffffffffff"
        #expect(text.mediaType == "multipart/byteranges; boundary=" + boundary)
        let whole = [
            try #require(text.head(of: first, isFirst: true)), "ab",
            try #require(text.head(of: second, isFirst: false)), "hij", text.end,
        ].joined()
        #expect(
            whole == """
                --\(boundary)\r
                Content-Type: text/plain\r
                Content-Range: bytes 0-1/10\r
                \r
                ab\r
                --\(boundary)\r
                Content-Type: text/plain\r
                Content-Range: bytes 7-9/10\r
                \r
                hij\r
                --\(boundary)--\r

                """)
        #expect(text.contentLength(of: [first, second]) == Int64(whole.utf8.count))
    }

    @Test("a part without a type has none; a range outside the whole has no head; sums saturate")
    func multipartEdges() throws {
        let range = try #require(ByteRange(first: 0, last: .max - 1))
        let unknown = MultipartByteRanges(seed: (0, 0), contentType: nil, completeLength: nil)
        #expect(
            unknown.head(of: range, isFirst: true)?.hasSuffix(
                "0\r\nContent-Range: bytes 0-9223372036854775806/*\r\n\r\n") == true)
        #expect(unknown.contentLength(of: [range, range]) == .max)
        let short = MultipartByteRanges(seed: (0, 0), contentType: nil, completeLength: 5)
        #expect(short.head(of: range, isFirst: true) == nil)
    }

    @Test(
        "§15.3.7.1 what a 206 brings",
        arguments: [
            ("bytes 0-4/10", "5", true), ("bytes 0-4/10", nil, true), ("bytes 0-4/10", "6", false),
            ("bytes 0-4/10", "05", false), ("bytes */10", "5", false), (nil, "5", false),
            ("bytes 0-4/3", "5", false), ("bytes 0-4/*", "5", true), ("bytes 0-4/10", "", false),
        ] as [(String?, String?, Bool)])
    func received(contentRange: String?, contentLength: String?, isPart: Bool) {
        var fields = HTTPFields()
        if let contentRange { fields[.contentRange] = contentRange }
        if let contentLength { fields[.contentLength] = contentLength }
        #expect((PartialContent.part(in: fields) != nil) == isPart)
    }
}
