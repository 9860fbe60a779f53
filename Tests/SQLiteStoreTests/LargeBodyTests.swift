import CacheKeys
import GRDB
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine
@testable import SQLiteStore

@Suite("Large bodies")
struct LargeBodyTests {
    let place: Workplace
    let store: SQLiteStore

    init() throws {
        place = try Workplace()
        store = try place.open()
    }

    private func sample(_ key: Int, length: Int64 = 2_500) -> Sample {
        var sample = Sample(key)
        sample.large = LargeBody(store.makeBodyID(), length: length)
        return sample
    }

    private func body(_ sample: Sample) throws -> LargeBody { try #require(sample.large) }

    private func expectWhole(_ sample: Sample, in store: SQLiteStore) throws {
        #expect(try store.find(try sample.query()).entry == sample.entry())
        let large = try body(sample)
        for sequence in 0..<large.body.chunkCount {
            let found = try store.chunk(sequence, of: large.body.id)
            #expect(found == .bytes(large.bytes(sequence)), "chunk \(sequence)")
        }
        #expect(try store.chunk(large.body.chunkCount, of: large.body.id) == .missing)
        #expect(try store.chunk(-1, of: large.body.id) == .missing)
    }

    private func sweep(_ pins: BodyPins = BodyPins()) throws {
        while try store.tend(isIdle: false, pins: pins).hasMoreWork {}
    }

    @Test(
        "A large body comes back chunk by chunk, also after a restart",
        arguments: [1, 1_000, 2_500])
    func roundTrip(length: Int64) throws {
        let sample = sample(1, length: length)
        let large = try body(sample)
        for chunk in large.chunks { try store.commit([chunk]) }
        // A client that is slower than the fill reads what is still hidden.
        #expect(try store.chunk(0, of: large.body.id) == .bytes(large.bytes(0)))
        #expect(try store.find(try sample.query()).name == "uriMiss")
        try store.commit([try sample.put])
        try expectWhole(sample, in: store)
        try sweep()
        try store.close()
        let reopened = try place.open()
        _ = try reopened.tend(isIdle: true, pins: BodyPins())
        try expectWhole(sample, in: reopened)
    }

    @Test("Chunks and put in one batch; two bodies at once")
    func oneBatch() throws {
        let (first, second) = (sample(1), sample(2))
        let pairs = zip(try body(first).chunks, try body(second).chunks)
        try store.commit(pairs.flatMap { [$0, $1] } + [try second.put, try first.put])
        try expectWhole(first, in: store)
        try expectWhole(second, in: store)
    }

    @Test(
        "A put whose chunks are not all there stores nothing, and what it would replace goes",
        arguments: [[1, 2], [0, 2], [0, 1], [], [0, 1, 2, 3]])
    func incomplete(sequences: [Int]) throws {
        try store.commit([try Sample(1).put])
        let sample = sample(1)
        let large = try body(sample)
        try store.commit(
            sequences.map {
                .chunk(BodyChunk(body: large.body.id, sequence: $0, bytes: large.bytes(min($0, 2))))
            })
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query()).name == "uriMiss")
        try sweep()
        #expect(try place.count("chunks") == 0)
        #expect(try place.count("bodies") == 0)
    }

    @Test("A put whose chunks have other lengths stores nothing", arguments: [0, 1, 2])
    func otherLengths(sequence: Int) throws {
        let sample = sample(1)
        let large = try body(sample)
        for index in 0..<3 {
            let count = large.body.length(ofChunk: index) - (index == sequence ? 1 : 0)
            try store.commit([
                .chunk(
                    BodyChunk(
                        body: large.body.id, sequence: index,
                        bytes: ByteBuffer(repeating: 1, count: count)))
            ])
        }
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query()).name == "uriMiss")
    }

    @Test(
        "A put whose own numbers make no sense stores nothing",
        arguments: [(0, 1_000), (-5, 1_000), (.max, 1), (.max, .max), (2_500, .max)]
            as [(Int64, Int)])
    func nonsense(length: Int64, chunkBytes: Int) throws {
        var sample = sample(1)
        let large = try body(sample)
        try store.commit(large.chunks)
        sample.large?.body = ChunkedBody(
            id: large.body.id, length: length, chunkBytes: chunkBytes)
        try store.commit([try sample.put])
        #expect(try store.find(try sample.query()).name == "uriMiss")
    }

    @Test("A replaced, deleted or invalidated response leaves its body to be swept")
    func orphans() throws {
        let ends: [(Sample) throws -> [Mutation]] = [
            { [try Sample($0.key).put] },
            { [.delete(try $0.name)] },
            { [.invalidate(try $0.name.uriKey, at: 5)] },
            { old in
                let new = sample(old.key)
                return try body(new).chunks + [try new.put]
            },
        ]
        for (key, end) in ends.enumerated() {
            let sample = sample(key)
            let large = try body(sample)
            try store.commit(large.chunks + [try sample.put])
            try store.commit(try end(sample))
            #expect(try place.count("bodies WHERE state = 2") == 1)
            // Until the sweep its chunks are there for those who read it.
            #expect(try store.chunk(2, of: large.body.id) == .bytes(large.bytes(2)))
            try sweep()
            #expect(try store.chunk(2, of: large.body.id) == .missing)
        }
        #expect(try place.count("chunks") == 3)
        #expect(try place.count("bodies") == 1)
    }

    @Test("A pinned body stays until it is unpinned; others go meanwhile")
    func pinned() throws {
        let (held, other) = (sample(1), sample(2))
        for sample in [held, other] {
            try store.commit(try body(sample).chunks + [try sample.put])
            try store.commit([.delete(try sample.name)])
        }
        let pins = BodyPins()
        let id = try body(held).body.id
        pins.pin(id)
        try sweep(pins)
        #expect(try store.tend(isIdle: true, pins: pins) == StoreNews())
        #expect(try place.count("chunks WHERE body_id = \(id.rawValue)") == 3)
        #expect(try place.count("chunks") == 3)
        pins.unpin(id)
        try sweep(pins)
        #expect(try place.count("chunks") == 0)
    }

    @Test("Freshening keeps a large body")
    func freshens() throws {
        let sample = sample(1)
        try store.commit(try body(sample).chunks + [try sample.put])
        var fresh = sample
        fresh.fields = [.eTag: "\"1\"", .age: "0"]
        fresh.date += 100
        try store.commit([.freshen(try fresh.response())])
        try sweep()
        try expectWhole(fresh, in: store)
        // The same response once more is no other body.
        try store.commit([try sample.put])
        try sweep()
        try expectWhole(sample, in: store)
    }

    @Test("Freshening a response whose body was replaced or deleted stores nothing")
    func freshensGone() throws {
        for isReplaced in [true, false] {
            let sample = sample(1)
            try store.commit(try body(sample).chunks + [try sample.put])
            try store.commit([isReplaced ? try Sample(1).put : .delete(try sample.name)])
            try store.commit([.freshen(try sample.response())])
            #expect(try store.find(try sample.query()).name == "uriMiss")
            try sweep()
            #expect(try place.count("chunks") == 0)
        }
    }

    @Test("A body that another response has is not taken from it")
    func stolen() throws {
        let owner = sample(1)
        try store.commit(try body(owner).chunks + [try owner.put])
        var thief = Sample(2)
        thief.large = owner.large
        try store.commit([try thief.put, .dropBody(try body(owner).body.id)])
        // Nor does a late chunk change it.
        try store.commit([
            .chunk(
                BodyChunk(
                    body: try body(owner).body.id, sequence: 3, bytes: ByteBuffer(string: "x")))
        ])
        try sweep()
        #expect(try store.find(try thief.query()).name == "uriMiss")
        try expectWhole(owner, in: store)
    }

    @Test("A dropped body is swept, with what comes late")
    func dropped() throws {
        let large = try body(sample(1))
        try store.commit([large.chunks[0], .dropBody(large.body.id), large.chunks[1]])
        try sweep()
        #expect(try place.count("chunks") == 0)
        #expect(try place.count("bodies") == 0)
    }

    @Test("A sweep goes in steps bounded in rows and bytes")
    func steps() throws {
        var removed: [Int] = []
        for (count, bytes) in [(200, 100), (40, 300_000)] {
            let large = LargeBody(
                store.makeBodyID(), length: Int64(count * bytes), chunkBytes: bytes)
            for chunk in large.chunks { try store.commit([chunk]) }
            try store.commit([.dropBody(large.body.id)])
            let writer = try store.currentFile().writer
            _ = writer.access { $0.pins = BodyPins() }
            var left = count
            while left > 0 {
                #expect(writer.access { try? $0.sweepStep(now: 0) } == true)
                let now = try place.count("chunks")
                removed.append(left - now)
                left = now
            }
            while writer.access({ try? $0.sweepStep(now: 0) }) == true {}
            #expect(try place.count("bodies") == 0)
        }
        #expect(removed == [64, 64, 64, 8, 14, 14, 12])
    }

    @Test(
        "What a visiting shell deletes is swept by the running store",
        arguments: ["responses", "bodies"])
    func shell(table: String) throws {
        let sample = sample(1)
        try store.commit(try body(sample).chunks + [try sample.put])
        try place.execute("DELETE FROM \(table)")
        #expect(try store.find(try sample.query()).entry == nil)
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
        try sweep()
        #expect(try place.count("chunks") == 0)
    }

    @Test("What was hidden when the process ended is swept by the next; the rest is there")
    func killed() throws {
        let (whole, half) = (sample(1), sample(2))
        try store.commit(try body(whole).chunks + [try whole.put])
        try store.commit(Array(try body(half).chunks.prefix(2)))
        let copy = try Workplace()
        for name in ["larder.db", "larder.db-wal"] {
            try copy.write(try place.read(name), to: name)
        }
        let reopened = try copy.open()
        #expect(try reopened.find(try half.query()).name == "uriMiss")
        #expect(try copy.count("chunks") == 5)
        // What the earlier process meant to write comes to nothing.
        try reopened.commit([try body(half).chunks[2], try half.put])
        #expect(try reopened.find(try half.query()).name == "uriMiss")
        while try reopened.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
        #expect(try copy.count("chunks") == 3)
        try expectWhole(whole, in: reopened)
    }

    @Test("Names of bodies rise, after a restart and in a fresh file too")
    func names() async throws {
        let ids = await withTaskGroup(of: [BodyID].self) { group in
            for _ in 0..<4 {
                group.addTask { [store] in (0..<500).map { _ in store.makeBodyID() } }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 2_000)
        let last = store.makeBodyID()
        #expect(ids.allSatisfy { $0.rawValue < last.rawValue })
        try store.commit([LargeBody(last).chunks[0]])
        store.exchangeFile(try store.currentFile(), isDamaged: true, reason: "test")
        #expect(store.makeBodyID().rawValue > last.rawValue)
        try store.commit([LargeBody(last).chunks[0]])
        try place.execute(
            """
            INSERT INTO bodies (id) VALUES (9223372036854775807), (-9223372036854775808);
            INSERT INTO chunks VALUES (7, \(last.rawValue + 10), 0, 0, x''),
                (9223372036854775807, 9223372036854775807, 0, 0, x'');
            """)
        try store.close()
        let reopened = try place.open()
        #expect(reopened.makeBodyID().rawValue == last.rawValue + 11)
        while try reopened.tend(isIdle: false, pins: BodyPins()).hasMoreWork {}
    }
}
