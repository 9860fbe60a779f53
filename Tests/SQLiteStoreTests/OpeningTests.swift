import CacheEngine
import GRDB
import NIOCore
import Testing

@testable import SQLiteStore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("Opening")
struct OpeningTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    @Test("Every file is for its owner only, whatever the umask leaves")
    func modes() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        let names = ["larder.db", "larder.db-shm", "larder.db-wal", "larder.db.lock"]
        #expect(place.files() == names)
        for name in names {
            var status = stat()
            #expect(stat(place.directory + "/" + name, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test("The settings that live in the file")
    func layout() throws {
        let store = try place.open()
        let visitor = try place.visit()
        let expected = [
            "page_size": "4096", "auto_vacuum": "2", "journal_mode": "wal",
            "application_id": "\(0x4C41_5244)", "user_version": "\(Schema.latest)",
            "integrity_check": "ok",
        ]
        for (name, value) in expected {
            let found = try visitor.read { try String.fetchOne($0, sql: "PRAGMA \(name)") }
            #expect(found == value, "\(name)")
        }
        try visitor.close()
        try store.close()
        #expect(place.files() == ["larder.db", "larder.db.lock"])
    }

    @Test("A PRAGMA that does not take is an error", arguments: Durability.allCases)
    func writerSettings(durability: Durability) throws {
        let store = try place.open { $0.durability = durability }
        var configuration = place.configuration
        configuration.durability = durability
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction { database in
            try Pragmas.prepareWriter(database, configuration: configuration)
            let level = try Int.fetchOne(database, sql: "PRAGMA synchronous")
            #expect(level == (durability == .full ? 2 : 1))
            try database.execute(sql: "BEGIN")
            #expect(throws: SQLiteFailure.self) {
                try Pragmas.prepareWriter(database, configuration: configuration)
            }
            try database.execute(sql: "ROLLBACK")
        }
        try visitor.close()
        try store.close()
    }

    @Test("A second instance is refused while the first lives")
    func locked() throws {
        let first = try place.open()
        #expect(throws: StoreOpenError.locked(path: place.path)) { try place.open() }
        try withExtendedLifetime(first) { try first.close() }
    }

    @Test("Another program's database is left as it is")
    func foreign() throws {
        try place.execute("CREATE TABLE notes (text)")
        let before = try place.read("larder.db")
        #expect(throws: StoreOpenError.notLarder(path: place.path)) { try place.open() }
        #expect(try place.read("larder.db") == before)
        #expect(place.files() == ["larder.db"])
        try place.execute("PRAGMA application_id = 1234")
        #expect(throws: StoreOpenError.notLarder(path: place.path)) { try place.open() }
    }

    @Test("A newer schema is refused, by number or by a step that is not known")
    func newer() throws {
        try place.open().close()
        try place.execute("PRAGMA user_version = 99")
        #expect(
            throws: StoreOpenError.newerSchema(path: place.path, found: 99, known: Schema.latest)
        ) { try place.open() }
        try place.execute(
            """
            PRAGMA user_version = 1;
            INSERT INTO migrations VALUES (\(Schema.latest + 1), 'next', 'x', 0);
            """)
        #expect(
            throws: StoreOpenError.newerSchema(
                path: place.path, found: Schema.latest + 1, known: Schema.latest)
        ) { try place.open() }
    }

    @Test("A step that was changed after its release is refused")
    func changedStep() throws {
        try place.open().close()
        try place.execute("UPDATE migrations SET checksum = 'x'")
        #expect(throws: StoreOpenError.foreignSchema(path: place.path, step: 1)) {
            try place.open()
        }
    }

    @Test("What cannot be made is told with its path and the system's reason")
    func impossible() throws {
        var configuration = place.configuration
        configuration.path = place.directory + "/absent/larder.db"
        #expect(
            throws: StoreOpenError.cannotOpen(
                path: configuration.path + ".lock", reason: "No such file or directory")
        ) {
            try SQLiteStore(configuration: configuration, clock: { 0 }, logger: quietLogger)
        }
        configuration.path = place.directory + "/folder"
        mkdir(configuration.path, 0o700)
        defer { rmdir(configuration.path) }
        #expect(
            throws: StoreOpenError.cannotOpen(
                path: configuration.path, reason: "it is not a regular file")
        ) {
            try SQLiteStore(configuration: configuration, clock: { 0 }, logger: quietLogger)
        }
    }

    @Test("A file that is no database is moved aside, its log with it, and two copies are kept")
    func garbage() throws {
        for round in 0..<4 {
            try place.write(Array("round \(round): this is not a database".utf8), to: "larder.db")
            try place.write(Array("log".utf8), to: "larder.db-wal")
            let store = try place.open()
            try store.commit([try Sample(1).put])
            try store.close()
            place.clock.advance(1)
        }
        let copies = place.files().filter { $0.contains(".corrupt-") }
        #expect(
            copies == [
                "larder.db.corrupt-20260921T141322Z", "larder.db.corrupt-20260921T141322Z-wal",
                "larder.db.corrupt-20260921T141323Z", "larder.db.corrupt-20260921T141323Z-wal",
            ])
        let kept = try place.read("larder.db.corrupt-20260921T141323Z")
        #expect(String(decoding: kept, as: UTF8.self).hasPrefix("round 3"))
    }

    @Test("A damaged database is moved aside at the start")
    func damaged() throws {
        try place.open().close()
        var bytes = try place.read("larder.db")
        for index in 100..<4_096 { bytes[index] = 0xA5 }
        try place.write(bytes, to: "larder.db")
        let store = try place.open()
        try store.commit([try Sample(1).put])
        #expect(try store.find(try Sample(1).query()).name == "entry")
        #expect(place.files().contains { $0.contains(".corrupt-") })
    }

    @Test("A schema whose text is damaged is moved aside too")
    func damagedSchema() throws {
        try place.open().close()
        var bytes = try place.read("larder.db")
        // A column's name in the text of CREATE TABLE: valid SQL, another table.
        let name = Array("head_checksum INTEGER".utf8)
        // Free space may hold older copies of the text.
        let starts = bytes.indices.filter { bytes[$0...].starts(with: name) }
        #expect(!starts.isEmpty)
        for start in starts { bytes[start] = UInt8(ascii: "x") }
        try place.write(bytes, to: "larder.db")
        let store = try place.open()
        try store.commit([try Sample(1).put])
        #expect(try store.find(try Sample(1).query()).name == "entry")
        #expect(place.files().contains { $0.contains(".corrupt-") })
    }

    @Test("An orderly close is remembered, any other end is noticed")
    func cleanFlag() throws {
        let first = try place.open()
        #expect(first.wasCleanlyClosed)
        try first.close()
        let second = try place.open()
        #expect(second.wasCleanlyClosed)
        let copy = try Workplace()
        for name in ["larder.db", "larder.db-wal"] {
            try copy.write(try place.read(name), to: name)
        }
        #expect(try copy.open().wasCleanlyClosed == false)
        try second.close()
    }

    @Test("The secret is made with the file and stays")
    func secret() throws {
        let first = try place.open()
        let secret = try first.credentialSecret()
        #expect(secret.count == 32)
        #expect(Set(secret).count > 8)
        try first.close()
        #expect(try place.open().credentialSecret() == secret)
        #expect(try Workplace().open().credentialSecret() != secret)
    }
}
