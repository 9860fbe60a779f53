import CacheEngine
import CacheKeys
import GRDB
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Damaged rows")
struct DamageTests {
    let place: Workplace
    let store: SQLiteStore

    init() throws {
        place = try Workplace()
        store = try place.open()
        try store.commit([try Sample(1).put, try Sample(2).put])
    }

    private static let edits = [
        "body = x'68656c6c70'", "body = x'68656c6c'", "body = NULL", "body_size = 4",
        "body_size = -1", "body_size = 20000", "status = 99", "status = 600", "status = 'x'",
        "headers = 'A: b' || char(13, 10, 13, 10)", "headers = 'A: b'", "headers = x'00'",
        "headers = 'A: b' || char(10) || 'C: d' || char(13, 10)",
        "headers = 'A: b' || char(13) || 'C: d' || char(13, 10)",
        "headers = 'A: b' || char(0) || char(13, 10)", "headers = 'A b: c' || char(13, 10)",
        "headers = 'A:b' || char(13, 10)", "headers = ': b' || char(13, 10)",
        "key_material = x'00'", "key_material = x''", "surface = 300",
        "recipe = -1", "flags = -1", "flags = 4294967296", "born_at = 9223372036854775807",
        "fresh_until = -9223372036854775808", "vary = 'accept'", "vary = ' '",
        "vary = 'a b  c', variant_key = zeroblob(32)", "variant_key = x'00'",
    ]

    @Test("A changed column is found by its checksum", arguments: edits)
    func edited(edit: String) throws {
        try place.execute("UPDATE responses SET \(edit) WHERE id = 1")
        try expectDamage()
    }

    @Test("What makes no sense is refused under a right checksum too", arguments: edits)
    func resealed(edit: String) throws {
        try place.execute("UPDATE responses SET \(edit) WHERE id = 1")
        try place.reseal(Sample(1))
        try expectDamage()
    }

    @Test("Times and flags are under the checksum", arguments: ["fresh_until", "born_at", "flags"])
    func flipped(column: String) throws {
        try place.execute("UPDATE responses SET \(column) = \(column) + 1 WHERE id = 1")
        try expectDamage()
    }

    @Test("A sealed row without damage is found: the seal of these tests is the right one")
    func intact() throws {
        try place.reseal(Sample(1))
        #expect(try store.find(try Sample(1).query()).name == "entry")
    }

    @Test("A damaged body outside the row of its head is found")
    func largeBody() throws {
        var sample = Sample(3)
        sample.body = [UInt8](repeating: 7, count: 100_000)
        try store.commit([try sample.put])
        try place.execute("UPDATE responses SET body = zeroblob(body_size) WHERE id = 3")
        #expect(try store.find(try sample.query()).name == "damaged")
    }

    /// Somebody may store the same response anew between the look and the deletion.
    @Test("What takes the place of a damaged row stays", arguments: [false, true])
    func replaced(isSealed: Bool) throws {
        let sample = Sample(1)
        let edit = isSealed ? "head_checksum = 'x'" : "body = NULL"
        try place.execute("UPDATE responses SET \(edit) WHERE id = 1")
        guard case .damaged(let name, let mark) = try store.find(try sample.query()) else {
            Issue.record("not seen as damaged")
            return
        }
        var newer = sample
        newer.body = Array("newer".utf8)
        try store.commit([try newer.put, .deleteUnreadable(name, mark)])
        #expect(try store.find(try sample.query()).entry?.body.bytes == ByteBuffer(string: "newer"))
        try store.commit([.deleteUnreadable(name, .body(BodyID(rawValue: 7)))])
        #expect(try store.find(try sample.query()).name == "entry")
    }

    private func expectDamage() throws {
        let query = try Sample(1).query()
        guard case .damaged(let name, let mark) = try store.find(query) else {
            Issue.record("not seen as damaged")
            return
        }
        #expect(name.primaryKey == query.primaryKey)
        try store.commit([.deleteUnreadable(name, mark)])
        #expect(try store.find(query).entry == nil)
        #expect(try store.find(query).name != "damaged")
        #expect(try store.find(try Sample(2).query()).name == "entry")
    }
}
