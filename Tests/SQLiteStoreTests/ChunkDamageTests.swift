import CacheEngine
import CacheKeys
import GRDB
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Damaged large bodies")
struct ChunkDamageTests {
    let place: Workplace
    let store: SQLiteStore
    let sample: Sample
    let large: LargeBody

    init() throws {
        place = try Workplace()
        store = try place.open()
        large = LargeBody(store.makeBodyID())
        var sample = Sample(1)
        sample.large = large
        self.sample = sample
        try store.commit(large.chunks + [try sample.put])
    }

    @Test(
        "A changed chunk is found",
        arguments: [
            "data = zeroblob(1000)", "data = substr(data, 2)", "data = data || x'00'", "data = x''",
            "data = 'text'", "data = 5", "data = zeroblob(17000000)", "checksum = checksum + 1",
            "checksum = 'x'",
            // The right chunk of another place.
            "(data, checksum) = (SELECT data, checksum FROM chunks WHERE seq = 1)",
        ])
    func edited(edit: String) throws {
        try place.execute("UPDATE chunks SET \(edit) WHERE seq = 0")
        #expect(try store.chunk(0, of: large.body.id) == .damaged)
        #expect(try store.chunk(1, of: large.body.id) == .bytes(large.bytes(1)))
    }

    @Test(
        "A chunk of another length is damaged under a right checksum too", arguments: [999, 1_001])
    func otherLength(count: Int) throws {
        let bytes = [UInt8](repeating: 7, count: count)
        let checksum = bytes.withUnsafeBytes { Checksum.of($0, chunk: 1, of: large.body.id) }
        let hex = String(repeating: "07", count: count)
        try place.execute(
            "UPDATE chunks SET data = x'\(hex)', checksum = \(checksum) WHERE seq = 1")
        #expect(try store.chunk(1, of: large.body.id) == .damaged)
    }

    @Test("A chunk that is gone is missing")
    func gone() throws {
        try place.execute("DELETE FROM chunks WHERE seq = 1")
        #expect(try store.chunk(1, of: large.body.id) == .missing)
        #expect(try store.chunk(2, of: large.body.id) == .bytes(large.bytes(2)))
    }

    private static let heads = [
        "chunk_count = 0", "chunk_count = 2", "chunk_count = 4", "chunk_count = -1",
        "chunk_count = 9223372036854775807", "chunk_size = 0", "chunk_size = -1",
        "chunk_size = 9223372036854775807", "chunk_size = 1", "chunk_size = 999",
        "chunk_size = 'x'",
        "body_size = 0", "body_size = 9223372036854775807", "body_size = -9223372036854775808",
        "body_size = 3000, chunk_count = 3", "body_id = NULL", "body_id = 99",
        "body_id = 9223372036854775807", "body_id = 'x'",
        "body_size = 9223372036854775807, chunk_size = 1, chunk_count = 9223372036854775807",
    ]

    @Test("A head that says something else of its body is damage", arguments: heads)
    func editedHead(edit: String) throws {
        try place.execute("UPDATE responses SET \(edit)")
        #expect(try store.find(try sample.query()).name == "damaged")
    }

    @Test("So it is under a right checksum", arguments: heads)
    func resealedHead(edit: String) throws {
        try place.execute("UPDATE responses SET \(edit)")
        try place.reseal(sample)
        guard case .damaged(let name, let mark) = try store.find(try sample.query()) else {
            Issue.record("not seen as damaged")
            return
        }
        try store.commit([.deleteUnreadable(name, mark)])
        while try store.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
        #expect(try store.find(try sample.query()).name == "uriMiss")
    }

    @Test(
        "A body's own row that says something else is damage",
        arguments: [
            "state = 0", "state = 2", "state = -1", "length = 2501", "length = -1",
            "chunk_size = 0",
            "length = 9223372036854775807", "chunk_size = 9223372036854775807", "id = 99",
        ])
    func editedBody(edit: String) throws {
        try place.execute("UPDATE bodies SET \(edit)")
        #expect(try store.find(try sample.query()).name == "damaged")
        _ = try store.chunk(0, of: large.body.id)
        _ = try store.chunk(.max, of: large.body.id)
    }

    @Test("Chunks in strange places do not keep a body from being swept")
    func strangeChunks() throws {
        let id = large.body.id.rawValue
        try place.execute(
            """
            INSERT INTO chunks (body_id, seq, checksum, data) VALUES
                (\(id), -9223372036854775808, 0, x''), (\(id), 9223372036854775807, 0, 'x'),
                (\(id), 'x', 'y', 5);
            """)
        try store.commit([.delete(try sample.name)])
        while try store.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
        #expect(try place.count("chunks") == 0)
        #expect(try place.count("bodies") == 0)
    }
}
