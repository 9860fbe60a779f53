/// What names a response that a program puts and matches: a URL in normal form, or a key of the
/// program's own.
///
/// Scheme and host are lower-case, the scheme's own port and the fragment are gone; path and query
/// stay byte for byte. A key of one's own has neither scheme nor authority, so it equals no URL.
package struct CacheURL: Sendable, Hashable {
    package let scheme: String
    package let authority: String
    /// Path and query; the whole text of a key of one's own.
    package let target: String

    /// Bytes of a URL or key: more than this names nothing.
    package static let lengthMax = 64 << 10

    /// A URL from its text; nil when it is not absolute or names no host.
    ///
    /// The grammar is that of the workers' runtime: `scheme://`, then a host of letters, digits and
    /// `-._:[]`, without user information.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.lengthMax else { return nil }
        let bytes = text.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[colon...].starts(with: "://".utf8)
        else { return nil }
        let start = bytes.index(colon, offsetBy: 3)
        let end = bytes[start...].firstIndex(where: Self.endsAuthority) ?? bytes.endIndex
        self.init(
            scheme: text[..<colon], authority: text[start..<end], target: text[end...])
    }

    /// A URL from its parts; `target` may lack the slash at its beginning.
    package init?(
        scheme: some StringProtocol, authority: some StringProtocol, target: some StringProtocol
    ) {
        guard let scheme = Self.scheme(scheme),
            let authority = Self.authority(String(authority), scheme: scheme)
        else { return nil }
        let path = target.utf8.prefix { $0 != UInt8(ascii: "#") }
        guard path.count < Self.lengthMax, path.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            return nil
        }
        self.scheme = scheme
        self.authority = authority
        let text = String(decoding: path, as: UTF8.self)
        self.target = path.first == UInt8(ascii: "/") ? text : "/" + text
    }

    private init(ownKey key: String) {
        scheme = ""
        authority = ""
        target = key
    }

    /// A key that takes the place of a URL: of the same name as the URL that it spells, if it does.
    ///
    /// Nil for an empty one, and where a NUL would end it early for some readers of the file.
    package static func custom(_ key: String) -> CacheURL? {
        guard (1...lengthMax).contains(key.utf8.count), !key.utf8.contains(0) else { return nil }
        return CacheURL(key) ?? CacheURL(ownKey: key)
    }

    /// The text that it is made from again.
    package var text: String { scheme.isEmpty ? target : "\(scheme)://\(authority)\(target)" }

    /// Path without query.
    package var path: Substring {
        // A mark that combines makes another character of it, but no other byte.
        target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    // RFC 3986 §3.1
    private static func scheme(_ text: some StringProtocol) -> String? {
        guard let first = text.utf8.first, isLetter(first),
            text.utf8.allSatisfy({ isLetter($0) || isDigit($0) || "+-.".utf8.contains($0) })
        else { return nil }
        return lowercased(text)
    }

    private static func authority(_ text: String, scheme: String) -> String? {
        if let normal = Authority.normalized(text, scheme: scheme) { return normal }
        // What the runtime lets through although no host is called so: a name all the same.
        guard !text.isEmpty, text.utf8.count <= Authority.maximumHostLength,
            text.utf8.allSatisfy({
                isLetter($0) || isDigit($0) || "-.:[]_".utf8.contains($0)
            })
        else { return nil }
        return lowercased(text)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { isLetter($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

extension CacheURL {
    /// The preimage of the primary key of what is stored under this name, and its two keys.
    package struct Keys: Sendable, Equatable {
        package var primaryKey: CacheKey
        package var uriKey: URIKey
        package var material: [UInt8]
    }

    /// Nil when a part cannot be keyed: bytes that a decoder had to repair.
    package func keys(in cacheName: String, hasher: KeyHasher) -> Keys? {
        guard
            let primary = hasher.primaryKey(
                KeyParts(
                    surface: .cacheAPI, cacheName: cacheName, method: "GET", scheme: scheme,
                    authority: authority, target: target))
        else { return nil }
        let material = hasher.lastMaterial
        guard
            let uri = hasher.uriKey(
                surface: .cacheAPI, cacheName: cacheName, scheme: scheme, authority: authority,
                target: target)
        else { return nil }
        return Keys(primaryKey: primary, uriKey: uri, material: material)
    }
}
