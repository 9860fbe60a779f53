/// The request fields that the gate or the cache looks at; found in one pass over the lines.
enum KnownField: UInt8 {
    case host, transferEncoding, contentLength, connection, upgrade, expect, via, te
    case cacheControl, pragma, cookie, range
    case ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince, ifRange
    /// A credential other than Cookie.
    case credential
}

/// Field names by length, compared without regard to ASCII case and without allocation.
struct FieldTable: Sendable {
    private struct Entry {
        var name: [UInt8]
        var field: KnownField
    }

    private let byLength: [[Entry]]

    /// - Parameter credentials: lower-case names of credential fields besides Cookie.
    init(credentials: [String]) {
        var entries: [Entry] = Self.standard.map { Entry(name: [UInt8]($0.0.utf8), field: $0.1) }
        for name in credentials where name != "cookie" {
            entries.append(Entry(name: [UInt8](name.utf8), field: .credential))
        }
        let longest = entries.map(\.name.count).max() ?? 0
        var table = [[Entry]](repeating: [], count: longest + 1)
        for entry in entries { table[entry.name.count].append(entry) }
        byLength = table
    }

    private static let standard: [(String, KnownField)] = [
        ("host", .host), ("transfer-encoding", .transferEncoding),
        ("content-length", .contentLength), ("connection", .connection), ("upgrade", .upgrade),
        ("expect", .expect), ("via", .via), ("te", .te),
        ("cache-control", .cacheControl), ("pragma", .pragma),
        ("cookie", .cookie), ("range", .range), ("if-match", .ifMatch),
        ("if-none-match", .ifNoneMatch), ("if-modified-since", .ifModifiedSince),
        ("if-unmodified-since", .ifUnmodifiedSince), ("if-range", .ifRange),
    ]

    func field(named name: String) -> KnownField? {
        let length = name.utf8.count
        guard length < byLength.count else { return nil }
        for entry in byLength[length] where name.equalsLowercase(entry.name) {
            return entry.field
        }
        return nil
    }
}

extension String {
    /// Whether this is `lowercase` up to ASCII letter case; bytes, never canonical equivalence.
    func equalsLowercase(_ lowercase: [UInt8]) -> Bool {
        guard utf8.count == lowercase.count else { return false }
        return zip(utf8, lowercase).allSatisfy { byte, expected in
            byte == expected || (byte | 0x20 == expected && expected >= UInt8(ascii: "a"))
        }
    }

    /// Whether this is `other` up to ASCII letter case.
    func equalsIgnoringCase(_ other: StaticString) -> Bool {
        other.withUTF8Buffer { expected in
            utf8.count == expected.count
                && zip(utf8, expected).allSatisfy { $0.asciiLowercased == $1.asciiLowercased }
        }
    }

    /// Whether NIO's decoder put U+FFFD in place of bytes that were not UTF-8, which makes
    /// different bytes equal.
    var isRepaired: Bool {
        var previous: (UInt8, UInt8) = (0, 0)
        for byte in utf8 {
            if previous == (0xEF, 0xBF), byte == 0xBD { return true }
            previous = (previous.1, byte)
        }
        return false
    }
}

extension UInt8 {
    var asciiLowercased: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self | 0x20 : self
    }
}
