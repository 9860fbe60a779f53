import Testing

@testable import OriginClient

@Suite("--origin URL")
struct OriginAddressTests {
    @Test(
        "parts",
        arguments: [
            ("http://origin.example", "origin.example", 80, "", "origin.example"),
            ("HTTP://Origin.Example/", "origin.example", 80, "", "origin.example"),
            ("http://o:8080/api", "o", 8080, "/api", "o:8080"),
            ("https://o/api/v1//", "o", 443, "/api/v1", "o"),
            ("https://o:80", "o", 80, "", "o:80"),
            ("http://o:80", "o", 80, "", "o"),
            ("https://[::1]:8443/x", "::1", 8443, "/x", "[::1]:8443"),
            ("http://[FE80::1]", "fe80::1", 80, "", "[fe80::1]"),
        ])
    func parts(url: String, host: String, port: Int, prefix: String, authority: String) throws {
        let address = try OriginAddress(url)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.pathPrefix == prefix)
        #expect(address.authority == authority)
        #expect(address.scheme == (url.hasPrefix("https") ? .https : .http))
    }

    @Test(
        "what is refused",
        arguments: [
            ("", OriginAddressError.scheme), ("ftp://o", .scheme), ("o:80", .scheme),
            ("http:/o", .scheme), ("http://", .noHost), ("http:///x", .noHost),
            ("http://:80", .noHost), ("http://a b", .host), ("http://[::1", .host),
            ("http://[]", .host), ("http://[::1]x", .host), ("http://ö.example", .host),
            ("http://o:", .port), ("http://o:0", .port), ("http://o:65536", .port),
            ("http://o:+1", .port), ("http://o:80:80", .port), ("http://u@o", .userInformation),
            ("http://u:p@o/", .userInformation), ("http://o/?q", .query), ("http://o?q", .query),
            ("http://o/#f", .fragment), ("http://o/a b", .path), ("http://o/\u{7}", .path),
        ])
    func refused(url: String, error: OriginAddressError) {
        #expect(throws: error) { try OriginAddress(url) }
        #expect(!error.description.isEmpty)
    }
}
