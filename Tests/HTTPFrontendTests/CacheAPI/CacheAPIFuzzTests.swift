import CacheTestKit
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Mutated requests of the Cache API: whole and in pieces give the same answers")
struct CacheAPIFuzzTests {
    private static func put(_ target: String, _ payload: String, _ lines: String = "") -> String {
        "PUT \(target) HTTP/1.1\r\n\(lines)Content-Length: \(payload.utf8.count)\r\n\r\n\(payload)"
    }

    private static let fresh = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nX: y\r\n\r\nbody"

    private static let seeds = [
        put("http://a.example/x", fresh), put("/x", fresh, "Host: a.example\r\n"),
        put("http://a.example/x", fresh, "CF-Cache-Namespace: a%20b\r\n"),
        put("http://a.example/x", "HTTP/1 404 No\r\nContent-Length: 2\r\n\r\nab"),
        put("http://a.example/y", fresh, "CF-Blob: {\"cacheKey\":\"k\",\"cacheTtl\":9}\r\n"),
        "PUT http://a.example/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "9\r\nHTTP/1.1 \r\n4;x=y\r\n200 \r\n1d\r\nOK\r\nCache-Control: max-age=7\r\n"
            + "\r\n5\r\n\r\nabc\r\n0\r\n\r\n",
        "GET http://a.example/x HTTP/1.1\r\nCache-Control: only-if-cached\r\n\r\n",
        "GET http://a.example/x HTTP/1.1\r\nRange: bytes=1-2\r\nIf-None-Match: \"a\"\r\n\r\n",
        "HEAD /x#f HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Proto: http\r\n\r\n",
        "GET http://b.example/ HTTP/1.1\r\nCF-Blob: {\"cacheKey\":\"k\"}\r\n\r\n",
        "PURGE http://a.example/x HTTP/1.1\r\nX-Real-IP: 1\r\nX-Real-IP: 2\r\n\r\n",
        "POST /larder/match HTTP/1.1\r\nContent-Type: application/json\r\n"
            + "Content-Length: 28\r\n\r\n{\"url\":\"http://a.example/x\"}",
        "POST /larder/delete HTTP/1.1\r\nContent-Type: application/json\r\n"
            + "Content-Length: 28\r\n\r\n{\"url\":\"http://a.example/x\"}",
    ]
    private static let spice = [
        "\r\n", "\n", "\r", "\0", " ", "\t", ":", ",", "%", "#", "\"", "{", "}", "\\u212a",
        "Transfer-Encoding: chunked\r\n", "Content-Length: 3\r\n", "Host: b\r\n", "0\r\n\r\n",
        "Upgrade: x\r\n", "Connection: close\r\n", "HTTP/1.0", "\u{301}", "Vary: *\r\n",
        "Expect: 100-continue\r\n", "HTTP/1.1 200 OK\r\n\r\n", "Set-Cookie: a=b\r\n",
    ].map { Array($0.utf8) }

    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 2...5, using: &generator) {
            bytes += Array((seeds.randomElement(using: &generator) ?? "").utf8)
        }
        for _ in 0..<Int.random(in: 0...2, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            case 1: bytes.remove(at: index)
            default:
                let extra = spice.randomElement(using: &generator) ?? []
                bytes.insert(contentsOf: extra, at: index)
            }
        }
        return bytes
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func isTheSameInPieces(_ seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var stored = 0
        for round in 0..<30 {
            let bytes = Self.mutated(&generator)
            // Each with a store of its own, or the second would find what the first has put.
            let whole = try await finish([bytes])
            let pieces = try await finish(bytes.map { [$0] })
            #expect(
                whole == pieces,
                "seed \(seed) round \(round): \(String(decoding: bytes, as: UTF8.self))")
            if whole.contains("Larder-Put: stored") { stored += 1 }
        }
        #expect(stored > 0)
    }

    private func finish(_ pieces: [[UInt8]]) async throws -> String {
        var text = ""
        try await Front.run(configure: { $0.service = .cacheAPI(CacheAPISettings()) }) { front in
            let client = try await front.connect()
            try await client.send(pieces)
            try await front.eventually("the end") {
                if try await client.isEnded() { return true }
                // No deadline runs while an answer is being made.
                await front.advance(20)
                return false
            }
            text = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(front.origin.exchanges.isEmpty)
            if !client.isCut { try await client.hangUp() }
        }
        return text
    }
}
