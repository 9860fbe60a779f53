import CacheEngine
import NIOCore
import NIOPosix
import Testing

@testable import HTTPFrontend

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Files of spooled content")
struct SpoolFileTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.any()
    private let budget = MemoryBudget(limit: 1 << 20)

    private func area(_ directory: String = "/tmp", bytes: Int = 1 << 20) -> SpoolArea {
        SpoolArea(directory: directory, byteLimit: bytes, budget: budget)
    }

    private func append(_ text: String, to file: SpoolFile) async -> SpoolFile.Failure? {
        await withCheckedContinuation { continuation in
            file.append(ByteBuffer(string: text), on: loop) { continuation.resume(returning: $0) }
        }
    }

    private func read(_ file: SpoolFile, at offset: Int64, _ count: Int) async -> String? {
        await withCheckedContinuation { continuation in
            file.read(at: offset, count: count, on: loop) { bytes in
                continuation.resume(returning: bytes.map { String(buffer: $0) })
            }
        }
    }

    @Test func whatIsWrittenIsReadAnyNumberOfTimes() async throws {
        let file = try #require(SpoolFile(area()))
        #expect(file.length == 0)
        #expect(await append("hello ", to: file) == nil)
        #expect(await append("world", to: file) == nil)
        #expect(file.length == 11)
        for _ in 1...2 {
            #expect(await read(file, at: 0, 100) == "hello world")
            #expect(await read(file, at: 4, 4) == "o wo")
        }
        #expect(await read(file, at: 11, 5) == "")
        #expect(await read(file, at: 12, 5) == nil)
        #expect(await read(file, at: -1, 5) == nil)
        try await eventually { budget.used == 0 }
    }

    @Test func theLastReferenceGivesEverythingBack() async throws {
        let area = area()
        do {
            let file = try #require(SpoolFile(area))
            #expect(await append("hello", to: file) == nil)
            #expect(area.usedBytes == 5 && area.openFiles == 1)
        }
        try await eventually { area.usedBytes == 0 && area.openFiles == 0 }
    }

    @Test func filesShareTheirBytes() async throws {
        let area = area(bytes: 10)
        let first = try #require(SpoolFile(area))
        let second = try #require(SpoolFile(area))
        #expect(await append("1234567", to: first) == nil)
        #expect(await append("1234", to: second) == .budget)
        #expect(await append("123", to: second) == nil)
        #expect(await append("1", to: first) == .budget)
        #expect(await read(first, at: 0, 10) == "1234567")
    }

    @Test func withoutSupportForNamelessFilesTheNameGoesAtOnce() throws {
        let descriptor = area().openUnlinked()
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var status = stat()
        #expect(fstat(descriptor, &status) == 0)
        #expect(status.st_nlink == 0 && status.st_mode & 0o777 == 0o600)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(area("/nonexistent").openUnlinked() == -ENOENT)
    }

    @Test func noDirectoryIsAFailure() async throws {
        let file = try #require(SpoolFile(area("/nonexistent/directory")))
        let failure = await append("x", to: file)
        #expect(failure == .system(2))
        #expect(file.length == 0)
        #expect(await read(file, at: 0, 1) == "")
    }

    private func eventually(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
