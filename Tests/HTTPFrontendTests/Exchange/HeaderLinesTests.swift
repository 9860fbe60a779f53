import NIOHTTP1
import Testing

@testable import HTTPFrontend

/// Variants are chosen by what the origin is sent.
@Suite struct HeaderLinesTests {
    private let lines = HeaderLines(
        headers: [
            "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Host": "evil", "X-Real-IP": "1.2.3.4",
            "Forwarded": "for=1.2.3.4", "TE": "trailers", "X-Kind": "one", "x-kind": "two",
        ])

    @Test func whatTheOriginIsSentCounts() {
        #expect(lines.lines(named: "x-kind") == ["one", "two"])
        #expect(lines.lines(named: "x-other") == [])
    }

    @Test(arguments: ["x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "te"])
    func whatIsReplacedDoesNot(name: String) {
        #expect(lines.lines(named: name) == [])
    }

    @Test func theClientsAddressMakesNoKey() {
        #expect(lines.lines(named: "x-forwarded-for") == ["\u{FFFD}"])
    }
}
