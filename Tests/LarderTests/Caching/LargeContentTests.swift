import CacheTestKit
import Glibc
import Testing

/// Request content that is part of a key and larger than what stays in memory, through the built
/// binary.
@Suite(.drivesProcesses)
struct LargeContentTests {
    private static let declared = ["--cache-post", "/search"]

    /// Binary content no two MiB of which are the same.
    private static func content(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        let block = (0..<(1 << 17)).flatMap { _ in
            withUnsafeBytes(of: random.next()) { Array($0) }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count)
        while bytes.count < count {
            let place = bytes.count
            bytes += block
            bytes[place] = UInt8(truncatingIfNeeded: place >> 20)
        }
        return Array(bytes[..<count])
    }

    private func answer(_ stand: Stand) {
        stand.origin.on("/search") { .text("\($0.body.count) bytes") }
    }

    private func post(_ stand: Stand, _ body: [UInt8], chunkSize: Int? = nil) throws -> RawAnswer {
        let client = try RawClient(port: stand.port, host: "larder.test")
        return try client.exchange("POST", "/search", body: body, chunkSize: chunkSize)
    }

    /// Whether these are the contents that the origin was sent; millions of bytes make no message.
    private func originHas(_ stand: Stand, _ bodies: [[UInt8]]) -> Bool {
        stand.origin.requests("/search").map(\.body) == bodies
    }

    /// What the proxy has open and nobody else can see.
    private func namelessFiles(_ stand: Stand) throws -> Int {
        try namelessPaths(stand).count
    }

    private func namelessPaths(_ stand: Stand) throws -> [String] {
        let path = "/proc/\(try stand.larder.process.pid)/fd"
        guard let directory = opendir(path) else { throw SystemCallError("opendir", errno) }
        defer { closedir(directory) }
        var paths: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [CChar](repeating: 0, count: 4096)
            let length = readlink("\(path)/\(name)", &target, target.count)
            let text = String(
                decoding: target.prefix(max(0, length)).map(UInt8.init(bitPattern:)),
                as: UTF8.self)
            if text.hasPrefix("/"), text.hasSuffix("(deleted)") { paths.append("\(path)/\(name)") }
        }
        return paths
    }

    @Test(arguments: [5 << 20, 60 << 20])
    func aMissThenHits(_ size: Int) async throws {
        try await withStand(Self.declared) { stand in
            answer(stand)
            let body = Self.content(size)
            let miss = try post(stand, body)
            #expect(miss.text == "\(size) bytes")
            #expect(miss.cacheStatus.contains("fwd=uri-miss; fwd-status=200; stored"))
            let asked = try #require(stand.origin.requests("/search").first)
            let isWhole = asked.body == body
            #expect(isWhole)
            #expect(asked.fields["Content-Length"] == "\(size)")
            #expect(try post(stand, body).isHit)
            #expect(try post(stand, body, chunkSize: 100_001).isHit)

            var other = body
            other[size - 1] ^= 1
            let otherMiss = try post(stand, other, chunkSize: 65_536)
            #expect(otherMiss.cacheStatus.contains("fwd=miss; fwd-status=200; stored"))
            #expect(originHas(stand, [body, other]))
            #expect(try post(stand, other).isHit)
            #expect(stand.origin.count("/search") == 2)
            try await eventually("the files are gone") { try namelessFiles(stand) == 0 }
        }
    }

    @Test func contentThatDripsIn() async throws {
        try await withStand(Self.declared + ["--body-timeout", "2s"]) { stand in
            answer(stand)
            let body = Self.content(1_500_000)
            let client = try stand.client()
            try client.send(
                "POST /search HTTP/1.1\r\nHost: larder.test\r\n"
                    + "Content-Length: \(body.count)\r\n\r\n")
            for place in stride(from: 0, to: body.count, by: 50_000) {
                try client.send(Array(body[place..<min(place + 50_000, body.count)]))
                try await Task.sleep(for: .milliseconds(120))
            }
            #expect(try client.readAnswer().cacheStatus.contains("stored"))
            #expect(originHas(stand, [body]))
            #expect(try post(stand, body).isHit)
        }
    }

    @Test(arguments: [nil, 70_000])
    func aByteOverTheLimitPassesThrough(_ chunkSize: Int?) async throws {
        try await withStand(Self.declared + ["--max-key-body", "3MB"]) { stand in
            answer(stand)
            let over = Self.content((3 << 20) + 1)
            let exact = Array(over.dropLast())
            for _ in 1...2 {
                let passed = try post(stand, over, chunkSize: chunkSize)
                #expect(
                    passed.cacheStatus == "larder; fwd=bypass; fwd-status=200; detail=body-limit")
                #expect(passed.xCache == "BYPASS")
            }
            #expect(originHas(stand, [over, over]))
            #expect(try post(stand, exact, chunkSize: chunkSize).cacheStatus.contains("stored"))
            #expect(try post(stand, exact, chunkSize: chunkSize).isHit)
            try await eventually("the files are gone") { try namelessFiles(stand) == 0 }
        }
    }

    @Test(arguments: [nil, 70_000])
    func aFullSpoolPassesThrough(_ chunkSize: Int?) async throws {
        try await withStand(Self.declared + ["--spool-size", "2MB"]) { stand in
            answer(stand)
            let body = Self.content(5 << 20)
            let passed = try post(stand, body, chunkSize: chunkSize)
            #expect(passed.cacheStatus == "larder; fwd=bypass; fwd-status=200; detail=spool")
            #expect(originHas(stand, [body]))
            let small = Array(body[..<1_900_000])
            #expect(try post(stand, small).cacheStatus.contains("stored"))
            #expect(try post(stand, small).isHit)
        }
    }

    @Test func aClientThatLeavesLeavesNothing() async throws {
        try await withStand(Self.declared) { stand in
            answer(stand)
            let part = Self.content(3 << 20)
            for isChunked in [false, true] {
                let client = try stand.client()
                let framing =
                    isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(part.count + 1)"
                try client.send("POST /search HTTP/1.1\r\nHost: larder.test\r\n\(framing)\r\n\r\n")
                try client.send(isChunked ? chunked(part, size: 9999).dropLast(5) + [] : part)
                try await eventually("a file") { try namelessFiles(stand) == 1 }
                // It has no name, not even for a moment that somebody could see.
                #expect(stand.directory.names().allSatisfy { !$0.contains("spool") })
                client.close()
                try await eventually("no file") { try namelessFiles(stand) == 0 }
            }
            #expect(stand.origin.connectionCount == 0)
            #expect(try stand.get("/other").status == 404)
            #expect(try stand.sqlite("SELECT count(*) FROM entries") == "0")
        }
    }

    /// 600 MB of content on its way at once.
    @Test func manyUploadsTakeLittleMemory() async throws {
        try await withStand(Self.declared) { stand in
            let part = Self.content(64 << 10)
            let announced = 5 << 20
            var clients: [RawClient] = []
            for _ in 0..<150 {
                let client = try stand.client()
                try client.send(
                    "POST /search HTTP/1.1\r\nHost: larder.test\r\nContent-Length: \(announced)"
                        + "\r\n\r\n")
                clients.append(client)
            }
            for _ in 0..<64 {
                for client in clients { try client.send(part) }
            }
            let status = readFile("/proc/\(try stand.larder.process.pid)/status")
            let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix("VmHWM") }
            let peak = try #require(line?.split(separator: " ").compactMap { Int($0) }.first)
            #expect(peak < 300 << 10, "\(peak) kB")
            #expect(try namelessFiles(stand) == 150)
            for client in clients { client.close() }
            try await eventually("no files") { try namelessFiles(stand) == 0 }
            #expect(stand.origin.connectionCount == 0)
        }
    }

    @Test func aReusedConnectionThatWasDeadIsNoticed() async throws {
        try await withStand(Self.declared + ["--threads", "1"]) { stand in
            let body = Self.content(3 << 20)
            stand.origin.on("/search", .drop, .text("answer"))
            stand.origin.on("/first", .text("first"))
            _ = try stand.get("/first")
            let answer = try post(stand, body)
            #expect(answer.status == 200 && answer.text == "answer")
            #expect(originHas(stand, [body, body]))
            #expect(try post(stand, body).isHit)
        }
    }

    @Test func aFileThatIsCutFailsTheExchange() async throws {
        try await withStand(Self.declared + ["--max-key-body", "2MB"]) { stand in
            answer(stand)
            let client = try stand.client()
            try client.send(
                "POST /search HTTP/1.1\r\nHost: larder.test\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n")
            // As much as a key may have: what is not on disk is less than a batch.
            try client.send(chunked(Self.content(2 << 20), size: 60_000).dropLast(5) + [])
            try await eventually("the file") {
                var status = stat()
                guard let path = try namelessPaths(stand).first else { return false }
                return stat(path, &status) == 0 && status.st_size > (2 << 20) - (64 << 10)
            }
            let path = try #require(try namelessPaths(stand).first)
            #expect(truncate(path, 0) == 0)
            try client.send("1\r\nx\r\n")
            let failed = try client.readAnswer()
            #expect(failed.status == 500)
            #expect(failed.fields["Proxy-Status"] == "larder; error=proxy_internal_error")
            #expect(stand.origin.requests("/search").isEmpty)
            try await eventually("no file") { try namelessFiles(stand) == 0 }
            #expect(try post(stand, Self.content(1_500_000)).status == 200)
        }
    }

    @Test func theStartIsKeptForPeople() async throws {
        try await withStand(Self.declared) { stand in
            answer(stand)
            let text = Array(String(repeating: "find this; ", count: 200_000).utf8)
            _ = try post(stand, text)
            try await stand.waitForEntries(1)
            let kept = try stand.sqlite("SELECT length(request_content) FROM entries")
            #expect(kept == "65536")
        }
    }
}
