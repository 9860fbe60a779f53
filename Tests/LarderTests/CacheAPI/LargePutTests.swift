import CacheTestKit
import Glibc
import Testing

/// Bodies that no memory holds, and puts that depend on each other.
@Suite(.drivesProcesses)
struct LargePutTests {
    private static let url = "http://a.example/large"
    private static let blockBytes = 1 << 20

    /// A megabyte of which each 64 KB begin with a number of their own.
    private struct Blocks {
        private var bytes = largeBody("blocks", LargePutTests.blockBytes)

        mutating func block(_ number: Int) -> [UInt8] {
            bytes.withUnsafeMutableBytes { bytes in
                for piece in 0..<16 {
                    bytes.storeBytes(
                        of: UInt64(number * 16 + piece), toByteOffset: piece << 16,
                        as: UInt64.self)
                }
            }
            return bytes
        }
    }

    /// The most memory that the process ever had, in bytes.
    private func peakMemory(_ stand: CacheStand) throws -> Int {
        let status = try readFile("/proc/\(stand.larder.process.pid)/status")
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("VmHWM:") }
        let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return try #require(kilobytes) << 10
    }

    private func put(_ client: RawClient, blocks: Int, isChunked: Bool) throws -> RawAnswer {
        var source = Blocks()
        let fields = "Cache-Control: max-age=3600\r\n"
        let size = blocks * Self.blockBytes
        if isChunked {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\(fields)\r\n"
            try client.send(
                "PUT \(Self.url) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "\(String(head.utf8.count, radix: 16))\r\n\(head)\r\n")
        } else {
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\(fields)\r\n"
            try client.send(
                "PUT \(Self.url) HTTP/1.1\r\nContent-Length: \(head.utf8.count + size)\r\n\r\n"
                    + head)
        }
        for number in 0..<blocks {
            if isChunked { try client.send("100000\r\n") }
            try client.send(source.block(number))
            if isChunked { try client.send("\r\n") }
        }
        if isChunked { try client.send("0\r\n\r\n") }
        return try client.readAnswer()
    }

    /// Reads a match without keeping it, and compares every byte.
    private func verify(_ client: RawClient, blocks: Int) throws {
        try client.send("GET \(Self.url) HTTP/1.1\r\n\r\n")
        var pending: [UInt8] = []
        var end: Range<Int>?
        while end == nil {
            pending += try #require(try client.readBytes())
            end = pending.firstRange(of: [13, 10, 13, 10])
        }
        let bodyStart = try #require(end).upperBound
        let head = String(decoding: pending[..<bodyStart], as: UTF8.self)
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(head.contains("\r\nContent-Length: \(blocks * Self.blockBytes)\r\n"))
        #expect(head.contains("\r\nCF-Cache-Status: HIT\r\n"))
        pending.removeFirst(bodyStart)
        var source = Blocks()
        for number in 0..<blocks {
            while pending.count < Self.blockBytes {
                pending += try #require(try client.readBytes(), "cut in megabyte \(number)")
            }
            let expected = source.block(number)
            // Not element by element: there are half a billion.
            let isRight = pending.withUnsafeBytes { got in
                expected.withUnsafeBytes { expected in
                    guard let got = got.baseAddress, let expected = expected.baseAddress else {
                        return false
                    }
                    return memcmp(got, expected, Self.blockBytes) == 0
                }
            }
            try #require(isRight as Bool, "megabyte \(number)")
            pending.removeFirst(Self.blockBytes)
        }
        #expect(pending.isEmpty)
    }

    @Test(arguments: [false, true])
    func halfAGigabyteInLittleMemory(isChunked: Bool) async throws {
        try await withCacheStand(["--memory", "64MB"]) { stand in
            let client = try stand.client()
            let answer = try put(client, blocks: 512, isChunked: isChunked)
            try #require(answer.isStored, "\(answer.status) \(answer.larderPut)")
            try verify(client, blocks: 512)
            let tail = try client.match(
                Self.url, ["Range": "bytes=-8", "If-None-Match": "\"none\""])
            #expect(tail.status == 206 && tail.body.count == 8)
            let peak = try peakMemory(stand)
            #expect(peak < (64 + 128) << 20, "\(peak >> 20) MB")
            try stand.restart()
            try verify(stand.client(), blocks: 512)
            let cold = try peakMemory(stand)
            #expect(cold < (64 + 128) << 20, "\(cold >> 20) MB")
            #expect(try stand.purge(Self.url).status == 200)
        }
    }

    @Test func oneByteTooMuch() async throws {
        try await withCacheStand(["--max-object", "8MB"]) { stand in
            let client = try stand.client()
            #expect(try put(client, blocks: 8, isChunked: true).isStored)
            let more = try put(client, blocks: 9, isChunked: true)
            #expect(more.status == 413 && more.larderPut == "refused; reason=body-limit")
            try verify(client, blocks: 8)
            try await stand.waitForSweep()
        }
    }

    // MARK: Puts of one source

    /// Two clones of one stream: the source gives the next piece when both have taken the last.
    ///
    /// A server that reads one of them only when the other has ended never ends either.
    @Test(arguments: [["--memory", "256MB"], ["--memory", "8MB"], ["--memory", "1MB"]])
    func clonesInLockstep(flags: [String]) async throws {
        try await withCacheStand(flags) { stand in
            let clients = try (0..<2).map { _ in try stand.client() }
            var source = Blocks()
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\(fresh())\r\n"
            for (number, client) in clients.enumerated() {
                try client.send(
                    "PUT \(Self.url)\(number) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + "\(String(head.utf8.count, radix: 16))\r\n\(head)\r\n")
            }
            let blocks = 48
            for number in 0..<blocks {
                let block = source.block(number)
                for client in clients {
                    try client.send("100000\r\n")
                    try client.send(block)
                    try client.send("\r\n")
                }
            }
            for client in clients { try client.send("0\r\n\r\n") }
            for (number, client) in clients.enumerated() {
                let answer = try client.readAnswer()
                let hit = try client.match("\(Self.url)\(number)", ["Range": "bytes=-1048576"])
                if answer.isStored {
                    expectBody(hit, source.block(blocks - 1))
                } else {
                    // No room is an answer, too; after all has been taken.
                    #expect(answer.status == 413, "\(answer.larderPut)")
                    #expect(answer.larderPut == "refused; reason=overload")
                    #expect(hit.isMiss)
                }
                if flags.contains("256MB") { #expect(answer.isStored) }
            }
        }
    }

    /// Many at once, none of which waits for another to end.
    @Test func manyPutsAtOnce() async throws {
        try await withCacheStand(["--memory", "32MB"]) { stand in
            let port = try stand.larder.cacheAPIPort
            let stored = try await concurrently(12) { number in
                let client = try RawClient(port: port)
                let body = largeBody("\(number)", 3_000_000)
                let url = "\(Self.url)-\(number)"
                let answer = try client.put(url, response("200 OK", fresh(), body))
                let hit = try client.match(url)
                if answer.isStored { return hit.isMatch && hit.body == body }
                return answer.larderPut == "refused; reason=overload" && hit.isMiss
            }
            #expect(stored.allSatisfy { $0 }, "\(stored)")
        }
    }
}
