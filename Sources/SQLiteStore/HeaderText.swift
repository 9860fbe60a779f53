import HTTPTypes

/// Fields as the text of a row: `Name: value` lines, each ended by CR LF, bytes as received.
enum HeaderText {
    static func append(_ fields: HTTPFields, to bytes: inout [UInt8]) {
        for field in fields {
            bytes.append(contentsOf: field.name.rawName.utf8)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(UInt8(ascii: " "))
            field.withUnsafeBytesOfValue { bytes.append(contentsOf: $0) }
            bytes.append(UInt8(ascii: "\r"))
            bytes.append(UInt8(ascii: "\n"))
        }
    }

    /// The fields of a row, or `nil` when the text is anything but what `append` writes: a stray
    /// CR, LF or NUL, a name that is no token (RFC 9110 §5.6.2), a missing separator.
    static func fields(_ text: UnsafeRawBufferPointer) -> HTTPFields? {
        var fields = HTTPFields()
        var start = text.startIndex
        while start < text.endIndex {
            guard fields.count < countMax,
                let end = text[start...].firstIndex(of: UInt8(ascii: "\r")),
                end + 1 < text.endIndex, text[end + 1] == UInt8(ascii: "\n"),
                let field = field(text[start..<end])
            else { return nil }
            fields.append(field)
            start = end + 2
        }
        return fields
    }

    /// Below what `HTTPFields` takes without a trap, above what any head may have.
    private static let countMax = 40_000

    private static func field(_ line: Slice<UnsafeRawBufferPointer>) -> HTTPField? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            colon + 1 < line.endIndex, line[colon + 1] == UInt8(ascii: " "),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else { return nil }
        let value = line[(colon + 2)...]
        // RFC 9110 §5.5: CR, LF and NUL in a value are dangerous. CR ended the line already.
        guard !value.contains(where: { $0 == UInt8(ascii: "\n") || $0 == 0 }) else { return nil }
        return HTTPField(name: name, lenientValue: value)
    }
}
