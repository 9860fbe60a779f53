import CacheEngine
import HTTPTypes
import Testing

@testable import HTTPFrontend

/// Which rows a range reads, and what happens when one is gone.
@Suite("Ranges of bodies in chunk rows")
struct ChunkRangeTests {
    @Test(arguments: [
        ("bytes=0-0", [0]), ("bytes=25-25", [6]), ("bytes=-2", [6]), ("bytes=3-4", [0, 1]),
        ("bytes=4-7", [1]), ("bytes=9-18", [2, 3, 4]), ("bytes=0-0,2-3,9-9", [0, 2]),
        ("bytes=99-", []), ("bytes=0-", [0, 1, 2, 3, 4, 5, 6]),
    ])
    func onlyWhatIsNeededIsRead(_ range: String, reads: [Int]) async throws {
        try await withStoredAlphabet(.chunks) { front, client in
            _ = try await client.ask(get("/a", "Range: \(range)"))
            #expect(front.store.takeReads() == reads)
        }
    }

    /// Nothing was sent yet: as if it were not stored.
    @Test(arguments: [
        Place.chunks, .rowAndChunks,
    ])
    func aLostFirstChunkIsAMiss(_ place: Place) async throws {
        try await withStoredAlphabet(place) { front, client in
            front.store.lose(chunk: 0)
            front.origin.reply { seen in
                .init(
                    status: 206,
                    fields: [("Content-Range", "bytes 0-0/26"), ("ETag", "\"v1\"")],
                    parts: [seen.values("range").joined()])
            }
            let answer = try await client.ask(get("/a", "Range: bytes=0-0"))
            #expect(answer.status == 206 && answer.body == "bytes=0-0")
            #expect(
                answer.values("cache-status").allSatisfy { $0.hasPrefix("larder; fwd=miss") })
            try await front.eventually("the row is gone") { front.store.entries.isEmpty }
        }
    }

    /// Also with several ranges: what is before the first part does not leave before the part.
    @Test func aLostFirstChunkOfSeveralRangesIsAMiss() async throws {
        try await withStoredAlphabet(.chunks) { front, client in
            front.store.lose(chunk: 1)
            front.origin.reply { _ in .init(parts: ["whole"]) }
            let answer = try await client.ask(get("/a", "Range: bytes=5-5,9-9"))
            #expect(answer.status == 200 && answer.body == "whole")
        }
    }

    @Test(arguments: ["bytes=2-9", "bytes=0-0,9-9", "bytes=0-0,5-5,9-20"])
    func aChunkLostLaterCutsTheConnection(_ range: String) async throws {
        try await withStoredAlphabet(.chunks) { front, client in
            front.store.lose(chunk: 2)
            try await client.reset()
            try await client.send(get("/a", "Range: \(range)"))
            try await front.eventually("the cut") { client.isCut }
            let text = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 206 Partial Content\r\n"))
            #expect(!text.contains("j") && front.origin.seen.count == 1)
        }
    }

    /// Nobody reads on for a client that does not take what it has.
    @Test func aStalledClientIsNotReadFor() async throws {
        try await withStoredAlphabet(.chunks) { front, client in
            try await client.withSocket { $0.fill() }
            try await client.send(get("/a"), get("/a", "Range: bytes=8-"))
            await front.advance(1)
            #expect(front.store.takeReads().count <= 3)
            try await client.reset()
            try await client.withSocket { $0.takeAll() }
            let answers = try await client.answers(2)
            #expect(answers.map(\.status) == [200, 206])
            #expect(answers.last?.body == "ijklmnopqrstuvwxyz")
        }
    }

    /// A range alone puts nothing into memory; the whole does, and ranges are cut from it there.
    @Test func theWholeIsTakenIntoMemory() async throws {
        try await withStoredAlphabet(.chunks) { front, client in
            _ = try await client.ask(get("/a", "Range: bytes=0-24"))
            _ = try await client.ask(get("/a", "Range: bytes=0-24"))
            #expect(front.store.takeReads().count == 14)
            _ = try await client.ask(get("/a"))
            #expect(front.store.takeReads().count == 7)
            let answer = try await client.ask(get("/a", "Range: bytes=0-24"))
            #expect(answer.body == String(alphabet.dropLast()))
            #expect(front.store.takeReads().isEmpty)
        }
    }
}
