import HTTPCaching
import NIOHTTP1

/// The fields whose values are part of the key of POST and QUERY beside the content.
///
/// Found in one pass over the lines, without an array for each.
struct KeyFieldTable: Sendable {
    /// What origins choose an answer to POST by, in the order of the key.
    static let standard = [
        "content-type", "content-encoding", "content-language", "accept", "accept-language",
        acceptEncoding, "origin",
    ]
    private static let acceptEncoding = "accept-encoding"

    private struct Entry {
        var name: [UInt8]
        var place: Int
    }

    private let byLength: [[Entry]]
    /// Every name in the order of the key, without a value.
    private let absent: [(name: String, value: String?)]
    private let acceptEncodingPlace: Int
    /// Lower-case names of all fields in the key and of those that carry credentials.
    let guarded: Set<String>

    /// - Parameters:
    ///   - own: lower-case names that the operator adds.
    ///   - credentials: lower-case names of fields that carry credentials.
    init(own: [String], credentials: [String]) {
        let names = Self.standard + own
        guarded = Set(names + credentials)
        absent = names.map { ($0, nil) }
        acceptEncodingPlace = names.firstIndex(of: Self.acceptEncoding) ?? 0
        var table = [[Entry]](repeating: [], count: (names.map(\.utf8.count).max() ?? 0) + 1)
        for (place, name) in names.enumerated() {
            table[name.utf8.count].append(Entry(name: [UInt8](name.utf8), place: place))
        }
        byLength = table
    }

    /// Names and values in the order of the key; several lines of a field are one value, codings
    /// are reduced to what they allow.
    func values(in headers: HTTPHeaders) -> [(name: String, value: String?)] {
        var fields = absent
        for (name, value) in headers {
            let length = name.utf8.count
            guard length < byLength.count else { continue }
            for entry in byLength[length] where name.equalsLowercase(entry.name) {
                let earlier = fields[entry.place].value
                fields[entry.place].value = earlier.map { $0 + ", " + value } ?? value
            }
        }
        if let codings = fields[acceptEncodingPlace].value {
            fields[acceptEncodingPlace].value = AcceptEncoding.reduced([codings])
        }
        return fields
    }
}
