import HTTPCaching
import Testing

@Suite("RFC 9209 Proxy-Status")
struct RFC9209ProxyStatusTests {
    @Test(
        "members",
        arguments: [
            (ProxyStatus(), "larder"),
            (
                ProxyStatus(error: .connectionTimeout),
                "larder; error=connection_timeout"
            ),
            (
                ProxyStatus(
                    error: .httpProtocolError, receivedStatus: 200, nextHop: "origin.example:8080",
                    nextProtocol: "http/1.1", details: "bad \"line\"\r\nX: \u{E9}"),
                "larder; error=http_protocol_error; next-hop=origin.example:8080; "
                    + "next-protocol=http/1.1; received-status=200; details=\"bad \\\"line\\\"X: \""
            ),
            (ProxyStatus(nextHop: "10.0.0.1"), "larder; next-hop=\"10.0.0.1\""),
            (ProxyStatus(details: ""), "larder; details=\"\""),
        ])
    func members(status: ProxyStatus, expected: String) {
        #expect(status.serialized() == expected)
    }

    @Test(
        "§2.3 every error has its token and a status that is an error",
        arguments: ProxyError.allCases)
    func errors(error: ProxyError) {
        #expect(error.rawValue.utf8.allSatisfy { $0 == 0x5F || $0 >= 0x61 && $0 <= 0x7A })
        #expect((400...599).contains(error.status))
    }

    @Test(
        "§2.3 the recommended statuses",
        arguments: [
            (.dnsTimeout, 504), (.dnsError, 502), (.destinationNotFound, 500),
            (.destinationUnavailable, 503), (.connectionRefused, 502), (.connectionTerminated, 502),
            (.connectionTimeout, 504), (.connectionReadTimeout, 504),
            (.connectionWriteTimeout, 504), (.connectionLimitReached, 503),
            (.tlsCertificateError, 502), (.httpRequestDenied, 403), (.httpResponseIncomplete, 502),
            (.httpResponseTimeout, 504), (.httpProtocolError, 502), (.proxyInternalError, 500),
            (.proxyConfigurationError, 500), (.proxyLoopDetected, 508),
        ] as [(ProxyError, Int)])
    func statuses(error: ProxyError, expected: Int) {
        #expect(error.status == expected)
    }

    @Test("all of the registry's types of RFC 9209")
    func registry() {
        #expect(ProxyError.allCases.count == 32)
        #expect(Set(ProxyError.allCases.map(\.rawValue)).count == 32)
    }
}
