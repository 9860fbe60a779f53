import CacheEngine
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPFrontend

/// What a put is told before it has ended, and when it counts as begun; with a clock of its own.
@Suite("Cache API: the beginning and the end of a put")
struct PutBeginningTests {
    private func run(_ body: (Front) async throws -> Void) async throws {
        try await Front.run(
            configure: { $0.service = .cacheAPI(CacheAPISettings()) }, body)
    }

    private static let url = "http://a.example/x"

    private func payload(_ text: String, _ control: String = "max-age=60") -> String {
        putPayload(text, control)
    }

    private func put(_ payload: String, _ lines: String...) -> String {
        (["PUT \(Self.url) HTTP/1.1", "Content-Length: \(payload.utf8.count)"] + lines)
            .map { $0 + "\r\n" }.joined() + "\r\n" + payload
    }

    private func match(_ client: Client) async throws -> WireAnswer {
        try await client.ask("GET \(Self.url) HTTP/1.1\r\n\r\n")
    }

    /// A deletion is newer than a put whose first byte came before it, whatever had come of it.
    @Test(arguments: [58, 75, 90, 100])
    func aDeletionDuringThePayloadsHead(split: Int) async throws {
        try await run { front in
            let (putting, other) = (try await front.connect(), try await front.connect())
            let request = put(payload("content"))
            let bytes = [UInt8](request.utf8)
            try await putting.send([Array(bytes.prefix(split))])
            let purged = try await other.ask("PURGE \(Self.url) HTTP/1.1\r\n\r\n")
            #expect(purged.status == 404)
            try await putting.send([Array(bytes.dropFirst(split))])
            let answer = try #require(try await putting.answers(1, methods: ["PUT"]).first)
            #expect(answer.status == 413)
            #expect(answer.values("larder-put") == ["refused; reason=invalidated"])
            #expect(try await match(other).status == 504)
            #expect(try await putting.ask(request).status == 204)
            #expect(try await match(other).body == "content")
        }
    }

    @Test func whatTakesLongerThanItLivesIsNotStored() async throws {
        try await run { front in
            let client = try await front.connect()
            #expect(try await client.ask(put(payload("old"))).status == 204)
            let bytes = [UInt8](put(payload("new", "max-age=5")).utf8)
            try await client.reset()
            try await client.send([Array(bytes.dropLast())])
            front.clock.advance(5)
            try await client.send([Array(bytes.suffix(1))])
            let answer = try #require(try await client.answers(1, methods: ["PUT"]).first)
            #expect(answer.values("larder-put") == ["refused; reason=no-lifetime"])
            #expect(try await match(client).body == "old")
        }
    }

    /// `Expect` may be a client's that a worker copied: its runtime does not wait for a 100.
    @Test func onlyWhoWaitsIsToldToGoOn() async throws {
        try await run { front in
            let client = try await front.connect()
            let request = put(payload("content"), "Expect: 100-continue")
            let head = request.firstRange(of: "\r\n\r\n").map { request[..<$0.upperBound] } ?? ""
            #expect(try await client.ask(request).status == 204)
            await front.loop.advanceTime(by: .milliseconds(200))
            #expect(try await !String(decoding: client.bytes(), as: UTF8.self).contains(" 100 "))
            try await client.reset()
            try await client.send(String(head))
            await front.loop.advanceTime(by: .milliseconds(200))
            let interim = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.reset()
            try await client.send(String(request.dropFirst(head.count)))
            #expect(try await client.answers(1, methods: ["PUT"]).first?.status == 204)
            let odd = put(payload("content"), "Expect: the unexpected")
            #expect(try await client.ask(odd).status == 204)
        }
    }

    @Test(arguments: ["Origin: http://evil.example", "Sec-Fetch-Site: same-origin"])
    func nativeOperationsAreNotForPages(line: String) async throws {
        try await run { front in
            let client = try await front.connect()
            let type = "Content-Type: application/json"
            let json = #"{"cache":""}"#
            #expect(
                try await client.ask(post("/larder/delete-cache", json, type, line)).status == 403)
            #expect(try await client.ask(post("/larder/delete-cache", json, type)).status == 200)
        }
    }

    /// Who has been told to wait while the last of it was here already must be heard again.
    @Test func aPutThatEndsWhileItIsHeldLeavesNothingBehind() async throws {
        try await Front.run(
            configure: { $0.service = .cacheAPI(CacheAPISettings()) },
            configureEngine: {
                $0.inlineBytes = 16
                $0.chunkBytes = 16
            }
        ) { front in
            let client = try await front.connect()
            for count in [17, 160, 1000, 4096] {
                let text = String(repeating: "x", count: count)
                #expect(try await client.ask(put(payload(text))).status == 204)
                #expect(try await match(client).body == text)
            }
        }
    }
}
