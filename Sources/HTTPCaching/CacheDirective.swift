/// One member of a Cache-Control field (RFC 9111 §5.2).
struct CacheDirective {
    /// Lower-cased.
    let name: String
    let argument: Argument

    enum Argument: Equatable {
        case none
        /// The bytes of a token or of a quoted-string.
        case value([UInt8])
        /// Something stood there that is neither.
        case junk
    }

    /// All directives of all lines, in order; what has no name is dropped.
    ///
    /// Quoted strings are values and hold no directives; behind a quote that is never closed only
    /// what restricts is heard.
    static func all(in lines: [String]) -> [CacheDirective] {
        lines.flatMap { line in
            let members = FieldSyntax.members(of: line.utf8)
            return members.compactMap { parsed($0) } + hiddenRestrictions(in: members.last ?? [])
        }
    }

    private static let restrictions: Set<String> = [
        "must-revalidate", "no-cache", "no-store", "no-transform", "private", "proxy-revalidate",
    ]

    private static func hiddenRestrictions(in member: ArraySlice<UInt8>) -> [CacheDirective] {
        guard let quote = FieldSyntax.unclosedQuote(in: member) else { return [] }
        return member[(quote + 1)...].split(separator: 0x2C).compactMap { piece in
            let word = piece.drop { !FieldSyntax.isTokenByte($0) }
                .prefix(while: FieldSyntax.isTokenByte)
            let name = FieldSyntax.lowercased(word)
            return restrictions.contains(name) ? CacheDirective(name: name, argument: .none) : nil
        }
    }

    // RFC 9111 §5.2: cache-directive = token [ "=" ( token / quoted-string ) ]
    private static func parsed(_ member: ArraySlice<UInt8>) -> CacheDirective? {
        // `max-age =60` or `no-store;` still means a known directive: junk must not free it.
        let word = member.prefix(while: FieldSyntax.isTokenByte)
        guard !word.isEmpty else { return nil }
        let name = FieldSyntax.lowercased(word)
        let rest = member[word.endIndex...]
        if rest.isEmpty { return CacheDirective(name: name, argument: .none) }
        let value = rest.dropFirst()
        guard rest.first == 0x3D else { return CacheDirective(name: name, argument: .junk) }
        if FieldSyntax.isToken(value) {
            return CacheDirective(name: name, argument: .value(Array(value)))
        }
        guard let content = FieldSyntax.unquoted(value) else {
            return CacheDirective(name: name, argument: .junk)
        }
        return CacheDirective(name: name, argument: .value(content))
    }

    /// Digits as seconds, saturating; nil for junk and for no argument.
    var seconds: Int64? {
        guard case .value(let bytes) = argument else { return nil }
        return FieldSyntax.deltaSeconds(bytes)
    }

    /// The lower-cased field names of `private="..."`; nil when it means the whole answer.
    ///
    /// A list that is empty or not of names means the whole answer: the stricter reading.
    var fieldNames: [String]? {
        guard case .value(let bytes) = argument else { return nil }
        let names = FieldSyntax.members(of: bytes)
        guard !names.isEmpty, names.allSatisfy({ FieldSyntax.isToken($0) }) else { return nil }
        return names.map { FieldSyntax.lowercased($0) }
    }
}
