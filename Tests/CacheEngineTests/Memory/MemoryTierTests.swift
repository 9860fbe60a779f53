import CacheKeys
import NIOCore
import Testing

@testable import CacheEngine

@Suite struct MemoryTierTests {
    @Test func findsWhatWasInserted() {
        let tier = MemoryTier(budget: 64 << 20)
        let responses = (1...200).map { response($0 << 33 | $0) }
        for response in responses { tier.insert(response) }
        for response in responses {
            #expect(tier.response(for: response.primaryKey) { _ in nil } === response)
        }
        #expect(tier.count == 200)
        #expect(tier.bytes == responses.reduce(0) { $0 + $1.cost })
        for response in responses { tier.remove(response) }
        #expect(tier.count == 0)
        #expect(tier.bytes == 0)
    }

    @Test(arguments: [-1, 0, 100]) func aTinyBudgetKeepsNothing(budget: Int) {
        let tier = MemoryTier(budget: budget)
        tier.insert(response(1))
        #expect(tier.count == 0)
    }

    @Test func aSingleVariantAnswersOnlyWhatSelectsIt() {
        let tier = MemoryTier(budget: 16 << 20)
        let stored = response(1, variant: 1)
        tier.insert(stored)
        #expect(tier.response(for: digest(1)) { _ in digest(5001) } === stored)
        #expect(tier.response(for: digest(1)) { _ in digest(5002) } == nil)
        #expect(tier.response(for: digest(1)) { _ in nil } == nil, "not computable")
    }

    @Test func theNewestByDateIsChosen() {
        let tier = MemoryTier(budget: 16 << 20)
        let newer = response(1, variant: 1, date: start + 10)
        let older = response(1, date: start)
        tier.insert(newer)
        tier.insert(older)
        #expect(tier.response(for: digest(1)) { _ in digest(5001) } === newer)
        #expect(tier.response(for: digest(1)) { _ in digest(5002) } === older)
    }

    @Test func ofEqualDateTheLaterStoredIsChosen() {
        let tier = MemoryTier(budget: 16 << 20)
        let first = response(1)
        let second = response(1, variant: 1)
        tier.insert(first)
        tier.insert(second)
        #expect(tier.response(for: digest(1)) { _ in digest(5001) } === second)
    }

    @Test func aVisitOfAVariantSavesIt() {
        let cost = response(1).cost
        let tier = MemoryTier(budget: cost * 5)
        let used = response(1, variant: 1)
        tier.insert(used)
        for key in 2...5 { tier.insert(response(key)) }
        tier.insert(response(1, variant: 2))
        // 1/1 went: it was the oldest. Now 1/2 is used and must outlive the next four.
        #expect(tier.response(for: digest(1)) { _ in digest(5002) } != nil)
        for key in 6...8 { tier.insert(response(key)) }
        #expect(tier.response(for: digest(1)) { _ in digest(5002) } != nil)
        tier.insert(response(9))
        #expect(tier.response(for: digest(1)) { _ in digest(5002) } != nil)
    }

    @Test func promotionDoesNotReplaceWhatIsNewer() {
        let tier = MemoryTier(budget: 16 << 20)
        let inPlace = response(1)
        let fromFile = response(1)
        tier.insert(inPlace)
        #expect(tier.promote(fromFile) { _ in true } === inPlace)
        #expect(tier.response(for: digest(1)) { _ in nil } === inPlace)
        #expect(tier.promote(fromFile) { _ in false } === fromFile, "not current any more")
        #expect(tier.response(for: digest(1)) { _ in nil } === fromFile)
        let other = response(1, variant: 1)
        #expect(tier.promote(other) { _ in true } === other, "another variant is no rival")
        #expect(tier.count == 2)
    }

    @Test func theCostIsAtLeastWhatIsKept() {
        for bytes in [0, 1, 5000, 70_000] {
            let stored = response(1, bytes: bytes)
            #expect(stored.cost >= stored.entry.body.memoryCost + 512)
        }
    }
}

@Suite struct GenerationsTests {
    @Test func aBumpIsSeenByItsURIOnly() {
        let generations = Generations()
        #expect(generations.current(of: digest(1)) == 0)
        generations.bump(digest(1))
        generations.bump(digest(1))
        #expect(generations.current(of: digest(1)) == 2)
        #expect(generations.current(of: digest(2)) == 0)
    }

    @Test func urisMayShareASlot() {
        let generations = Generations()
        generations.bump(digest(1))
        #expect(generations.current(of: digest(1 + 16_384)) == 1)
        #expect(generations.current(of: digest(1 + 8_192)) == 0)
    }

    @Test func noBumpIsLostBetweenThreads() async {
        let generations = Generations()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask { for _ in 0..<5000 { generations.bump(digest(9)) } }
            }
        }
        #expect(generations.current(of: digest(9)) == 20_000)
    }
}
