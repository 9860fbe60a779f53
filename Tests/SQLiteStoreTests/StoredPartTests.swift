import CacheEngine
import GRDB
import HTTPCaching
import HTTPTypes
import Testing

@testable import SQLiteStore

@Suite("Stored parts")
struct StoredPartTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// Five bytes, "hello", of a whole.
    private func sample(_ key: Int, from first: Int64, of length: Int64?) throws -> Sample {
        var sample = Sample(key)
        sample.status = .partialContent
        let range = try #require(ByteRange(first: first, last: first + 4))
        sample.part = RepresentationPart(range: range, completeLength: length)
        return sample
    }

    @Test("A part comes back as it was put, also after a restart")
    func roundTrip() throws {
        var samples = [
            try sample(1, from: 0, of: 10), try sample(2, from: 5, of: 10),
            try sample(3, from: 0, of: nil), try sample(4, from: 1 << 40, of: nil),
        ]
        let store = try place.open()
        var large = try sample(5, from: 7, of: 10_000)
        large.large = LargeBody(store.makeBodyID())
        large.part = ByteRange(first: 7, last: 2_506).flatMap {
            RepresentationPart(range: $0, completeLength: 10_000)
        }
        try store.commit(try #require(large.large).chunks)
        samples.append(large)
        try store.commit(try samples.map { try $0.put })
        for sample in samples {
            #expect(try store.find(try sample.query()).entry == sample.entry())
        }
        try store.close()
        let reopened = try place.open()
        for sample in samples {
            #expect(try reopened.find(try sample.query()).entry == sample.entry())
        }
        try reopened.close()
    }

    @Test("A part takes the place of a whole and a whole that of a part")
    func replacing() throws {
        let store = try place.open()
        for sample in [try sample(1, from: 0, of: 9), Sample(1), try sample(1, from: 4, of: 9)] {
            try store.commit([try sample.put])
            #expect(try store.find(try sample.query()).entry == sample.entry())
        }
        #expect(try place.count() == 1)
        try store.close()
    }

    @Test("A freshened part stays what it is")
    func freshening() throws {
        let store = try place.open()
        var sample = try sample(1, from: 5, of: 10)
        try store.commit([try sample.put])
        sample.fields[.eTag] = "\"2\""
        sample.date += 50
        try store.commit([.freshen(try sample.response())])
        #expect(try store.find(try sample.query()).entry == sample.entry())
        // The row has the same bytes from another place by now.
        try store.commit([try self.sample(1, from: 0, of: 10).put])
        try store.commit([.freshen(try sample.response())])
        #expect(try store.find(try sample.query()).entry == sample.entry())
        #expect(try place.count() == 1)
        try store.close()
    }

    @Test("The view says which part it is")
    func view() throws {
        let store = try place.open()
        try store.commit([
            try sample(1, from: 5, of: 10).put, try sample(2, from: 0, of: nil).put,
            try Sample(3).put,
        ])
        let parts = "SELECT group_concat(coalesce(part, 'whole'), ' ') FROM entries"
        #expect(try place.text(parts) == "5-9/10 0-4/* whole")
        try store.close()
    }

    private static let edits = [
        "part_first = NULL", "part_first = NULL, complete_length = NULL", "part_first = -1",
        "part_first = 6", "part_first = 9223372036854775807", "part_first = 9223372036854775803",
        "complete_length = 9", "complete_length = 0", "complete_length = -1",
        "complete_length = -9223372036854775808", "part_first = 0, complete_length = 5",
        "status = 200", "body = x'', body_size = 0", "body_size = -5",
        "body_size = 9223372036854775807", "body_size = -9223372036854775808",
    ]

    @Test(
        "A part whose place makes no sense is damage, under a right checksum too",
        arguments: edits, [false, true])
    func damage(edit: String, isResealed: Bool) throws {
        let store = try place.open()
        let sample = try sample(1, from: 5, of: 10)
        try store.commit([try sample.put])
        try place.execute("UPDATE responses SET \(edit)")
        if isResealed { try place.reseal(sample) }
        #expect(try store.find(try sample.query()).name == "damaged")
        try store.close()
    }

    @Test(
        "The place is under the checksum",
        arguments: ["part_first = 4", "complete_length = 11", "complete_length = NULL"])
    func moved(edit: String) throws {
        let store = try place.open()
        let sample = try sample(1, from: 5, of: 10)
        try store.commit([try sample.put])
        try place.execute("UPDATE responses SET \(edit)")
        #expect(try store.find(try sample.query()).name == "damaged")
        try store.close()
    }

    @Test(
        "A whole that says it is a part is damage", arguments: ["part_first = 0", "status = 206"])
    func wholeWithAPlace(edit: String) throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        try place.execute("UPDATE responses SET \(edit)")
        #expect(try store.find(try Sample(1).query()).name == "damaged")
        try place.reseal(Sample(1))
        #expect(try store.find(try Sample(1).query()).name == "damaged")
        try store.close()
    }
}
