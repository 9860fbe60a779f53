import CacheEngine
import GRDB
import HTTPTypes
import NIOCore
import Testing

@testable import SQLiteStore

@Suite("Schema")
struct SchemaTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    /// A new step is a new file and a new line here; the lines before it stay.
    @Test("Released steps are what they were")
    func immutable() throws {
        try place.open().close()
        #expect(
            try steps() == [
                "1 initial 102e085e9846a80d", "2 large_bodies 09c5b0d8933b2165",
                "3 stored_parts e034092840737b01", "4 named_caches 7c06caaf7b77e3ed",
            ])
    }

    @Test("Opening a second time changes nothing in the schema")
    func twice() throws {
        try place.open().close()
        let before = try snapshot()
        try place.open().close()
        #expect(try snapshot() == before)
        #expect(before.contains { $0.contains("CREATE VIEW entries") })
    }

    /// Made by the SQL of the released steps alone and not by the store.
    @Test(
        "A file of an older schema opens, its rows are read, and its schema is that of a fresh file",
        arguments: [1, 2, 3])
    func fixture(version: Int) throws {
        let sql = try Self.released.prefix(version).map {
            try text(ofFile: Self.migrations + $0.file) + $0.record
        }.joined()
        let source = try Workplace()
        let store = try source.open()
        try store.commit([try Sample(1).put, try Sample(2).put])
        try store.close()
        try place.execute("PRAGMA auto_vacuum = 2; PRAGMA application_id = \(0x4C41_5244)")
        try place.execute(
            """
            PRAGMA journal_mode = wal; BEGIN; \(sql)
            PRAGMA user_version = \(version); COMMIT;
            """)
        let names = try strings("SELECT group_concat(name) FROM pragma_table_info('responses')")
        try place.execute(
            """
            ATTACH '\(source.path)' AS source;
            INSERT INTO responses (\(names[0])) SELECT \(names[0]) FROM source.responses; DETACH source;
            INSERT INTO touches VALUES (2, 1790000500, 3);
            """)
        let opened = try place.open()
        #expect(try opened.find(try Sample(1).query()).entry == Sample(1).entry())
        #expect(try opened.find(try Sample(2).query()).entry == Sample(2).entry())
        let schema = "SELECT name || coalesce(sql, '') FROM sqlite_master ORDER BY name"
        let fresh = try Workplace()
        try fresh.open().close()
        #expect(try strings(schema) == strings(schema, in: fresh))
        // The index of ends has the old rows too.
        let ended = try strings(
            """
            SELECT id FROM responses INDEXED BY responses_by_end WHERE
            max(fresh_until, stale_while_revalidate_until, stale_if_error_until) / 21600 < 82871
            """)
        #expect(ended.count == 2)
        // They are written like rows of today.
        var changed = Sample(1)
        changed.body = Array("changed".utf8)
        try opened.commit([try changed.put, .freshen(try Sample(2).response())])
        #expect(try opened.find(try Sample(1).query()).entry == changed.entry())
        #expect(try opened.find(try Sample(2).query()).name == "entry")
        #expect(try strings("PRAGMA integrity_check") == ["ok"])
    }

    private static let released = [
        (
            file: "0001_initial.sql",
            record: "INSERT INTO migrations VALUES (1, 'initial', '102e085e9846a80d', 0);"
        ),
        (
            file: "0002_large_bodies.sql",
            record: "INSERT INTO migrations VALUES (2, 'large_bodies', '09c5b0d8933b2165', 0);"
        ),
        (
            file: "0003_stored_parts.sql",
            record: "INSERT INTO migrations VALUES (3, 'stored_parts', 'e034092840737b01', 0);"
        ),
    ]

    private static let migrations =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/Migrations/"

    @Test("A step that fails leaves the file before it")
    func failedStep() throws {
        try place.open().close()
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction { database in
            #expect(throws: (any Error).self) {
                try Schema.migrate(database, from: 0, now: 0)
            }
            #expect(!database.isInsideTransaction)
            let verdict = try Schema.judge(database)
            #expect(verdict == .current)
        }
        try visitor.close()
    }

    @Test("Every statement uses the index it names", arguments: Statements.all)
    func plans(sql: String) throws {
        let store = try place.open()
        let visitor = try place.visit()
        let plan = try visitor.writeWithoutTransaction { database in
            try Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN " + sql.replacing("?", with: "x'00'")
            ).map { row in String.fromDatabaseValue(row["detail"]) ?? "" }
        }
        #expect(!plan.contains { $0.hasPrefix("SCAN") }, "\(plan)")
        if let expected = Self.plans[sql] {
            #expect(plan.contains { $0.contains(expected) }, "\(plan)")
        }
        try visitor.close()
        try store.close()
    }

    private static let plans = [
        Statements.freshen: "responses_by_name (uri_key=? AND primary_key=? AND variant_key=?)",
        Statements.deleteVariant:
            "responses_by_name (uri_key=? AND primary_key=? AND variant_key=?)",
        Statements.deletePlain: "responses_by_name (uri_key=? AND primary_key=?)",
        Statements.deleteURI: "responses_by_name (uri_key=?)",
        Statements.pruneInvalidations: "INTEGER PRIMARY KEY (rowid<?)",
        Statements.find: "responses_by_name (uri_key=? AND primary_key=?)",
        Statements.body: "INTEGER PRIMARY KEY (rowid=?)",
        Statements.probeURI: "COVERING INDEX responses_by_name (uri_key=?)",
        Statements.names: "COVERING INDEX responses_by_name",
        Statements.readMeta: "PRIMARY KEY (key=?)",
        Statements.bodyChecksum:
            "responses_by_name (uri_key=? AND primary_key=? AND variant_key=?)",
        Statements.countVariants: "COVERING INDEX responses_by_name",
        Statements.bodyState: "INTEGER PRIMARY KEY (rowid=?)",
        Statements.chunk: "chunks_by_body (body_id=? AND seq=?)",
        Statements.chunkSums: "chunks_by_body (body_id=?)",
        Statements.orphanHidden: "bodies_by_state (state=?)",
        Statements.orphanLost: "COVERING INDEX responses_by_body (body_id=?)",
        Statements.expired: "responses_by_end (<expr><?)",
        Statements.leastTouched: "COVERING INDEX touches_by_time (last_used>?)",
        Statements.fromHand: "INTEGER PRIMARY KEY (rowid>?)",
        Statements.deleteRow: "INTEGER PRIMARY KEY (rowid=?)",
        Statements.orphans: "COVERING INDEX bodies_by_state (state=? AND rowid>?)",
        Statements.someChunks: "chunks_by_body (body_id=?)",
        Statements.lastBody: "INTEGER PRIMARY KEY (rowid<?)",
        Statements.lastChunkBody: "COVERING INDEX chunks_by_body (body_id<?)",
        Statements.touch: "responses_by_name (uri_key=? AND primary_key=? AND variant_key=?)",
    ]

    @Test("The view says what people ask")
    func view() throws {
        let store = try place.open()
        var sample = Sample(1)
        sample.method = "POST"
        sample.target = "/search"
        sample.fields = [.contentType: "application/json; charset=utf-8", .vary: "accept"]
        sample.body = Array("{\"a\":1}".utf8)
        sample.content = RequestContent(
            bytes: ByteBuffer(string: "{\"q\":2}"), isTruncated: true,
            mediaType: "application/json")
        try store.commit([try sample.put])
        let visitor = try place.visit()
        let row = try #require(
            try visitor.read { try Row.fetchOne($0, sql: "SELECT * FROM entries") })
        let expected = [
            "url": "http://example.test:8080/search", "method": "POST", "status": "200",
            "size": "7", "stored_at": "2026-09-21T14:13:19Z", "host": "example.test:8080",
            "expires_at": "2026-09-21T14:14:20Z", "surface": "proxy", "cache_name": "default",
            "headers": "Content-Type: application/json; charset=utf-8\r\nVary: accept\r\n",
            "content_type": "application/json; charset=utf-8", "body": "{\"a\":1}",
            "request_content": "{\"q\":2}", "request_content_type": "application/json",
            "request_content_truncated": "1", "last_used_at": "",
        ]
        for (column, value) in expected {
            let found: DatabaseValue = row[column]
            #expect(found.isNull ? value.isEmpty : found.text == value, "\(column)")
        }
        let sum = try visitor.read {
            try Int.fetchOne($0, sql: "SELECT age + fresh_for FROM entries WHERE age > 0")
        }
        // The clock of these tests is in the future for some, in the past for others.
        #expect(sum == nil || sum == 61)
        try visitor.close()
        try store.close()
    }

    @Test(
        "The view shows bodies only when they are text",
        arguments: [
            ("text/html", nil, true), ("image/png", nil, false), ("application/xml", nil, true),
            ("text/html", "gzip", false), ("image/x-json-not", nil, true),
        ] as [(String, String?, Bool)])
    func bodies(type: String, coding: String?, isShown: Bool) throws {
        let store = try place.open()
        var sample = Sample(1)
        sample.fields = [.server: "content-type: text/plain", .contentType: type]
        if let coding { sample.fields[.contentEncoding] = coding }
        try store.commit([try sample.put])
        let visitor = try place.visit()
        let body = try visitor.read {
            try String.fetchOne($0, sql: "SELECT body FROM entries")
        }
        #expect((body == "hello") == isShown)
        try visitor.close()
        try store.close()
    }

    @Test("What belongs to a deleted response goes with it")
    func triggers() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put, try Sample(2).put, try Sample(3).put])
        try place.execute(
            """
            INSERT INTO bodies (id, state) VALUES (7, 1), (8, 1), (9, 1);
            UPDATE responses SET body_id = id + 6;
            INSERT INTO tags VALUES (1, 'a'), (2, 'a'), (3, 'a');
            INSERT INTO touches VALUES (1, 5, 1), (2, 5, 1), (3, 5, 1);
            DELETE FROM responses WHERE id = 1;
            UPDATE responses SET body_id = body_id, status = 201 WHERE id = 2;
            UPDATE responses SET body_id = NULL WHERE id = 3;
            """)
        for table in ["tags", "touches"] {
            #expect(try place.count(table) == 2)
        }
        #expect(
            try strings("SELECT id || ' ' || state FROM bodies ORDER BY id")
                == ["7 2", "8 1", "9 1"])
        try store.close()
        // What an update took from its response is noticed at the next start.
        let reopened = try place.open()
        #expect(
            try strings("SELECT id || ' ' || state FROM bodies ORDER BY id")
                == ["7 2", "8 1", "9 2"])
        try reopened.close()
    }

    private func snapshot() throws -> [String] {
        try strings("SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name") + steps()
            + strings("SELECT applied_at FROM migrations")
    }

    private func steps() throws -> [String] {
        try strings(
            "SELECT number || ' ' || name || ' ' || checksum FROM migrations ORDER BY number")
    }

    private func strings(_ sql: String, in other: Workplace? = nil) throws -> [String] {
        let visitor = try (other ?? place).visit()
        defer { try? visitor.close() }
        return try visitor.read { try String.fetchAll($0, sql: sql) }
    }
}

extension DatabaseValue {
    fileprivate var text: String? {
        Int64.fromDatabaseValue(self).map(String.init) ?? String.fromDatabaseValue(self)
    }
}
