import CacheTestKit
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Mutated requests: whole and in pieces give the same answers")
struct FuzzTests {
    private static let seeds = [
        get("/a", "X-A: b"), get("http://a.example/a"), get("/a", "Connection: close"),
        get("/a", "If-None-Match: \"x\"", "Range: bytes=0-1", version: "1.0"),
        post("/search", "content", "Content-Type: text/plain"), post("/other", "content"),
        "POST /search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nX: y\r\n\r\n",
        "QUERY /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:81\r\nConnection: x, upgrade\r\nUpgrade: h2c\r\n\r\n",
        "HEAD /a?b=%41 HTTP/1.1\r\nHost: a.example:80\r\nCache-Control: no-cache\r\n\r\n",
    ]
    private static let spice: [[UInt8]] =
        [
            "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "chunked",
            "Transfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\n", "Host: b\r\n", "0\r\n\r\n", "%", "#", "Upgrade: x\r\n",
            "Connection: close\r\n", "99999999999999999999", "-1", "HTTP/1.0", "HTTP/9.9",
            "\u{301}", "Expect: x\r\n",
        ].map { Array($0.utf8) } + [[0xFF], [0x80, 0xFE]]

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            bytes += Array((seeds.randomElement(using: &generator) ?? "").utf8)
        }
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes.remove(at: index)
            case 2:
                let extra = spice.randomElement(using: &generator) ?? []
                bytes.insert(contentsOf: extra, at: index)
            default:
                let end = min(bytes.count, index + Int.random(in: 1...40, using: &generator))
                bytes.insert(contentsOf: bytes[index..<end], at: index)
            }
            if bytes.isEmpty { bytes = [0] }
        }
        return bytes
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func isTheSameInPieces(_ seed: UInt64) async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [("Date", "x"), ("Cache-Control", "no-store")])
            }
            var generator = SeededGenerator(seed: seed)
            for round in 0..<150 {
                let bytes = Self.mutated(&generator)
                // One after the other, each to its end: the client closes its connection last.
                let whole = try await finish(front, [bytes])
                let pieces = try await finish(front, bytes.map { [$0] })
                #expect(
                    whole == pieces,
                    "seed \(seed) round \(round): \(String(decoding: bytes, as: UTF8.self))")
            }
            #expect(try await front.withLoop { $0.connectionCount } == 0)
        }
    }

    /// Sends all, waits out every exchange and lets the deadlines end what waits for more.
    private func finish(_ front: Front, _ pieces: [[UInt8]]) async throws -> String {
        let client = try await front.connect()
        try await client.send(pieces)
        try await front.eventually("the end") {
            if try await client.isEnded() { return true }
            // No deadline runs while an answer is being made.
            await front.advance(1)
            return false
        }
        let text = String(decoding: try await client.bytes(), as: UTF8.self)
        if !client.isCut { try await client.hangUp() }
        return text
    }
}
