internal import HTTPTypes
internal import StructuredFieldValues

/// Cache-Control for us alone (RFC 9213): the first valid field of the target list.
enum TargetedCacheControl {
    // RFC 9213 §2.2: our own field first
    private static let targets = ["Larder-Cache-Control", "CDN-Cache-Control"]
        .compactMap { HTTPField.Name($0) }

    /// The directives that replace Cache-Control and Expires; nil where no targeted field is valid.
    ///
    /// - Parameter ignoresCase: as edge caches read them; in a dictionary of RFC 8941 keys are
    ///   lower-case.
    static func directives(
        in fields: HTTPFields, targets: [HTTPField.Name] = targets, ignoresCase: Bool = false
    ) -> ResponseCacheControl? {
        for name in targets {
            var lines = fields[values: name]
            guard !lines.isEmpty else { continue }
            if ignoresCase { lines = lines.map { FieldSyntax.lowercased($0.utf8) } }
            if let directives = parse(lines) { return directives }
        }
        return nil
    }

    // RFC 9213 §2.1: empty or not a dictionary counts as absent
    static func parse(_ lines: [String]) -> ResponseCacheControl? {
        let joined = Array(lines.joined(separator: ",").utf8)
        guard joined.contains(where: { !FieldSyntax.isWhitespace($0) }) else { return nil }
        return try? StructuredFieldValueDecoder().decode(TargetedDirectives.self, from: joined)
            .value
    }
}

/// The dictionary, read member by member so that one of a wrong type does not spoil the others.
private struct TargetedDirectives: StructuredFieldValue {
    static var structuredFieldType: StructuredFieldType { .dictionary }

    var value = ResponseCacheControl()

    private enum CodingKeys: String, CodingKey {
        case noStore = "no-store"
        case noCache = "no-cache"
        case `private`
        case `public`
        case mustRevalidate = "must-revalidate"
        case proxyRevalidate = "proxy-revalidate"
        case mustUnderstand = "must-understand"
        case noTransform = "no-transform"
        case immutable
        case maxAge = "max-age"
        case sMaxAge = "s-maxage"
        case staleWhileRevalidate = "stale-while-revalidate"
        case staleIfError = "stale-if-error"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        // A restriction holds unless it is said to be false; a permission only if it is true.
        let restrictions: [(CodingKeys, ResponseCacheControl.Flags)] = [
            (.noStore, .noStore), (.mustRevalidate, .mustRevalidate),
            (.proxyRevalidate, .proxyRevalidate), (.noTransform, .noTransform),
        ]
        for (key, flag) in restrictions
        where members.contains(key) && Self.boolean(key, in: members) != false {
            value.flags.insert(flag)
        }
        let permissions: [(CodingKeys, ResponseCacheControl.Flags)] = [
            (.public, .public), (.mustUnderstand, .mustUnderstand), (.immutable, .immutable),
        ]
        for (key, flag) in permissions where Self.boolean(key, in: members) == true {
            value.flags.insert(flag)
        }
        readNames(.noCache, in: members, .noCache, \.noCacheFields)
        readNames(.private, in: members, .private, \.privateFields)
        value.maxAge = Self.seconds(.maxAge, in: members)
        value.sMaxAge = Self.seconds(.sMaxAge, in: members)
        value.staleWhileRevalidate = Self.seconds(.staleWhileRevalidate, in: members)
        value.staleIfError = Self.seconds(.staleIfError, in: members)
    }

    func encode(to encoder: any Encoder) throws {}

    private typealias Members = KeyedDecodingContainer<CodingKeys>

    private static func boolean(_ key: CodingKeys, in members: Members) -> Bool? {
        guard members.contains(key) else { return nil }
        return try? members.decode(Bool.self, forKey: key)
    }

    // RFC 9111 §4.2.1: what is there but is no number of seconds is stale
    private static func seconds(_ key: CodingKeys, in members: Members) -> Int64? {
        guard members.contains(key) else { return nil }
        guard let number = try? members.decode(Int.self, forKey: key) else { return 0 }
        return min(max(0, Int64(number)), FieldSyntax.deltaSecondsMax)
    }

    // RFC 9213 §2.1: #field-name is an inner list; a string as in Cache-Control is taken too
    private mutating func readNames(
        _ key: CodingKeys, in members: Members, _ flag: ResponseCacheControl.Flags,
        _ fields: WritableKeyPath<ResponseCacheControl, [String]>
    ) {
        guard members.contains(key), Self.boolean(key, in: members) != false else { return }
        var names = (try? members.decode([String].self, forKey: key)) ?? []
        if names.isEmpty, let list = try? members.decode(String.self, forKey: key) {
            names = FieldSyntax.members(of: list.utf8).map { FieldSyntax.lowercased($0) }
        }
        if names.isEmpty || !names.allSatisfy({ FieldSyntax.isToken($0.utf8) }) {
            value.flags.insert(flag)
        } else {
            value.insert(names.map { FieldSyntax.lowercased($0) }, flag, fields)
        }
    }
}
