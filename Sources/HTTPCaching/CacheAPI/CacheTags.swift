package import HTTPTypes

/// What a response is called for purging in groups: the lines of Cache-Tag.
package enum CacheTags {
    static let name = HTTPField.Name("Cache-Tag")

    /// More bytes than this in one field, and more tags than that, count for nothing.
    private static let byteCountMax = 16 << 10
    private static let countMax = 1000
    private static let lengthMax = 1024

    /// The tags of a response, lower-cased, each once; what is no tag is dropped.
    package static func tags(in fields: HTTPFields) -> [String] {
        guard let name else { return [] }
        let lines = fields[values: name]
        if lines.isEmpty { return [] }
        return normalized(lines.flatMap { $0.split(separator: ",").map(String.init) })
    }

    /// Tags as they are compared: case does not matter, printable ASCII without spaces only.
    package static func normalized(_ tags: [String]) -> [String] {
        var seen: Set<String> = []
        var result: [String] = []
        var bytes = 0
        for tag in tags {
            guard let lower = normalized(tag) else { continue }
            bytes += lower.utf8.count + 1
            guard bytes <= byteCountMax, result.count < countMax else { break }
            if seen.insert(lower).inserted { result.append(lower) }
        }
        return result
    }

    private static func normalized(_ tag: String) -> String? {
        let text = FieldSyntax.trimmed(tag)
        guard (1...lengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x2C })
        else { return nil }
        return FieldSyntax.lowercased(text)
    }

    /// Tags whose responses are to be deleted, any number of them; nil when one of them is none, and
    /// so could not be meant.
    package static func forDeletion(_ tags: [String]) -> [String]? {
        let all = tags.compactMap(normalized)
        return all.count == tags.count ? all : nil
    }

    static func serialized(_ tags: [String]) -> String {
        normalized(tags).joined(separator: ",")
    }
}
