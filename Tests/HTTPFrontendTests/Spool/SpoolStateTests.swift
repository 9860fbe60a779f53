import CacheTestKit
import Testing

@testable import HTTPFrontend

@Suite("Spooling, as a state machine")
struct SpoolStateTests {
    private static let bounds = SpoolState.Bounds(key: 1000, memory: 100, batch: 50, unwritten: 150)
    private static let tight = SpoolState.Bounds(key: 1000, memory: 20, batch: 10, unwritten: 60)

    enum Event: Sendable {
        case bytes(Int)
        case tightBytes(Int)
        case end
        case done
        case failed
        case squeeze
    }

    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [(Event, SpoolState.Action)]

        init(_ description: String, _ steps: [(Event, SpoolState.Action)]) {
            testDescription = description
            self.steps = steps
        }
    }

    static let stories = [
        Story("no content", [(.end, .whole)]),
        Story("small content stays in memory", [(.bytes(60), .wait), (.end, .whole)]),
        Story(
            "at the threshold it still does",
            [(.bytes(60), .wait), (.bytes(40), .wait), (.end, .whole)]),
        Story(
            "one byte more goes to the file",
            [(.bytes(100), .wait), (.bytes(1), .write), (.done, .wait), (.end, .whole)]),
        Story("memory is tight", [(.tightBytes(20), .wait), (.tightBytes(1), .write)]),
        Story(
            "the end waits for the write",
            [(.bytes(101), .write), (.end, .wait), (.done, .whole)]),
        Story(
            "the end writes what is held",
            [
                (.bytes(101), .write), (.bytes(5), .wait), (.end, .wait), (.done, .write),
                (.done, .whole),
            ]),
        Story(
            "writes come in batches",
            [
                (.bytes(101), .write), (.bytes(49), .wait), (.done, .wait), (.bytes(1), .write),
                (.bytes(50), .wait), (.done, .write), (.done, .wait), (.tightBytes(10), .write),
            ]),
        Story(
            "too large in memory", [(.bytes(1001), .divert(.bodyLimit)), (.bytes(1), .wait)]),
        Story(
            "too large in the file",
            [
                (.bytes(900), .write), (.done, .wait), (.bytes(50), .write), (.done, .wait),
                (.bytes(51), .divert(.bodyLimit)), (.end, .wait),
            ]),
        Story(
            "too large while a write runs",
            [
                (.bytes(900), .write), (.bytes(101), .wait), (.bytes(7), .wait), (.end, .wait),
                (.done, .divert(.bodyLimit)),
            ]),
        Story(
            "too large while a write runs that fails",
            [(.bytes(900), .write), (.bytes(101), .wait), (.failed, .divert(.bodyLimit))]),
        Story("exactly the limit", [(.bytes(1000), .write), (.end, .wait), (.done, .whole)]),
        Story(
            "the disk fails",
            [(.bytes(101), .write), (.bytes(3), .wait), (.failed, .divert(.spool))]),
        Story(
            "the disk fails at the end",
            [(.bytes(101), .write), (.end, .wait), (.failed, .divert(.spool))]),
        Story(
            "the disk fails at the last write",
            [
                (.bytes(101), .write), (.bytes(3), .wait), (.end, .wait), (.done, .write),
                (.failed, .divert(.spool)),
            ]),
        Story(
            "squeezed",
            [(.squeeze, .wait), (.bytes(1), .wait), (.squeeze, .write), (.squeeze, .wait)]),
        Story(
            "squeezed in the file",
            [
                (.bytes(101), .write), (.bytes(9), .wait), (.squeeze, .wait), (.done, .wait),
                (.squeeze, .write), (.done, .wait), (.squeeze, .wait), (.end, .whole),
            ]),
        Story(
            "nothing after the end of it",
            [(.end, .whole), (.done, .wait), (.squeeze, .wait), (.end, .wait)]),
    ]

    @Test(arguments: stories)
    func actions(_ story: Story) {
        var state = SpoolState()
        for (index, (event, action)) in story.steps.enumerated() {
            #expect(Self.apply(event, &state) == action, "step \(index)")
        }
    }

    private static func apply(_ event: Event, _ state: inout SpoolState) -> SpoolState.Action {
        switch event {
        case .bytes(let count): state.received(bytes: count, Self.bounds)
        case .tightBytes(let count): state.received(bytes: count, Self.tight)
        case .end: state.ended()
        case .done: state.written(isDone: true, Self.bounds)
        case .failed: state.written(isDone: false, Self.bounds)
        case .squeeze: state.squeezed()
        }
    }

    @Test func bytesThatWereNotWrittenAreHeldAgain() {
        var state = SpoolState()
        _ = state.received(bytes: 101, Self.bounds)
        _ = state.written(isDone: true, Self.bounds)
        _ = state.received(bytes: 60, Self.bounds)
        _ = state.received(bytes: 7, Self.bounds)
        #expect((state.onDisk, state.writing, state.held) == (101, 60, 7))
        _ = state.written(isDone: false, Self.bounds)
        #expect((state.onDisk, state.writing, state.held) == (101, 0, 67))
    }

    @Test func readingIsHeldWhileMuchIsUnwritten() {
        var state = SpoolState()
        #expect(!state.holdsReads(Self.tight))
        _ = state.received(bytes: 100, Self.bounds)
        #expect(!state.holdsReads(Self.tight))
        _ = state.received(bytes: 9, Self.bounds)
        #expect(!state.holdsReads(Self.bounds))
        #expect(state.holdsReads(Self.tight))
        _ = state.received(bytes: 41, Self.bounds)
        #expect(state.holdsReads(Self.bounds))
        _ = state.written(isDone: true, Self.bounds)
        #expect(!state.holdsReads(Self.bounds))
        _ = state.received(bytes: 1000, Self.bounds)
        #expect(state.holdsReads(Self.bounds))
    }

    /// Whatever the order of events, no byte is lost or counted twice.
    @Test func bytesAddUp() {
        var random = SeededGenerator(seed: 42)
        for _ in 0..<2000 {
            var state = SpoolState()
            var sent = 0
            var action = SpoolState.Action.wait
            for _ in 0..<40 {
                switch Int.random(in: 0..<8, using: &random) {
                case 0...3:
                    let count = Int.random(in: 0...120, using: &random)
                    sent += count
                    let isTight = Bool.random(using: &random)
                    action = state.received(bytes: count, isTight ? Self.tight : Self.bounds)
                case 4, 5: action = state.written(isDone: true, Self.bounds)
                case 6: action = state.squeezed()
                default:
                    action = state.written(
                        isDone: Int.random(in: 0..<20, using: &random) > 0, Self.tight)
                }
                #expect(state.onDisk + state.writing + state.held == sent)
                if case .divert = action {
                    #expect(state.writing == 0)
                    break
                }
            }
        }
    }
}
