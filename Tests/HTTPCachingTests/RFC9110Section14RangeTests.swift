import HTTPCaching
import Testing

/// `"0-4"` for each range of a selection, and the words for the others.
private func text(_ selection: RangeSelection) -> String {
    func text(_ range: ByteRange) -> String { "\(range.first)-\(range.last)" }
    return switch selection {
    case .whole: "whole"
    case .part(let range): text(range)
    case .parts(let ranges): ranges.map { text($0) }.joined(separator: ",")
    case .unsatisfiable(let length): "*/\(length)"
    case .notHeld: "not held"
    }
}

@Suite("RFC 9110 §14 Range requests")
struct RFC9110Section14RangeTests {
    @Test(
        "§14.1.2 ranges of 10,000 bytes",
        arguments: [
            // The section's own examples.
            ("bytes=0-499", "0-499"), ("bytes=500-999", "500-999"), ("bytes=-500", "9500-9999"),
            ("bytes=9500-", "9500-9999"), ("bytes=0-0,-1", "0-0,9999-9999"),
            ("bytes=0-0, 500-999, -500", "0-0,500-999,9500-9999"),
            ("bytes= 0-999, 4500-5499, -1000", "0-999,4500-5499,9000-9999"),
            ("bytes=500-600,601-999", "500-600,601-999"),
            ("bytes=500-700,601-999", "whole"),
            // Ends.
            ("bytes=0-", "0-9999"), ("bytes=0-9999", "0-9999"), ("bytes=0-99999", "0-9999"),
            ("bytes=9999-", "9999-9999"), ("bytes=10000-", "*/10000"), ("bytes=-1", "9999-9999"),
            ("bytes=-10000", "0-9999"), ("bytes=-10001", "0-9999"), ("bytes=-0", "*/10000"),
            ("bytes=10000-10001,-0", "*/10000"), ("bytes=10000-,5-9", "5-9"),
            ("bytes=0-0,-0,-1", "0-0,9999-9999"), ("bytes=00-004", "0-4"),
            // Overflow.
            ("bytes=0-9223372036854775807", "0-9999"),
            ("bytes=9223372036854775806-9223372036854775807", "*/10000"),
            ("bytes=5-99999999999999999999999999", "5-9999"),
            ("bytes=99999999999999999999-99999999999999999999", "*/10000"),
            ("bytes=99999999999999999999-99999999999999999998", "whole"),
            ("bytes=100000000000000000000-99999999999999999999", "whole"),
            ("bytes=-9223372036854775808", "0-9999"), ("bytes=-99999999999999999999", "0-9999"),
        ])
    func selection(line: String, expected: String) {
        let selection = RangeSelection.select(
            RangeSpec.parse([line]), from: .whole(length: 10_000))
        #expect(text(selection) == expected)
    }

    @Test(
        "§14.2 what is not valid, or asks for too much, is ignored",
        arguments: [
            "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1",
            "bytes=1-2-3", "bytes=--1", "bytes=+1-2", "bytes=1-+2", "bytes=1 -2", "bytes=1- 2",
            "bytes=0x1-2", "bytes=1_0-20", "bytes=1.0-2", "bytes=1-2;3-4", "bytes=1-2 3-4",
            "bytes =1-2", "bytes:1-2", "=1-2", "items=0-5", "bytes=0-1,items", "bytes=0-1,5-2",
            "bytes=\"0-1\"", "bytes=\u{0661}-2", "b\u{FF59}tes=0-1", "bytes=0-1,3-4,6-7,9-9,11-12",
            "bytes=5-6,0-1", "bytes=-1,0-0", "bytes=0-5,5-9", "bytes=0-,1-", "bytes=0-0,0-0",
            "bytes=" + String(repeating: "0-,", count: 1000),
        ])
    func ignored(line: String) {
        let selection = RangeSelection.select(
            RangeSpec.parse([line]), from: .whole(length: 10_000))
        #expect(selection == .whole)
    }

    @Test(
        "the unit ignores case, empty members and spaces count for nothing, four are not too many")
    func lenient() {
        for line in ["BYTES=1-2", "Bytes=1-2", " bytes=1-2\t", "bytes=,, 1-2 ,", "bytes=\t1-2"] {
            #expect(RangeSpec.parse([line]) == [.int(first: 1, last: 2)])
        }
        #expect(RangeSpec.parse(["bytes=0-1,3-4,6-7,9-,"])?.count == 4)
    }

    @Test("one line, or none", arguments: [[], ["bytes=0-1", "bytes=0-1"], ["bytes=0-1", ""]])
    func lines(lines: [String]) {
        #expect(RangeSpec.parse(lines) == nil)
        let selection = RangeSelection.select(nil, from: .whole(length: 5))
        #expect(selection == .whole)
    }

    @Test(
        "§14.1.2 of nothing there is nothing",
        arguments: [
            ("bytes=0-", "*/0"), ("bytes=0-0", "*/0"), ("bytes=-1", "whole"), ("bytes=-0", "*/0"),
            ("bytes=0-,-5", "whole"),
        ])
    func empty(line: String, expected: String) {
        for length: Int64 in [0, -1, .min] {
            let selection = RangeSelection.select(
                RangeSpec.parse([line]), from: .whole(length: length))
            #expect(text(selection) == expected)
        }
    }

    @Test("every short range of every short representation, against counting by hand")
    func exhaustive() {
        for length: Int64 in 0...5 {
            let whole = StoredExtent.whole(length: length)
            for first: Int64 in 0...6 {
                for last in first...7 {
                    let named = (first...last).filter { $0 < length }
                    let selection = RangeSelection.select(
                        RangeSpec.parse(["bytes=\(first)-\(last)"]), from: whole)
                    let expected = named.first.map { "\($0)-\(named.last ?? $0)" }
                    #expect(text(selection) == expected ?? "*/\(length)")
                }
                guard length > 0, first > 0 else { continue }
                let selection = RangeSelection.select(
                    RangeSpec.parse(["bytes=-\(first)"]), from: whole)
                #expect(text(selection) == "\(max(0, length - first))-\(length - 1)")
            }
        }
    }

    @Test("a representation of any length is cut without a trap")
    func extremes() {
        let last = RangeSelection.select([.suffix(1)], from: .whole(length: .max))
        #expect(text(last) == "9223372036854775806-9223372036854775806")
        let all = RangeSelection.select([.suffix(.max)], from: .whole(length: .max))
        #expect(text(all) == "0-9223372036854775806")
        #expect(ByteRange(first: 0, last: .max) == nil)
        #expect(ByteRange(first: -1, last: 5) == nil)
        #expect(ByteRange(first: 5, last: 4) == nil)
        #expect(ByteRange(first: 0, last: .max - 1)?.count == .max)
    }

    @Test(
        "§14.4 Content-Range",
        arguments: [
            ("bytes 42-1233/1234", 42, 1233, 1234), ("bytes 42-1233/*", 42, 1233, nil),
            ("BYTES 0-0/1", 0, 0, 1), (" bytes 0-0/1 ", 0, 0, 1), ("bytes 00-01/02", 0, 1, 2),
        ] as [(String, Int64, Int64, Int64?)])
    func contentRange(line: String, first: Int64, last: Int64, length: Int64?) throws {
        let range = try #require(ByteRange(first: first, last: last))
        let part = try #require(RepresentationPart(range: range, completeLength: length))
        #expect(ContentRange([line]) == .part(part))
        #expect(ContentRange([line, line]) == .part(part))
    }

    @Test(
        "§14.4 what is invalid is none",
        arguments: [
            "", "bytes", "bytes ", "bytes 0-4", "bytes 0-4/4", "bytes 4-3/10", "bytes 0-4/",
            "bytes 0-/5", "bytes -4/5", "bytes */*", "bytes */", "bytes *", "bytes=0-4/5",
            "bytes  0-4/5", "bytes\t0-4/5", "items 0-4/5", "bytes 0-4/5/6", "bytes 0-4-5/6",
            "bytes a-b/c", "bytes +0-4/5", "bytes 0 - 4/5", "bytes 0-4 / 5", "bytes 0-4/5, x",
            "bytes 0-9223372036854775807/*", "bytes 0-4/9223372036854775808",
            "bytes 0-99999999999999999999/*", "bytes -1-4/5",
        ])
    func invalidContentRange(line: String) {
        #expect(ContentRange([line]) == nil)
    }

    @Test("§14.4 of a 416, and back into text")
    func contentRangeText() throws {
        #expect(ContentRange(["bytes */1234"]) == .unsatisfied(completeLength: 1234))
        for line in ["bytes */0", "bytes 0-0/*", "bytes 2-7/9223372036854775807"] {
            #expect(ContentRange([line])?.fieldValue == line)
        }
        #expect(ContentRange(["bytes 0-4/5", "bytes 0-4/6"]) == nil)
        #expect(ContentRange([]) == nil)
    }

    @Test(
        "the field value to ask with",
        arguments: [
            (RangeSpec.int(first: 5, last: 9), "bytes=5-9"),
            (.int(first: 5, last: nil), "bytes=5-"),
            (.suffix(7), "bytes=-7"),
        ])
    func fieldValue(spec: RangeSpec, expected: String) {
        #expect(spec.fieldValue == expected)
        #expect(RangeSpec.parse([expected]) == [spec])
    }

    @Test(
        "runs of bytes that touch are one",
        arguments: [
            (0, 4, 5, 9, "0-9"), (5, 9, 0, 4, "0-9"), (0, 9, 3, 4, "0-9"), (0, 5, 3, 9, "0-9"),
            (0, 4, 6, 9, "-"), (6, 9, 0, 4, "-"), (3, 3, 3, 3, "3-3"),
            (0, 0, .max - 1, .max - 1, "-"),
        ] as [(Int64, Int64, Int64, Int64, String)])
    func unions(first: Int64, last: Int64, otherFirst: Int64, otherLast: Int64, expected: String)
        throws
    {
        let one = try #require(ByteRange(first: first, last: last))
        let other = try #require(ByteRange(first: otherFirst, last: otherLast))
        #expect(one.union(other).map { "\($0.first)-\($0.last)" } ?? "-" == expected)
    }
}
