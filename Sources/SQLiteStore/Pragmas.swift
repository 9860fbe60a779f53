import GRDB

/// Every PRAGMA of a connection: set, then read back, because most of them fail in silence.
enum Pragmas {
    /// "LARD": what makes a SQLite database a Larder file.
    static let applicationID: Int64 = 0x4C41_5244

    /// Before the first table: none of these can change later without a rewrite of the file.
    static func layOut(_ database: Database) throws {
        try set("page_size", "4096", on: database)
        // INCREMENTAL: the file can shrink in small steps.
        try set("auto_vacuum", "2", on: database)
        try set("application_id", "\(applicationID)", on: database)
    }

    static func prepareWriter(
        _ database: Database, configuration: SQLiteStoreConfiguration
    ) throws {
        try prepareAny(database, cacheKiB: configuration.writerCacheKiB)
        try set("journal_mode", "wal", on: database)
        // OFF, although Debian builds default to ON: what is deleted here was a cached answer in a
        // file only its owner reads, and overwriting each freed page costs a write of its own.
        try set("secure_delete", "0", on: database)
        try set("journal_size_limit", "\(configuration.truncateLogBytes)", on: database)
        try set("temp_store", "2", on: database)
        try set("foreign_keys", "0", on: database)
        // After journal_mode: switching it on may choose a level of its own.
        switch configuration.durability {
        case .full: try set("synchronous", "2", on: database)
        case .balanced: try set("synchronous", "1", on: database)
        }
    }

    static func prepareReader(
        _ database: Database, configuration: SQLiteStoreConfiguration
    ) throws {
        try prepareAny(database, cacheKiB: configuration.readerCacheKiB)
        try set("query_only", "1", on: database)
    }

    private static func prepareAny(_ database: Database, cacheKiB: Int) throws {
        // Checkpoints are the writer's own, between batches.
        try set("wal_autocheckpoint", "0", on: database)
        // > An I/O error on a memory-mapped file cannot be caught and dealt with by SQLite. Instead,
        // > the I/O error causes a signal.  https://www.sqlite.org/mmap.html
        try set("mmap_size", "0", on: database)
        // Nothing in the schema of a file that anyone may edit gets to call functions with effects.
        try set("trusted_schema", "0", on: database)
        try set("cell_size_check", "1", on: database)
        try set("cache_size", "\(-cacheKiB)", on: database)
    }

    private static func set(_ name: String, _ value: String, on database: Database) throws {
        try RawConnection(database).execute("PRAGMA \(name) = \(value)")
        let found = try String.fetchOne(database, sql: "PRAGMA \(name)") ?? ""
        guard found == value else {
            throw SQLiteFailure(
                code: 1, message: "PRAGMA \(name) is \(found) where \(value) was asked for")
        }
    }
}
