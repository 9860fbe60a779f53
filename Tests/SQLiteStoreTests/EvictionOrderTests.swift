import CacheKeys
import GRDB
import NIOCore
import Testing

@testable import CacheEngine
@testable import SQLiteStore

@Suite("Who is evicted next")
struct EvictionOrderTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Evicts one row after the other and returns their keys.
    private func evictAll(_ store: SQLiteStore) throws -> [Int] {
        let writer = try store.currentFile().writer
        let now = place.clock.now
        var order: [Int] = []
        var left = try keys()
        while writer.access({ try? $0.evictStep(need: 1, now: now) }) == true {
            let kept = try keys()
            order += left.subtracting(kept).sorted()
            left = kept
        }
        return order
    }

    private func keys() throws -> Set<Int> {
        let visitor = try place.visit()
        defer { try? visitor.close() }
        let rows = try visitor.read {
            try String.fetchAll($0, sql: "SELECT target FROM responses")
        }
        return Set(rows.compactMap { Int($0.dropFirst()) })
    }

    private func sample(_ key: Int, at time: Int64) -> Sample {
        var sample = Sample(key)
        sample.target = "/\(key)"
        // `Sample` is received a second before.
        sample.date = time + 1
        return sample
    }

    @Test("Stored, used, stored anew, freshened: the order is that of the last of them")
    func simple() throws {
        let store = try place.open()
        let start = place.clock.now
        try store.commit(try (0..<8).map { try sample($0, at: start + Int64($0)).put })
        try store.commit([.touch([try Sample(1).name], at: start + 100)])
        try store.commit([try sample(0, at: start + 50).put])
        try store.commit([.freshen(try sample(3, at: start + 60).response())])
        try store.commit([.touch([try Sample(4).name], at: start + 20)])
        try store.commit([try sample(4, at: start + 70).put])
        try store.commit([.touch([try Sample(5).name], at: start + 2)])
        #expect(try evictAll(store) == [2, 5, 6, 7, 0, 3, 4, 1])
    }

    @Test("It is the order of last use whatever came before", arguments: 0..<6)
    func random(seed: UInt64) throws {
        var random = Generator(seed: seed)
        let store = try place.open { $0.maxBytes = 4_000_000 }
        let start = place.clock.now
        var lastUse: [Int: Int64] = [:]
        // Times of one kind never meet, so that there is one right order.
        for step in 0..<900 {
            let key = Int(random.next(below: 400))
            let time = start + Int64(step) * 2
            switch random.next(below: 10) {
            case 0..<6:
                try store.commit([try sample(key, at: time).put])
                lastUse[key] = time
            case 6..<9:
                try store.commit([.touch([try Sample(key).name], at: time)])
                if lastUse[key] != nil { lastUse[key] = time }
            default:
                try store.commit([.delete(try Sample(key).name)])
                lastUse[key] = nil
            }
            guard step % 100 == 99 else { continue }
            // The hand moves on between, and what stands behind it changes.
            let writer = try store.currentFile().writer
            let now = place.clock.now
            for _ in 0..<20 {
                let expected = try #require(lastUse.min { $0.value < $1.value }?.key)
                #expect(writer.access { try? $0.evictStep(need: 1, now: now) } == true)
                #expect(try !keys().contains(expected))
                lastUse[expected] = nil
                #expect(try place.count() == lastUse.count)
            }
        }
        let expected = lastUse.sorted { $0.value < $1.value }.map(\.key)
        #expect(try evictAll(store) == expected)
    }

    @Test("Rows that got the ids of deleted ones are seen")
    func reusedIDs() throws {
        let store = try place.open()
        let start = place.clock.now
        try store.commit(try (0..<100).map { try sample($0, at: start).put })
        try store.commit([.touch(try (0..<100).map { try Sample($0).name }, at: start + 50)])
        let writer = try store.currentFile().writer
        // The hand goes to the end: everything has a touch.
        #expect(writer.access { try? $0.evictStep(need: 1, now: start) } == true)
        #expect(writer.access { $0.hand } == 100)
        try store.commit(try (50..<100).map { .delete(try Sample($0).name) })
        try store.commit(try (200..<210).map { try sample($0, at: start + 10).put })
        #expect(writer.access { $0.hand } == 50)
        try store.close()
        let reopened = try place.open()
        #expect(try reopened.currentFile().writer.access { $0.hand } == 50)
        #expect(
            try evictAll(reopened).prefix(11) == [
                200, 201, 202, 203, 204, 205, 206, 207, 208, 209, 1,
            ])
    }

    @Test("Touches without a row are removed, rows whose touch was removed are found again")
    func edited() throws {
        let store = try place.open()
        let start = place.clock.now
        try store.commit(try (0..<100).map { try sample($0, at: start).put })
        try store.commit([.touch(try (0..<100).map { try Sample($0).name }, at: start + 50)])
        let writer = try store.currentFile().writer
        #expect(writer.access { try? $0.evictStep(need: 1, now: start) } == true)
        try place.execute(
            """
            DELETE FROM touches;
            INSERT INTO touches VALUES (5000, 1, 1), (-9223372036854775808, 2, 1),
                (9223372036854775807, 'x', 1);
            """)
        #expect(try evictAll(store).count == 99)
        #expect(try place.count("touches") == 0)
    }

    @Test("Numbers of a row that make no sense stop nothing")
    func strange() throws {
        let store = try place.open()
        try store.commit(try (0..<20).map { try sample($0, at: place.clock.now).put })
        try place.execute(
            """
            UPDATE responses SET body_size = 9223372036854775807, body_id = 9223372036854775807
                WHERE id = 3;
            UPDATE responses SET response_time = 9223372036854775807 WHERE id = 4;
            UPDATE responses SET response_time = 'x', fresh_until = 'y', body = 'text' WHERE id = 5;
            UPDATE responses SET id = 9223372036854775807 WHERE id = 6;
            UPDATE responses SET id = -9223372036854775808 WHERE id = 7;
            UPDATE responses SET body_id = 'z', stored_anew = 'z' WHERE id = 8;
            INSERT INTO touches VALUES (9, 9223372036854775807, 9223372036854775807);
            """)
        try store.commit([.touch([try Sample(8).name], at: 5)])
        _ = try store.tend(isIdle: true, pins: BodyPins())
        _ = try evictAll(store)
        // The least id of all is below every hand.
        #expect(try place.count("responses WHERE id > -9223372036854775808") == 0)
        try store.commit([try sample(1, at: 0).put])
    }
}

/// Numbers that a seed repeats.
private struct Generator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    }

    mutating func next(below bound: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % bound
    }
}

@Suite("What the file may hold")
struct FileBudgetTests {
    private func budget(_ maxBytes: Int64) -> FileBudget {
        var configuration = SQLiteStoreConfiguration(path: "")
        configuration.maxBytes = maxBytes
        return FileBudget(configuration: configuration)
    }

    @Test("Eviction begins at 95 % and ends at 90 %")
    func evicting() {
        var budget = budget(100 * 4_096_000)
        for (percent, isEvicting) in [
            (94, false), (96, true), (91, true), (90, false), (94, false),
        ] {
            budget.note(.init(pages: 200_000, freePages: 200_000 - Int64(percent) * 1_000))
            #expect(budget.isEvicting == isEvicting, "\(percent)")
        }
    }

    @Test("Room is made for twice what comes, and never for less than it")
    func room() {
        let budget = budget(100_000_000)
        #expect(budget.goal(used: 90_000_000, adding: 1_000_000) == nil)
        #expect(budget.goal(used: 97_500_000, adding: 1_000_000) == 95_500_000)
        #expect(budget.goal(used: 97_500_000, adding: 20_000_000) == 80_000_000)
        #expect(budget.goal(used: 500_000_000, adding: 1_000_000) == 498_000_000)
        #expect(budget.exceeds(used: 99_500_000, adding: 1_000_000))
        #expect(!budget.exceeds(used: 99_000_000, adding: 1_000_000))
    }

    @Test("A tenth of free pages makes the file shrink, down to a twentieth")
    func shrinking() {
        var budget = budget(1_000_000_000)
        for (pages, free, isShrinking) in [
            (5_000, 1_024, false), (5_000, 1_025, true), (5_000, 513, true), (5_000, 512, false),
            (50_000, 4_999, false), (50_000, 5_001, true), (50_000, 2_501, true),
            (50_000, 2_500, false),
        ] as [(Int64, Int64, Bool)] {
            budget.note(.init(pages: pages, freePages: free))
            #expect(budget.isShrinking == isShrinking, "\(pages) \(free)")
        }
    }

    @Test(
        "No number is too large or too small",
        arguments: [.min, -1, 0, 1, 1 << 20, .max] as [Int64])
    func extremes(maxBytes: Int64) {
        var budget = budget(maxBytes)
        #expect(budget.maxBytes >= 256 << 10)
        #expect((1...4_294_967_294).contains(budget.pageLimit))
        for used in [0, 1, 1 << 50] as [Int64] {
            for adding in [0, 1, .max] as [Int64] {
                let goal = budget.goal(used: used, adding: adding)
                #expect(goal.map { (0...used).contains($0) || $0 <= budget.goalBytes } ?? true)
                _ = budget.exceeds(used: used, adding: adding)
            }
        }
        budget.note(.init(pages: 0, freePages: 4_294_967_295))
        budget.note(.init(pages: 4_294_967_295, freePages: 0))
    }
}
