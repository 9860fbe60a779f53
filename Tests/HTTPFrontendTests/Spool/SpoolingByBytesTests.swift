import CacheEngine
import CacheTestKit
import NIOCore
import Synchronization
import Testing

@testable import HTTPFrontend

@Suite("Content that is spooled, by bytes: keys, limits, trouble, memory")
struct SpoolingByBytesTests {
    /// So much is in memory at most.
    private static let memory = 10

    private static func run(
        configure: (inout FrontendConfiguration) -> Void = { _ in },
        configureEngine: (inout EngineConfiguration) -> Void = { _ in },
        _ body: (Front) async throws -> Void
    ) async throws {
        try await Front.run(
            configure: {
                $0.memoryKeyBodyBytes = memory
                configure(&$0)
            }, configureEngine: configureEngine, body)
    }

    static func content(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    static func head(_ length: Int, _ target: String = "/search") -> [UInt8] {
        let lines = ["POST \(target) HTTP/1.1", "Host: a.example", "Content-Length: \(length)"]
        return Array(lines.map { $0 + "\r\n" }.joined().utf8) + [13, 10]
    }

    static let chunkedHead = Array(
        "POST /search HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)

    static func chunk(_ bytes: some Collection<UInt8>) -> [UInt8] {
        Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10]
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)

    /// Everything of a spooled body.
    static func read(_ content: any SpooledContent, _ front: Front) async throws -> [UInt8] {
        let read = Mutex<[UInt8]?>(nil)
        content.read(at: 0, count: Int(content.length) + 1, on: front.loop) { part in
            read.withLock { $0 = part.map { Array($0.readableBytesView) } ?? [] }
        }
        try await front.eventually("the read") { read.withLock { $0 != nil } }
        return read.withLock { $0 ?? [] }
    }

    private static func isClean(_ front: Front) async throws {
        front.origin.forget()
        try await front.eventually("everything was given back") {
            front.spool.openFiles == 0 && front.spool.usedBytes == 0
                && front.engine.budget.used == 0
        }
    }

    @Test func contentInAFileIsAKeyLikeAnyOther() async throws {
        try await Self.run { front in
            let body = Self.content(200_000)
            let client = try await front.connect()
            try await client.send([Self.head(body.count), Array(body[..<9]), Array(body[9...])])
            let miss = try #require(try await client.answers(1).first)
            #expect(miss.values("x-cache") == ["MISS"])
            do {
                let seen = try #require(front.origin.seen.first)
                let spooled = try #require(seen.spooled)
                #expect(spooled.length == 200_000 && seen.isRetryable)
                #expect(try await Self.read(spooled, front) == body)
            }
            let chunked = try await front.connect()
            try await chunked.send(
                [Self.chunkedHead, Self.chunk(body[..<70_000]), Self.chunk(body[70_000...])]
                    + [Self.lastChunk])
            #expect(try await chunked.answers(1).first?.values("x-cache") == ["HIT"])
            var other = body
            other[150_000] ^= 1
            let different = try await front.connect()
            try await different.send([Self.head(other.count), other])
            #expect(try await different.answers(1).first?.values("x-cache") == ["MISS"])
            #expect(front.origin.seen.count == 2)
            try await Self.isClean(front)
        }
    }

    @Test func theFirstBytesAreKeptForPeople() async throws {
        try await Self.run { front in
            let text = Array(String(repeating: "text ", count: 40_000).utf8)
            let client = try await front.connect()
            try await client.send([Self.head(text.count), text])
            _ = try await client.answers(1)
            try await front.eventually("the row") { front.store.entries.count == 1 }
            let kept = try #require(front.store.entries.first?.requestContent)
            #expect(kept.isTruncated)
            #expect(Array(kept.bytes.readableBytesView) == Array(text[..<65_536]))
        }
    }

    @Test func pipelinedRequestsWaitForTheDisk() async throws {
        try await Self.run { front in
            front.origin.reply { .init(parts: [$0.target]) }
            let body = Self.content(500)
            let client = try await front.connect()
            try await client.send([
                Self.head(500) + body + Array(get("/a").utf8) + Self.head(500) + body
                    + Array(get("/b").utf8)
            ])
            let answers = try await client.answers(4)
            #expect(answers.map(\.body) == ["/search", "/a", "/search", "/b"])
            #expect(answers.flatMap { $0.values("x-cache") } == ["MISS", "MISS", "HIT", "MISS"])
        }
    }

    @Test(arguments: [11, 60, 100])
    func contentThatOutgrowsTheKeyGoesOnAsAStream(_ first: Int) async throws {
        try await Self.run(configure: { $0.maxKeyBodyBytes = 100 }) { front in
            let body = Self.content(150)
            let client = try await front.connect()
            try await client.send([Self.chunkedHead, Self.chunk(body[..<first])])
            try await front.eventually("the write") { front.spool.usedBytes == first }
            #expect(front.origin.seen.isEmpty)
            try await client.send([Self.chunk(body[first..<101]), Self.chunk(body[101...])])
            let exchange = try await front.exchange()
            try await client.send([Self.lastChunk])
            let answer = try #require(try await client.answers(1).first)
            #expect(
                answer.values("cache-status")
                    == ["larder; fwd=bypass; fwd-status=200; detail=body-limit"])
            let received = try await front.withLoop { _ in
                Array(exchange.value.received.readableBytesView)
            }
            #expect(received == body)
            #expect(front.store.entries.isEmpty)
            try await Self.isClean(front)
        }
    }

    @Test func aFullSpoolSendsTheContentThrough() async throws {
        try await Self.run(configure: { $0.spoolBytes = 150_000 }) { front in
            let body = Self.content(300_000)
            let client = try await front.connect()
            try await client.send([Self.head(body.count), Array(body[..<100_000])])
            try await front.eventually("the write") { front.spool.usedBytes == 100_000 }
            try await client.send([Array(body[100_000..<200_000]), Array(body[200_000...])])
            let answer = try #require(try await client.answers(1).first)
            #expect(
                answer.values("cache-status")
                    == ["larder; fwd=bypass; fwd-status=200; detail=spool"])
            let exchange = try await front.exchange()
            let received = try await front.withLoop { _ in
                Array(exchange.value.received.readableBytesView)
            }
            #expect(received == body)
            // The connection is good for more.
            #expect(try await client.ask(get("/a")).status == 200)
            try await Self.isClean(front)
        }
    }

    @Test(arguments: [11, 100_000])
    func noPlaceForFilesSendsTheContentThrough(_ size: Int) async throws {
        try await Self.run(configure: { $0.spoolDirectory = "/nonexistent" }) { front in
            let body = Self.content(size)
            let client = try await front.connect()
            for _ in 1...2 {
                try await client.send([Self.head(body.count), body])
                let exchange = try await front.exchange()
                let answer = try #require(try await client.answers(1).first)
                #expect(answer.values("cache-status").first?.hasSuffix("detail=spool") == true)
                let received = try await front.withLoop { _ in
                    Array(exchange.value.received.readableBytesView)
                }
                #expect(received == body)
                front.origin.forget()
                try await client.reset()
            }
            try await Self.isClean(front)
        }
    }

    @Test(arguments: [5, 11, 90_000, 200_000])
    func clientLeavingLeavesNothing(_ sent: Int) async throws {
        try await Self.run { front in
            let client = try await front.connect()
            try await client.send([Self.head(300_000), Self.content(sent)])
            try await client.hangUp()
            try await Self.isClean(front)
            #expect(front.origin.exchanges.isEmpty && front.store.entries.isEmpty)
        }
    }

    @Test func brokenFramingInMidUploadLeavesNothing() async throws {
        try await Self.run { front in
            let client = try await front.connect()
            try await client.send([
                Self.chunkedHead, Self.chunk(Self.content(90_000)), Array("zz\r\n".utf8),
            ])
            #expect(try await client.lastAnswers().map(\.status) == [400])
            try await Self.isClean(front)
            #expect(front.store.entries.isEmpty)
        }
    }
}
