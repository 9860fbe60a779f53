extension ValueFormat where Value == String {
    /// A path in the file system.
    static var file: Self {
        ValueFormat(expected: "the path of a file", parse: { nonEmpty($0) }, render: { $0 })
    }

    /// The path of the database: a real file, not one of SQLite's special names.
    static var database: Self {
        ValueFormat(
            expected: "the path of a file (neither :memory: nor a file: URI)",
            parse: { text in
                text.hasPrefix(":") || text.lowercased().hasPrefix("file:") ? nil : nonEmpty(text)
            },
            render: { $0 })
    }

    /// The name of a header field, lower-cased.
    static var fieldName: Self {
        ValueFormat(
            expected: "the name of a header field such as X-Tenant",
            parse: { text in
                // RFC 9110 §5.6.2
                let isToken = text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"):
                        true
                    default:
                        "!#$%&'*+-.^_`|~".utf8.contains(byte)
                    }
                }
                return isToken && !text.isEmpty ? text.lowercased() : nil
            },
            render: { $0 })
    }

    /// An authority that is served: a name or address, with a port when it is not the default.
    static var hostName: Self {
        ValueFormat(
            expected: "a host such as example.com or example.com:8080",
            parse: { text in
                guard let parts = HostAndPort(text), parts.port != 0 else { return nil }
                return text.lowercased()
            },
            render: { $0 })
    }

    /// A pattern of raw paths.
    static var pathGlob: Self {
        ValueFormat(
            expected: "a path that begins with '/', where '*' stands for one whole segment and"
                + " '**' only at the end for any number: /search, /v1/*, /api/**",
            parse: { isPathGlob($0) ? $0 : nil },
            render: { $0 })
    }

    private static func isPathGlob(_ text: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "/") else { return false }
        let isPath = text.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"?#\\".utf8.contains(byte)
        }
        // No path with one of these ever matches, so a pattern with one is a mistake.
        let lower = text.lowercased()
        guard isPath, !lower.contains("%2e"), !lower.contains("%2f"), !lower.contains("//") else {
            return false
        }
        let segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        return segments.enumerated().allSatisfy { index, segment in
            switch segment {
            case "*": true
            case "**": index == segments.count - 1
            case ".", "..": false
            default: !segment.contains("*")
            }
        }
    }

    private static func nonEmpty(_ text: String) -> String? {
        text.isEmpty ? nil : text
    }
}
