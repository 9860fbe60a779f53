import CacheTestKit
import HTTPTypes
import LarderCache
import NIOCore
import Testing

@Suite("Cache: bodies of any size, from bytes and from sequences")
struct BodyTests {
    let place: Place

    init() throws {
        place = try Place()
    }

    /// Pieces of seeded bytes, made as they are asked for.
    struct Pieces: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        var count: Int
        var bytes = 10_000
        var failsAt: Int?

        struct Broken: Error {}

        struct Iterator: AsyncIteratorProtocol {
            let pieces: Pieces
            var index = 0

            mutating func next() async throws -> ByteBuffer? {
                guard index < pieces.count else { return nil }
                if index == pieces.failsAt { throw Broken() }
                defer { index += 1 }
                return Pieces.piece(index, pieces.bytes)
            }
        }

        func makeAsyncIterator() -> Iterator { Iterator(pieces: self) }

        static func piece(_ index: Int, _ bytes: Int) -> ByteBuffer {
            var buffer = ByteBuffer()
            var seed = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 1
            while buffer.readableBytes < bytes {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1
                buffer.writeInteger(seed)
            }
            return buffer.getSlice(at: 0, length: bytes) ?? ByteBuffer()
        }

        var all: ByteBuffer {
            (0..<count).reduce(into: ByteBuffer()) {
                $0.writeImmutableBuffer(Self.piece($1, bytes))
            }
        }
    }

    /// Somebody writes into the file; what was put is not given out, and is found no more.
    @Test func aDamagedBodyIsGone() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let pieces = Pieces(count: 200)
            try await cache.put(.path("/a"), .ok(), body: CacheBody(pieces))
            try await cache.put(.path("/b"), .ok(), body: CacheBody("other"))
            try await storage.flush()
            let found = try #require(try await cache.match(.path("/a")))
            _ = try sqlite(
                place.path,
                """
                PRAGMA busy_timeout=5000;
                UPDATE chunks SET data = zeroblob(length(data)) WHERE seq = 1
                """, in: place.directory)
            await #expect(throws: CacheError.unreadable) {
                try await found.body.collect(upTo: 4 << 20)
            }
            #expect(try await cache.match(.path("/a")) == nil)
            #expect(try await cache.text(.path("/b")) == "other")
            try await cache.put(.path("/a"), .ok(), body: CacheBody(pieces))
            let again = try #require(try await cache.match(.path("/a")))
            #expect(try await again.body.collect(upTo: 4 << 20) == pieces.all)
        }
    }

    @Test(arguments: [0, 1, 26, 27, 200])
    func sequencesOfAnyLength(count: Int) async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let pieces = Pieces(count: count)
            #expect(try await cache.put(.path("/a"), .ok(), body: CacheBody(pieces)).isStored)
            for isWritten in [false, true] {
                if isWritten { try await storage.flush() }
                let found = try #require(try await cache.match(.path("/a")))
                #expect(found.body.length == Int64(count * 10_000))
                let isSame = try await found.body.collect(upTo: 1 << 22) == pieces.all
                #expect(isSame)
            }
        }
        try await place.with { (storage: CacheStorage) async throws in
            let found = try #require(try await storage.default.match(.path("/a")))
            let isSame = try await found.body.collect(upTo: 1 << 22) == pieces(count).all
            #expect(isSame)
        }
    }

    private func pieces(_ count: Int) -> Pieces { Pieces(count: count) }

    @Test(arguments: [0, 3, 100])
    func aBodyThatFailsStoresNothing(failsAt: Int) async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            try await cache.put(.path("/a"), .ok(), body: CacheBody("old"))
            let error = await #expect(throws: CacheError.self) {
                try await cache.put(
                    .path("/a"), .ok(), body: CacheBody(Pieces(count: 200, failsAt: failsAt)))
            }
            guard case .bodyFailed = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(try await cache.text(.path("/a")) == "old")
        }
    }

    @Test(arguments: [Int64(9), 11])
    func aLengthThatIsNotKeptStoresNothing(length: Int64) async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let body = CacheBody(Pieces(count: 1, bytes: 10), length: length)
            #expect(
                try await storage.default.put(.path("/a"), .ok(), body: body)
                    == .refused(.malformed))
            #expect(try await storage.default.match(.path("/a")) == nil)
        }
    }

    @Test func contentOfA204IsRefused() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let response = HTTPResponse(
                status: .noContent, headerFields: [.cacheControl: "max-age=500"])
            #expect(
                try await storage.default.put(.path("/a"), response, body: CacheBody("x"))
                    == .refused(.malformed))
            #expect(try await storage.default.put(.path("/a"), response).isStored)
            let found = try #require(try await storage.default.match(.path("/a")))
            #expect(found.head.headerFields[.contentLength] == nil)
        }
    }

    @Test func whatIsTooLargeIsRefusedAndTakenToItsEnd() async throws {
        try await place.with({ $0.maxBodyBytes = 100_000 }) {
            (storage: CacheStorage) async throws in
            let cache = storage.default
            #expect(
                try await cache.put(.path("/a"), .ok(), body: CacheBody(Pieces(count: 11)))
                    == .refused(.bodyLimit))
            #expect(
                try await cache.put(.path("/a"), .ok(), body: CacheBody(Pieces(count: 10)))
                    .isStored)
        }
    }

    /// The rows of a body stay for who has matched it.
    @Test func aBodyOutlivesItsDeletion() async throws {
        try await place.with { (storage: CacheStorage) async throws in
            let cache = storage.default
            let pieces = Pieces(count: 100)
            try await cache.put(.path("/a"), .ok(), body: CacheBody(pieces))
            try await storage.flush()
            let found = try #require(try await cache.match(.path("/a")))
            #expect(try await cache.delete(.path("/a")))
            try await storage.flush()
            let isSame = try await found.body.collect(upTo: 1 << 22) == pieces.all
            #expect(isSame)
            #expect(try await cache.match(.path("/a")) == nil)
        }
    }

    @Test func collectingIsBounded() async throws {
        let body = CacheBody("12345")
        await #expect(throws: CacheError.bodyTooLong(limit: 4)) { try await body.collect(upTo: 4) }
        let pieces = CacheBody(Pieces(count: 2, bytes: 10))
        await #expect(throws: CacheError.bodyTooLong(limit: 19)) {
            try await pieces.collect(upTo: 19)
        }
        #expect(try await pieces.collect(upTo: 20).readableBytes == 20)
        // As often as one likes.
        #expect(try await pieces.collect(upTo: 20).readableBytes == 20)
    }

    @Test func manyPutsAtOnceAreAllFound() async throws {
        try await place.with({ $0.memoryBytes = 16 << 20 }) {
            (storage: CacheStorage) async throws in
            let cache = storage.default
            try await withThrowingTaskGroup { group in
                for index in 0..<64 {
                    group.addTask {
                        let body = CacheBody(Pieces(count: index))
                        _ = try await cache.put(.path("/\(index)"), .ok(), body: body)
                    }
                }
                try await group.waitForAll()
            }
            for index in 0..<64 {
                // Where memory was short, nothing is there rather than something else.
                guard let found = try await cache.match(.path("/\(index)")) else { continue }
                let isSame = try await found.body.collect(upTo: 1 << 22) == pieces(index).all
                #expect(isSame, "\(index)")
            }
        }
    }
}
