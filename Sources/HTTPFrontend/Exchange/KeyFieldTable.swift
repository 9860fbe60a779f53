import CacheKeys
import HTTPCaching
import NIOHTTP1

/// The fields whose values are part of the key of POST and QUERY beside the content.
///
/// Found in one pass over the lines, without an array for each.
struct KeyFieldTable: Sendable {
    private struct Entry {
        var name: [UInt8]
        var place: Int
    }

    private let byLength: [[Entry]]
    /// In the order of the key.
    let names: [String]
    /// No value for any name.
    private let absent: [String?]
    private let acceptEncodingPlace: Int
    /// Lower-case names of all fields in the key and of those that carry credentials.
    let guarded: Set<String>

    /// - Parameters:
    ///   - own: lower-case names that the operator adds.
    ///   - credentials: lower-case names of fields that carry credentials.
    init(own: [String], credentials: [String]) {
        let names = KeyFields.standard + own
        guarded = Set(names + credentials)
        self.names = names
        absent = Array(repeating: nil, count: names.count)
        acceptEncodingPlace = names.firstIndex(of: KeyFields.acceptEncoding) ?? 0
        var table = [[Entry]](repeating: [], count: (names.map(\.utf8.count).max() ?? 0) + 1)
        for (place, name) in names.enumerated() {
            table[name.utf8.count].append(Entry(name: [UInt8](name.utf8), place: place))
        }
        byLength = table
    }

    /// Values in the order of `names`; several lines of a field are one value, codings
    /// are reduced to what they allow.
    func values(in headers: HTTPHeaders) -> [String?] {
        var fields = absent
        for (name, value) in headers {
            let length = name.utf8.count
            guard length < byLength.count else { continue }
            for entry in byLength[length] where name.equalsLowercase(entry.name) {
                fields[entry.place] = fields[entry.place].map { $0 + ", " + value } ?? value
            }
        }
        if let codings = fields[acceptEncodingPlace] {
            fields[acceptEncodingPlace] = AcceptEncoding.reduced([codings])
        }
        return fields
    }
}
