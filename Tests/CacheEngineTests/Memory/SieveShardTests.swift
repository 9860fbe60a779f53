import CacheKeys
import CacheTestKit
import Testing

@testable import CacheEngine

@Suite struct SieveShardTests {
    /// A shard with room for so many of the responses that `response(_:)` makes.
    private func shard(_ count: Int) -> SieveShard {
        SieveShard(budget: response(1).cost * count)
    }

    private func keys(_ shard: SieveShard, of numbers: ClosedRange<Int>) -> [Int] {
        numbers.filter { !shard.variants(of: digest($0)).isEmpty }
    }

    /// The variants of key 1, in the shard's order.
    private func variants(_ shard: SieveShard) -> [Int] {
        shard.variants(of: digest(1)).compactMap { response in
            (1...9).first { digest(5000 + $0) == response.variant.key }
        }
    }

    private func fill(_ shard: inout SieveShard, _ numbers: ClosedRange<Int>) {
        for number in numbers { shard.insert(response(number), variantLimit: 64) }
    }

    @Test func evictsTheOldestFirst() {
        var shard = shard(5)
        fill(&shard, 1...7)
        #expect(keys(shard, of: 1...7) == [3, 4, 5, 6, 7])
        #expect(shard.count == 5)
        #expect(shard.bytes == 5 * response(1).cost)
    }

    @Test func aVisitSavesOnce() {
        var shard = shard(5)
        fill(&shard, 1...5)
        #expect(shard.single(digest(1)) != nil)
        #expect(shard.single(digest(2)) != nil)
        fill(&shard, 6...6)
        // The hand cleared 1 and 2 and took 3; it goes on from there, not from the tail.
        #expect(keys(shard, of: 1...6) == [1, 2, 4, 5, 6])
        fill(&shard, 7...9)
        #expect(keys(shard, of: 1...9) == [1, 2, 7, 8, 9])
        fill(&shard, 10...10)
        #expect(keys(shard, of: 1...10) == [1, 2, 8, 9, 10])
    }

    @Test func theHandWrapsWhenAllWereVisited() {
        var shard = shard(4)
        fill(&shard, 1...4)
        for number in 1...4 { _ = shard.single(digest(number)) }
        fill(&shard, 5...5)
        #expect(keys(shard, of: 1...5) == [2, 3, 4, 5])
    }

    @Test func removingWhatTheHandPointsAtMovesIt() throws {
        var shard = shard(5)
        fill(&shard, 1...5)
        _ = shard.single(digest(1))
        fill(&shard, 6...6)
        // The hand stands on 3 now.
        #expect(keys(shard, of: 1...6) == [1, 3, 4, 5, 6])
        shard.remove(digest(3), variant: nil)
        fill(&shard, 7...8)
        #expect(keys(shard, of: 1...8) == [1, 5, 6, 7, 8])
    }

    @Test func removingTheNewestUnderTheHandStartsAtTheTail() {
        var shard = shard(4)
        fill(&shard, 1...4)
        for number in 1...3 { _ = shard.single(digest(number)) }
        fill(&shard, 5...5)
        #expect(keys(shard, of: 1...5) == [1, 2, 3, 5])
        shard.remove(digest(5), variant: nil)
        fill(&shard, 6...7)
        #expect(keys(shard, of: 1...7) == [2, 3, 6, 7])
    }

    @Test func replacementKeepsTheBytesRight() {
        var shard = shard(5)
        shard.insert(response(1, bytes: 100), variantLimit: 64)
        let larger = response(1, bytes: 200)
        shard.insert(larger, variantLimit: 64)
        #expect(shard.count == 1)
        #expect(shard.bytes == larger.cost)
        #expect(shard.single(digest(1)) === larger)
    }

    @Test func whatIsTooLargeIsNotAdmittedButRemovesWhatItReplaces() {
        var shard = shard(5)
        fill(&shard, 1...3)
        shard.insert(response(2, bytes: 8000), variantLimit: 64)
        #expect(keys(shard, of: 1...3) == [1, 3])
        #expect(shard.bytes == 2 * response(1).cost)
    }

    @Test func anEmptyBudgetAdmitsNothing() {
        var shard = SieveShard(budget: 0)
        shard.insert(response(1), variantLimit: 64)
        #expect(shard.count == 0)
        #expect(shard.bytes == 0)
    }

    @Test func variantsOfOneKeyStandBesideEachOther() {
        var shard = shard(8)
        for variant in 1...3 { shard.insert(response(1, variant: variant), variantLimit: 64) }
        #expect(shard.single(digest(1)) == nil, "not the only one")
        #expect(variants(shard) == [1, 2, 3])
        shard.remove(digest(1), variant: digest(5002))
        #expect(variants(shard) == [1, 3])
        shard.remove(digest(1), variant: digest(5003))
        #expect(shard.single(digest(1))?.variant.key == digest(5001))
        shard.remove(digest(1), variant: digest(5001))
        #expect(shard.count == 0)
        #expect(shard.bytes == 0)
    }

    @Test func surplusVariantsGoEarliestFirst() {
        var shard = shard(20)
        for variant in 1...5 { shard.insert(response(1, variant: variant), variantLimit: 3) }
        #expect(variants(shard) == [3, 4, 5])
    }

    @Test func onlyTheVeryObjectIsRemoved() {
        var shard = shard(5)
        let old = response(1)
        let new = response(1)
        shard.insert(old, variantLimit: 64)
        shard.insert(new, variantLimit: 64)
        shard.remove(old)
        #expect(shard.single(digest(1)) === new)
        shard.remove(new)
        #expect(shard.count == 0)
    }

    @Test(arguments: 0..<20)
    func agreesWithTheNaiveModel(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let budget = response(1).cost * 12
        var shard = SieveShard(budget: budget)
        var model = NaiveSieve(budget: budget, limit: 3)
        for step in 0..<2000 {
            let key = Int.random(in: 1...8, using: &random)
            let variant = Bool.random(using: &random) ? nil : Int.random(in: 1...4, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let size = [100, 300, 900, 9000].randomElement(using: &random) ?? 0
                let new = response(key, variant: variant, bytes: size)
                shard.insert(new, variantLimit: 3)
                model.insert(new)
            case 5..<8:
                #expect(shard.single(digest(key)) === model.single(digest(key)), "step \(step)")
            case 8:
                let name = variant.map { digest(5000 + $0) }
                shard.remove(digest(key), variant: name)
                model.remove(digest(key), name)
            default:
                guard let used = model.variants(digest(key)).randomElement(using: &random) else {
                    continue
                }
                shard.markUsed(used)
                model.markUsed(used)
            }
            #expect(shard.count == model.entries.count, "seed \(seed), step \(step)")
            #expect(shard.bytes == model.bytes, "seed \(seed), step \(step)")
            #expect(shard.bytes <= budget)
            for number in 1...8 {
                let real = shard.variants(of: digest(number)).map(ObjectIdentifier.init)
                let expected = model.variants(digest(number)).map(ObjectIdentifier.init)
                #expect(real == expected, "seed \(seed), step \(step), key \(number)")
            }
        }
    }
}

/// SIEVE as an array from the oldest to the newest: slow and plain.
private struct NaiveSieve {
    struct Entry {
        var response: StoredResponse
        var isVisited = false
    }

    let budget: Int
    let limit: Int
    var entries: [Entry] = []
    var hand: Int?

    init(budget: Int, limit: Int) {
        self.budget = budget
        self.limit = limit
    }

    var bytes: Int { entries.reduce(0) { $0 + $1.response.cost } }

    func variants(_ key: CacheKey) -> [StoredResponse] {
        entries.map(\.response).filter { $0.primaryKey == key }
    }

    mutating func single(_ key: CacheKey) -> StoredResponse? {
        let found = variants(key)
        guard found.count == 1 else { return nil }
        markUsed(found[0])
        return found[0]
    }

    mutating func markUsed(_ response: StoredResponse) {
        for index in entries.indices where entries[index].response === response {
            entries[index].isVisited = true
        }
    }

    mutating func insert(_ response: StoredResponse) {
        remove(response.primaryKey, response.variant.key)
        guard response.cost <= budget / 4 else { return }
        while bytes + response.cost > budget { evict() }
        while variants(response.primaryKey).count >= limit {
            let first = entries.firstIndex { $0.response.primaryKey == response.primaryKey }
            if let first { remove(at: first) }
        }
        entries.append(Entry(response: response))
    }

    mutating func remove(_ key: CacheKey, _ variant: Digest?) {
        let found = entries.firstIndex {
            $0.response.primaryKey == key && $0.response.variant.key == variant
        }
        if let found { remove(at: found) }
    }

    private mutating func remove(at index: Int) {
        entries.remove(at: index)
        guard let hand else { return }
        if index < hand { self.hand = hand - 1 }
        if self.hand == entries.count { self.hand = nil }
    }

    private mutating func evict() {
        var index = hand ?? 0
        while entries[index].isVisited {
            entries[index].isVisited = false
            index = (index + 1) % entries.count
        }
        hand = index
        remove(at: index)
    }
}
