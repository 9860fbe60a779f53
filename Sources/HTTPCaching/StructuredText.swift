internal import StructuredFieldValues

/// Pieces of structured fields (RFC 9651) as text.
enum StructuredText {
    /// A string, without the bytes that a string cannot hold. RFC 9651 §3.3.3
    static func string(_ text: String) -> String {
        var quoted: [UInt8] = [0x22]
        for byte in text.utf8 where byte >= 0x20 && byte < 0x7F {
            if byte == 0x22 || byte == 0x5C { quoted.append(0x5C) }
            quoted.append(byte)
        }
        return String(decoding: quoted + [0x22], as: UTF8.self)
    }

    /// A token where the text is one, else a string. RFC 9651 §3.3.4
    static func tokenOrString(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let starts = bytes.first.map { $0 == 0x2A || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
        let isTokenByte = { (byte: UInt8) in
            FieldSyntax.isTokenByte(byte) || byte == 0x3A || byte == 0x2F
        }
        return starts == true && bytes.allSatisfy(isTokenByte) ? text : string(text)
    }

    /// An integer, fifteen digits at most. RFC 9651 §3.3.1
    static func integer(_ value: Int64) -> String {
        String(min(max(value, -999_999_999_999_999), 999_999_999_999_999))
    }

    /// The strings and tokens of a list, parameters dropped; nil when it is no such list.
    /// RFC 9651 §4.2
    static func list(_ lines: [String]) -> [String]? {
        let joined = Array(lines.joined(separator: ",").utf8)
        return try? StructuredFieldValueDecoder().decode(TextList.self, from: joined).items
    }

    /// The strings of a list; nil when any member is something else.
    static func stringList(_ lines: [String]) -> [String]? {
        guard let list = list(lines) else { return nil }
        let members = lines.flatMap { FieldSyntax.members(of: $0.utf8) }
        return members.allSatisfy { $0.first == 0x22 } ? list : nil
    }
}

private struct TextList: StructuredFieldValue {
    static var structuredFieldType: StructuredFieldType { .list }

    var items: [String]
}
