/// Where the origin is: `http://HOST[:PORT][/PREFIX]` or the same with `https`.
struct OriginURL: Sendable, Hashable, CustomStringConvertible {
    /// How the origin is spoken to.
    enum Scheme: String, Sendable {
        case http
        case https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    let scheme: Scheme
    /// Lower-case; an IPv6 address without brackets.
    let host: String
    let port: Int
    /// What is put before every target: empty, or a path that begins with `/` and ends without.
    let pathPrefix: String

    /// The value of Host: brackets around an IPv6 address, no default port.
    var authority: String {
        let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        return port == scheme.defaultPort ? name : "\(name):\(port)"
    }

    var description: String { "\(scheme.rawValue)://\(authority)\(pathPrefix)" }

    /// Parses an absolute URL without user information, query and fragment.
    ///
    /// Dot segments are refused: what they mean would be left to the origin.
    init?(_ text: String) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let scheme = Scheme(rawValue: text[..<colon].lowercased()),
            text[colon...].hasPrefix("://")
        else { return nil }
        let rest = text[text.utf8.index(colon, offsetBy: 3)...]
        let end = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.utf8.endIndex
        guard let parts = HostAndPort(rest[..<end]), parts.port != 0 else { return nil }
        var path = rest[end...]
        while path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        guard path.utf8.allSatisfy(Self.isPathByte),
            !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else { return nil }
        self.scheme = scheme
        self.host = parts.host
        self.port = parts.port ?? scheme.defaultPort
        self.pathPrefix = String(path)
    }

    // RFC 3986 §3.3
    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "/-._~!$&'()*+,;=:@%".utf8.contains(byte)
        }
    }
}

extension ValueFormat where Value == OriginURL {
    static var originURL: Self {
        ValueFormat(
            expected: "a URL such as http://127.0.0.1:8081 or https://example.com/api,"
                + " without user, query and fragment",
            parse: { OriginURL($0) },
            render: { $0.description })
    }
}
