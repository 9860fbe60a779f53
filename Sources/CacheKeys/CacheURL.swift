/// What names a response that a program puts and matches: a URL in normal form, or a key of the
/// program's own.
///
/// Scheme and host are lower-case, the scheme's own port and the fragment are gone; path and query
/// stay byte for byte. A key of one's own has no authority, so it equals no URL.
package struct CacheURL: Sendable, Hashable {
    package let scheme: String
    package let authority: String
    /// Path and query; the whole text of a key of one's own.
    package let target: String

    /// Bytes of a URL or key: more than this names nothing.
    package static let lengthMax = 128 << 10

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
            scheme: String(text[..<colon]), authority: String(text[start..<end]),
            target: String(text[end...]))
    }

    /// A URL from its parts; `target` may lack the slash at its beginning.
    ///
    /// Parts that are in normal form already are taken as they are, without a copy.
    package init?(scheme: String, authority: String, target: String) {
        guard let scheme = Self.scheme(scheme),
            let authority = Self.authority(authority, scheme: scheme),
            let target = Self.target(target)
        else { return nil }
        self.scheme = scheme
        self.authority = authority
        self.target = target
    }

    /// Without fragment, with a slash before it.
    private static func target(_ text: String) -> String? {
        var text = text
        let shape = text.withUTF8 { bytes -> (end: Int, isRooted: Bool)? in
            var end = 0
            while end < bytes.count, bytes[end] != UInt8(ascii: "#") {
                guard bytes[end] > 0x20, bytes[end] != 0x7F else { return nil }
                end += 1
            }
            return (end, bytes.first == UInt8(ascii: "/"))
        }
        guard let shape, shape.end < lengthMax else { return nil }
        if shape.isRooted, shape.end == text.utf8.count { return text }
        let path = String(decoding: text.utf8.prefix(shape.end), as: UTF8.self)
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    private init(ownKey key: String) {
        scheme = Self.ownScheme
        authority = ""
        target = key
    }

    /// What stands for the scheme of a key of one's own: the file shows it as `key://...`.
    package static let ownScheme = "key"

    /// Whether it is a key of one's own.
    package var isOwnKey: Bool { authority.isEmpty }

    /// A key that takes the place of a URL.
    ///
    /// One that spells a URL in normal form is that URL; any other text, and be it a URL with a
    /// fragment, is a name of its own, so that no two keys are one. Nil for an empty one, and where a
    /// NUL would end it early for some readers of the file.
    package static func custom(_ key: String) -> CacheURL? {
        guard (1...lengthMax).contains(key.utf8.count), !key.utf8.contains(0) else { return nil }
        if let url = CacheURL(key), url.text.utf8.elementsEqual(key.utf8) { return url }
        return CacheURL(ownKey: key)
    }

    /// The text that it is made from again.
    package var text: String { isOwnKey ? target : "\(scheme)://\(authority)\(target)" }

    /// Path without query.
    package var path: Substring {
        // A mark that combines makes another character of it, but no other byte.
        target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    // RFC 3986 §3.1
    private static func scheme(_ text: String) -> String? {
        var text = text
        let isNormal = text.withUTF8 { bytes -> Bool? in
            guard let first = bytes.first, isLetter(first),
                bytes.allSatisfy({
                    isLetter($0) || isDigit($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E
                })
            else { return nil }
            return bytes.allSatisfy { !isLetter($0) || $0 & 0x20 != 0 }
        }
        guard let isNormal else { return nil }
        return isNormal ? text : lowercased(text)
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

    private static func lowercased(_ text: String) -> String {
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

    /// The key that a lookup in memory needs; nil as `keys` is.
    package func primaryKey(in cacheName: String, hasher: KeyHasher) -> CacheKey? {
        hasher.primaryKey(
            KeyParts(
                surface: .cacheAPI, cacheName: cacheName, method: "GET", scheme: scheme,
                authority: authority, target: target))
    }

    /// Nil when a part cannot be keyed: bytes that a decoder had to repair.
    package func keys(in cacheName: String, hasher: KeyHasher) -> Keys? {
        guard let primary = primaryKey(in: cacheName, hasher: hasher) else { return nil }
        let material = hasher.lastMaterial
        guard
            let uri = hasher.uriKey(
                surface: .cacheAPI, cacheName: cacheName, scheme: scheme, authority: authority,
                target: target)
        else { return nil }
        return Keys(primaryKey: primary, uriKey: uri, material: material)
    }
}
