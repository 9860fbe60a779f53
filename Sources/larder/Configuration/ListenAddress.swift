/// A host name or address with a port to listen on.
struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    var host: String
    /// 0 lets the system choose.
    var port: Int

    /// Reachable from this machine alone.
    var isLoopback: Bool {
        host == "localhost" || host == "::1"
            || host.hasPrefix("127.")
                && host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }
    }

    var description: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// `HOST` or `HOST:PORT` as it stands in addresses and URLs.
struct HostAndPort: Equatable {
    /// Lower-case, an IPv6 address without its brackets.
    let host: String
    let port: Int?
    let isIPv6: Bool

    /// Parses a name, an IPv4 address or a bracketed IPv6 address, each with or without a port.
    init?(_ text: some StringProtocol) {
        let host: String
        let rest: Substring
        if text.utf8.first == UInt8(ascii: "[") {
            guard let end = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = String(text[text.index(after: text.startIndex)..<end])
            rest = Substring(text[text.utf8.index(after: end)...])
            guard Self.isIPv6(host) else { return nil }
            self.isIPv6 = true
        } else {
            let end = text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.utf8.endIndex
            host = String(text[..<end])
            rest = Substring(text[end...])
            guard Self.isName(host) else { return nil }
            self.isIPv6 = false
        }
        self.host = host.lowercased()
        if rest.isEmpty {
            self.port = nil
        } else {
            let digits = rest.utf8.dropFirst()
            guard rest.utf8.first == UInt8(ascii: ":"), digits.count <= 5,
                let port = Digits.number(digits), port <= 65_535
            else { return nil }
            self.port = port
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func isIPv6(_ text: String) -> Bool {
        text.utf8.count <= 45 && text.utf8.contains(UInt8(ascii: ":"))
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}

extension ValueFormat where Value == ListenAddress {
    static var listenAddress: Self {
        ValueFormat(
            expected: "HOST:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080",
            parse: { text in
                guard let parts = HostAndPort(text), let port = parts.port else { return nil }
                return ListenAddress(host: parts.host, port: port)
            },
            render: { $0.description })
    }
}
