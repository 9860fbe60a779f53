/// Where the origin is: what `--origin URL` says, taken apart once at start.
package struct OriginAddress: Sendable, Equatable {
    package enum Scheme: String, Sendable {
        case http
        case https
    }

    package let scheme: Scheme
    /// Lower-case; an IPv6 literal stands here without its brackets.
    package let host: String
    package let port: Int
    /// Goes before every target: empty, or begins with a slash and does not end with one.
    package let pathPrefix: String
    /// The Host field: the host, with the port where it is not the scheme's own.
    package let authority: String

    /// Parses the URL of an origin.
    ///
    /// - Parameter url: absolute, scheme http or https, with neither user information nor query
    ///   nor fragment.
    /// - Throws: what is wrong with it, fit to be shown to the operator.
    package init(_ url: String) throws(OriginAddressError) {
        let bytes = Array(url.utf8)
        // RFC 3986 §3: the first of these ends what comes before it.
        if bytes.contains(UInt8(ascii: "#")) { throw .fragment }
        if bytes.contains(UInt8(ascii: "?")) { throw .query }
        let (scheme, afterScheme) = try Self.scheme(of: bytes)
        let rest = bytes[afterScheme...]
        let pathStart = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let authority = rest[..<pathStart]
        if authority.contains(UInt8(ascii: "@")) { throw .userInformation }

        let (host, portBytes) = try Self.split(authority)
        self.scheme = scheme
        self.host = host
        let ownPort = scheme == .https ? 443 : 80
        self.port = try portBytes.map(Self.port) ?? ownPort
        let bracketed = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
        self.authority = port == ownPort ? bracketed : "\(bracketed):\(port)"
        self.pathPrefix = try Self.prefix(of: rest[pathStart...])
    }

    private static func scheme(
        of bytes: [UInt8]
    ) throws(OriginAddressError) -> (Scheme, Int) {
        for scheme in [Scheme.http, .https] {
            let start = "\(scheme.rawValue)://"
            if bytes.starts(with: start.utf8, by: { ASCII.lowercased($0) == $1 }) {
                return (scheme, start.utf8.count)
            }
        }
        throw .scheme
    }

    private static func split(
        _ authority: ArraySlice<UInt8>
    ) throws(OriginAddressError) -> (host: String, port: ArraySlice<UInt8>?) {
        guard let first = authority.first else { throw .noHost }
        if first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            let literal = authority[authority.index(after: authority.startIndex)..<end]
            guard !literal.isEmpty, literal.allSatisfy(ASCII.isIPv6Byte) else { throw .host }
            let rest = authority[authority.index(after: end)...]
            guard let colon = rest.first else { return (text(literal), nil) }
            guard colon == UInt8(ascii: ":") else { throw .host }
            return (text(literal), rest.dropFirst())
        }
        let colon = authority.firstIndex(of: UInt8(ascii: ":"))
        let name = authority[..<(colon ?? authority.endIndex)]
        if name.isEmpty { throw .noHost }
        guard name.count <= 253, name.allSatisfy(ASCII.isHostByte) else { throw .host }
        return (text(name), colon.map { authority[authority.index(after: $0)...] })
    }

    private static func port(_ digits: ArraySlice<UInt8>) throws(OriginAddressError) -> Int {
        guard (1...5).contains(digits.count), digits.allSatisfy(ASCII.isDigit) else { throw .port }
        let port = digits.reduce(0) { $0 &* 10 &+ Int($1 &- UInt8(ascii: "0")) }
        guard (1...65_535).contains(port) else { throw .port }
        return port
    }

    private static func prefix(of path: ArraySlice<UInt8>) throws(OriginAddressError) -> String {
        guard path.allSatisfy(ASCII.isTargetByte) else { throw .path }
        var path = path
        while path.last == UInt8(ascii: "/") { path.removeLast() }
        return String(decoding: path, as: Unicode.ASCII.self)
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map(ASCII.lowercased), as: Unicode.ASCII.self)
    }
}

/// What is wrong with the URL of an origin.
package enum OriginAddressError: Error, Sendable, Equatable, CaseIterable, CustomStringConvertible {
    case scheme
    case noHost
    case host
    case port
    case path
    case userInformation
    case query
    case fragment

    package var description: String {
        switch self {
        case .scheme: "the origin must begin with http:// or https://"
        case .noHost: "the origin has no host"
        case .host: "the origin's host is not a host name or an IP address"
        case .port: "the origin's port is not a number from 1 to 65535"
        case .path: "the origin's path has a byte that cannot stand in a URL"
        case .userInformation: "the origin must not hold a user name or password"
        case .query: "the origin must not hold a query"
        case .fragment: "the origin must not hold a fragment"
        }
    }
}
