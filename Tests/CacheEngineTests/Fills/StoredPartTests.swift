import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Parts of representations (RFC 9111 §3.3, §3.4): stored, answered with, completed, combined.
@Suite struct StoredPartTests {
    private static let policy = StoragePolicy(storesParts: true)
    static let whole = "0123456789"

    /// A GET for a range, or for all.
    static func ask(
        _ range: String? = nil, _ fields: HTTPFields = [:], cacheControl: [String] = []
    ) -> Ask {
        var forwarded = fields
        if let range { forwarded[.range] = "bytes=\(range)" }
        return Ask(
            forwarded: forwarded, cacheControl: cacheControl, isExclusive: !forwarded.isEmpty,
            hasRange: range != nil || forwarded.contains(.ifRange), policy: policy)
    }

    static func fields(_ contentRange: String, _ tag: String? = "\"1\"") -> HTTPFields {
        var fields: HTTPFields = [
            .cacheControl: "max-age=60", .contentRange: "bytes \(contentRange)",
        ]
        fields[.eTag] = tag
        return fields
    }

    static let full: HTTPFields = [.cacheControl: "max-age=60", .eTag: "\"1\""]

    /// Stores the bytes of `whole` that a range names.
    @discardableResult
    func store(
        _ bench: Bench, _ range: ClosedRange<Int>, of length: String = "10",
        _ tag: String? = "\"1\""
    ) async throws -> Client {
        let client = try await bench.fetch(
            Self.ask("\(range.lowerBound)-\(range.upperBound)"), status: .partialContent,
            Self.fields("\(range.lowerBound)-\(range.upperBound)/\(length)", tag),
            body: Self.bytes(range))
        try await bench.settle()
        return client
    }

    static func bytes(_ range: ClosedRange<Int>) -> String {
        String(whole.dropFirst(range.lowerBound).prefix(range.count))
    }

    func expectPart(
        _ bench: Bench, _ text: String?, _ first: Int64 = 0,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await bench.settle()
        let row = bench.store.rows.first
        #expect(row?.text == text, sourceLocation: location)
        #expect(row?.part?.range.first == (text == nil ? nil : first), sourceLocation: location)
        #expect(row?.status.code == (text == nil ? nil : 206), sourceLocation: location)
        #expect(row?.fields.contains(.contentRange) != true, sourceLocation: location)
        #expect(row?.part?.range.count == row?.body.length, sourceLocation: location)
    }

    func expectWhole(
        _ bench: Bench, _ text: String = whole, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await bench.settle()
        #expect(bench.store.rows.map(\.text) == [text], sourceLocation: location)
        #expect(bench.store.rows.first?.part == nil, sourceLocation: location)
        #expect(bench.store.rows.first?.status == .ok, sourceLocation: location)
        let hit = try await bench.ask(Self.ask())
        try await bench.finish(hit)
        #expect(hit.text == text, sourceLocation: location)
        #expect(hit.status?.result == .hit, sourceLocation: location)
    }

    // MARK: Storing

    @Test func a206IsStoredAndAnswersTheRangesItHolds() async throws {
        try await Bench.run { bench in
            let client = try await store(bench, 2...6)
            #expect(client.status?.isStored == true)
            #expect(client.fields[.contentRange] == "bytes 2-6/10")
            try await expectPart(bench, "23456", 2)
            for range in ["2-6", "3-3", "4-6"] {
                let hit = try await bench.ask(Self.ask(range))
                #expect(hit.status?.result == .hit)
                #expect(hit.state.withLock { $0.stored }?.entry.part?.range.first == 2)
            }
            try bench.forgetMemory()
            let hit = try await bench.ask(Self.ask("3-4"))
            try await bench.finish(hit)
            #expect(hit.status?.result == .hit)
            #expect(bench.origin.count == 1)
        }
    }

    @Test func theWholeInOnePartIsTheWhole() async throws {
        try await Bench.run { bench in
            try await store(bench, 0...9)
            try await expectWhole(bench)
        }
    }

    @Test(arguments: ["2-6/10", "0-9/10", "2-4/*"])
    func aPartOfAnotherLengthThanItSaysIsNotStored(range: String) async throws {
        try await Bench.run { bench in
            for body in ["01", "0123456"] {
                let number = bench.origin.count
                let client = try await bench.ask(Self.ask("2-6"))
                let exchange = try await bench.origin.exchange(number)
                try await exchange.head(.partialContent, Self.fields(range))
                try await exchange.body(body)
                try await exchange.end()
                try await bench.finish(client)
                #expect(client.text == body)
            }
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func aStoredWholeIsNotReplacedByAPart() async throws {
        try await Bench.run { bench in
            try await bench.fetch(Self.ask(), Self.full, body: Self.whole)
            try await bench.settle()
            bench.clock.advance(61)
            let client = try await store(bench, 2...6)
            #expect(client.text == "23456")
            #expect(client.status?.isStored == false)
            #expect(bench.store.rows.map(\.text) == [Self.whole])
        }
    }

    @Test func aWholeThatCameMeanwhileIsNotReplacedEither() async throws {
        try await Bench.run { bench in
            let part = try await bench.ask(Self.ask("2-6"))
            let exchange = try await bench.origin.exchange(0)
            try await exchange.head(.partialContent, Self.fields("2-6/10"))
            try await bench.fetch(Self.ask(), Self.full, body: Self.whole)
            try await exchange.body("23456")
            try await exchange.end()
            try await bench.finish(part)
            try await expectWhole(bench)
        }
    }

    @Test func aSparse206IsNotStoredAlone() async throws {
        try await Bench.run { bench in
            try await bench.fetch(
                Self.ask("2-6", [.ifRange: "\"1\""]), status: .partialContent,
                Self.fields("2-6/10"), body: "23456")
            try await bench.settle()
            #expect(bench.store.rows.isEmpty)
        }
    }

    @Test func aLargePartIsStoredInRows() async throws {
        try await Bench.run({ $0.inlineBytes = 4 }) { bench in
            try await store(bench, 2...8)
            try await bench.settle()
            #expect(bench.store.rows.first?.part?.range.count == 7)
            #expect(bench.store.rows.first?.body.unreadChunks?.length == 7)
            // Its rest cannot be added.
            let client = try await bench.ask(Self.ask())
            let exchange = try await bench.origin.exchange(1)
            #expect(exchange.request.fields[.range] == nil)
            try await exchange.answer(Self.full, body: Self.whole)
            try await bench.finish(client)
            #expect(client.text == Self.whole)
            try await bench.settle()
            #expect(bench.store.rows.first?.part == nil)
            #expect(bench.store.rows.first?.body.length == 10)
        }
    }

    // MARK: Combining

    @Test(arguments: [
        (0...3, 4...6, "0123456", 0), (4...6, 0...3, "0123456", 0), (2...6, 4...8, "2345678", 2),
        (4...8, 2...6, "2345678", 2), (2...8, 4...5, "2345678", 2), (4...5, 2...8, "2345678", 2),
        // With a gap between them the newer one stays.
        (0...2, 4...6, "456", 4), (4...6, 0...2, "012", 0),
    ])
    func partsOfTheSameBytesBecomeOne(
        first: ClosedRange<Int>, second: ClosedRange<Int>, text: String, place: Int64
    ) async throws {
        try await Bench.run { bench in
            try await store(bench, first)
            // The origin is asked for what is in the store, too.
            let ask = Self.ask(
                "\(second.lowerBound)-\(second.upperBound)", cacheControl: ["no-cache"])
            let client = try await bench.ask(ask)
            let exchange = try await bench.origin.exchange(1)
            if exchange.request.fields[.ifRange] != nil {
                // Only the rest: a 200 of the same would end the part.
                try await exchange.answer(.badRequest, [:], body: "")
            }
            let isSecond = exchange.request.fields[.ifRange] != nil
            let last = try await bench.origin.exchange(isSecond ? 2 : 1)
            try await last.answer(
                .partialContent,
                Self.fields("\(second.lowerBound)-\(second.upperBound)/10"),
                body: Self.bytes(second))
            try await bench.finish(client)
            #expect(client.text == Self.bytes(second))
            try await expectPart(bench, text, place)
        }
    }

    @Test(
        arguments: [("\"2\"", "\"1\""), ("W/\"1\"", "W/\"1\""), (nil, nil)]
            as [(String?, String?)])
    func partsOfOtherBytesReplaceEachOther(older: String?, newer: String?) async throws {
        try await Bench.run { bench in
            try await store(bench, 0...3, older)
            let client = try await bench.ask(Self.ask("2-6"))
            let exchange = try await bench.origin.exchange(1)
            var answering = exchange
            if exchange.request.fields[.ifRange] != nil {
                try await exchange.answer(
                    .partialContent, Self.fields("4-6/10", newer), body: "456")
                answering = try await bench.origin.exchange(2)
            }
            #expect(answering.request.fields[.range] == "bytes=2-6")
            #expect(answering.request.fields[.ifRange] == nil)
            try await answering.answer(
                .partialContent, Self.fields("2-6/10", newer), body: "23456")
            try await bench.finish(client)
            #expect(client.text == "23456")
            try await expectPart(bench, "23456", 2)
        }
    }

    @Test func combinedPartsLoseTheDigestsOfEach() async throws {
        try await Bench.run { bench in
            var fields = Self.fields("0-4/10")
            fields[field("content-digest")] = "sha-256=:AA==:"
            fields[field("x-old")] = "1"
            try await bench.fetch(
                Self.ask("0-4"), status: .partialContent, fields, body: "01234")
            fields = Self.fields("5-9/10")
            fields[field("content-digest")] = "sha-256=:BB==:"
            let client = try await bench.fetch(
                Self.ask(), status: .partialContent, fields, body: "56789")
            #expect(client.fields[field("content-digest")] == nil)
            #expect(client.fields[field("x-old")] == "1")
            #expect(client.fields[values: .via] == ["1.1 larder"])
            try await expectWhole(bench)
        }
    }
}
