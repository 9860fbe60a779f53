/// The text around the parts of a multipart/byteranges (RFC 9110 §14.6).
package struct MultipartByteRanges: Sendable, Equatable {
    private let boundary: String
    private let contentType: String?
    private let completeLength: Int64?

    /// - Parameters:
    ///   - seed: two random words; the boundary must not be foreseen by who wrote the content.
    ///   - contentType: the stored response's, which each part repeats.
    ///   - completeLength: of the representation.
    package init(seed: (UInt64, UInt64), contentType: String?, completeLength: Int64?) {
        boundary = "larder-" + Self.hexadecimal(seed.0) + Self.hexadecimal(seed.1)
        self.contentType = contentType
        self.completeLength = completeLength
    }

    /// The Content-Type of the 206.
    package var mediaType: String { "multipart/byteranges; boundary=" + boundary }

    /// What stands before a part's bytes; `nil` for a range outside the representation.
    package func head(of range: ByteRange, isFirst: Bool) -> String? {
        RepresentationPart(range: range, completeLength: completeLength).map { part in
            var text = (isFirst ? "--" : "\r\n--") + boundary + "\r\n"
            // RFC 9110 §15.3.7.2: each part has the type the whole would have, and its range
            if let contentType { text += "Content-Type: " + contentType + "\r\n" }
            return text + "Content-Range: " + ContentRange.part(part).fieldValue + "\r\n\r\n"
        }
    }

    /// What stands behind the last part's bytes.
    package var end: String { "\r\n--" + boundary + "--\r\n" }

    /// The Content-Length of the 206, saturating.
    package func contentLength(of ranges: [ByteRange]) -> Int64 {
        var length = Int64(end.utf8.count)
        for (index, range) in ranges.enumerated() {
            let head = head(of: range, isFirst: index == 0) ?? ""
            length = ReuseTerms.sum(length, Int64(head.utf8.count))
            length = ReuseTerms.sum(length, range.count)
        }
        return length
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
