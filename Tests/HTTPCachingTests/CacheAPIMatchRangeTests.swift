import HTTPCaching
import Testing

/// What a match makes of a range on its key.
@Suite("Cache API match: ranges")
struct CacheAPIMatchRangeTests {
    @Test(
        "one range of ten bytes",
        arguments: [
            ("bytes=2-4", "206 2-4"), ("bytes=0-0", "206 0-0"), ("bytes=0-9", "206 0-9"),
            ("bytes=5-99", "206 5-9"), ("bytes=7-", "206 7-9"), ("bytes=0-", "206 0-9"),
            ("bytes=-3", "206 7-9"), ("bytes=-10", "206 0-9"), ("bytes=-20", "206 0-9"),
            ("BYTES=2-4", "206 2-4"), (" bytes= 2-4 ", "206 2-4"),
            ("bytes=2-99999999999999999999", "206 2-9"),
            // What names no byte.
            ("bytes=-0", "416 */10"), ("bytes=", "416 */10"), ("bytes= ", "416 */10"),
            ("bytes=15-", "416 */10"), ("bytes=10-", "416 */10"), ("bytes=10-20", "416 */10"),
            ("bytes=4-2", "416 */10"), ("bytes=99999999999999999999-1", "416 */10"),
            // What is no range of bytes.
            ("items=0-1", "200"), ("bytes=a-b", "200"), ("bytes=0-1,", "200"),
            ("bytes=,0-1", "200"), ("bytes=,", "200"), ("bytes=-", "200"), ("bytes=2", "200"),
            ("bytes=1-2-3", "200"), ("bytes=--1", "200"), ("bytes=+1-2", "200"), ("bytes", "200"),
            ("bytes 2-4", "200"), ("bytes =2-4", "200"), ("=2-4", "200"), ("2-4", "200"),
            ("", "200"), ("bytes=1- 2", "200"), ("bytes=\u{0662}-4", "200"),
        ])
    func single(line: String, expected: String) {
        #expect(answer(["Range": line]) == expected)
    }

    @Test(
        "several ranges of ten bytes",
        arguments: [
            ("bytes=1-3,5-6", "206 1-3,5-6"), ("bytes=0-0, 2-3 ,-1", "206 0-0,2-3,9-9"),
            ("bytes=1-3,4-6", "206 1-3,4-6"),
            // What cannot be had is dropped; one that is left is one.
            ("bytes=1-3,15-", "206 1-3"), ("bytes=15-,1-3", "206 1-3"),
            ("bytes=4-2,1-3", "206 1-3"),
            ("bytes=-0,1-3", "206 1-3"), ("bytes=1-3,15-,5-6", "206 1-3,5-6"),
            ("bytes=15-,20-", "416 */10"), ("bytes=4-2,-0", "416 */10"),
            // Overlapping, or out of order.
            ("bytes=1-5,3-6", "200"), ("bytes=1-3,3-6", "200"), ("bytes=5-6,1-3", "200"),
            ("bytes=-1,0-0", "200"), ("bytes=0-,-3", "200"), ("bytes=1-3,1-3", "200"),
            // What is no range spoils all.
            ("bytes=1-3,a-b", "200"), ("bytes=1-3,,5-6", "200"), ("bytes=1-3,bytes=5-6", "200"),
        ])
    func several(line: String, expected: String) {
        #expect(answer(["Range": line]) == expected)
    }

    @Test(
        "nothing is all there is of an empty response",
        arguments: [
            ("bytes=0-", "416 */0"), ("bytes=0-0", "416 */0"), ("bytes=-1", "416 */0"),
            ("bytes=-0", "416 */0"), ("bytes=", "416 */0"), ("items=0-1", "200"),
        ])
    func empty(line: String, expected: String) {
        #expect(answer(["Range": line], length: 0) == expected)
    }

    @Test("more than a hundred ranges are ignored", arguments: [99, 100, 101, 301])
    func many(count: Int) {
        let line = "bytes=" + (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        let expected = (0..<count).map { "\($0 * 2)-\($0 * 2)" }.joined(separator: ",")
        #expect(answer(["Range": line], length: 1000) == (count > 100 ? "200" : "206 " + expected))
        // Those that cannot be had count, too.
        let lost = "bytes=" + (0..<count).map { _ in "5000-" }.joined(separator: ",")
        #expect(answer(["Range": lost], length: 1000) == (count > 100 ? "200" : "416 */1000"))
    }

    @Test("two lines are no range")
    func lines() {
        #expect(answer(["Range": "bytes=2-4", "Range": "bytes=2-4"]) == "200")
    }

    @Test("every short range of every short response, against counting by hand")
    func exhaustive() {
        for length: Int64 in 0...5 {
            for first: Int64 in 0...6 {
                for last: Int64 in 0...7 {
                    let named = first <= last ? (first...last).filter { $0 < length } : []
                    let expected = named.first.map { "206 \($0)-\(named.last ?? $0)" }
                    let found = answer(["Range": "bytes=\(first)-\(last)"], length: length)
                    #expect(found == expected ?? "416 */\(length)")
                }
                let suffix = first > 0 && length > 0
                let expected = "206 \(max(0, length - first))-\(length - 1)"
                #expect(
                    answer(["Range": "bytes=-\(first)"], length: length)
                        == (suffix ? expected : "416 */\(length)"))
            }
        }
    }
}
