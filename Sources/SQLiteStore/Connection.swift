import GRDB
import GRDBSQLite

/// One SQLite connection with what is confined to it: statements, buffers, counters.
// @unchecked: `confined` is made, used and dropped inside the serial accesses of `queue` only.
final class Connection<Confined>: @unchecked Sendable {
    private let queue: DatabaseQueue
    private var confined: Confined?

    /// Opens the file and makes what is confined to the connection, on the connection's queue.
    init(
        path: String, configuration: Configuration, make: (Database) throws -> Confined
    ) throws {
        queue = try DatabaseQueue(path: path, configuration: configuration)
        confined = try queue.writeWithoutTransaction(make)
    }

    deinit {
        // Statements first: SQLite keeps a connection open while one of them lives.
        try? close()
    }

    /// Runs on the connection's queue, one caller at a time; `nil` once it is closed.
    func access<T>(_ body: (Confined) -> T) -> T? {
        queue.writeWithoutTransaction { _ in confined.map(body) }
    }

    /// Waits for the access in flight, finalises the statements and closes the connection.
    func close() throws(SQLiteFailure) {
        queue.writeWithoutTransaction { _ in confined = nil }
        do {
            try queue.close()
        } catch {
            throw SQLiteFailure(error)
        }
    }
}

/// The SQLite calls that no prepared statement stands for.
struct RawConnection {
    let pointer: OpaquePointer?

    init(_ database: Database) {
        pointer = database.sqliteConnection
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(pointer) == 0 }

    /// Runs statements that return nothing of interest.
    func execute(_ sql: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(pointer, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteFailure(code: code, connection: pointer) }
    }

    func setBusyTimeout(milliseconds: Int) {
        sqlite3_busy_timeout(pointer, Int32(clamping: milliseconds))
    }

    /// Ends a transaction that something left open; does nothing outside of one.
    ///
    /// A COMMIT that fails may leave its transaction open, and GRDB ends the process when an access
    /// returns inside one.
    ///
    /// > If the transaction is rolled back automatically by an error, then the ROLLBACK command
    /// > will fail with an error, but no harm is caused by this.
    /// https://www.sqlite.org/lang_transaction.html
    func rollBackIfOpen() {
        if isInTransaction { try? execute(Statements.rollback) }
    }

    /// How much of the log a checkpoint moved, in pages.
    struct CheckpointResult: Equatable {
        var isComplete: Bool
        var logPages: Int
        var movedPages: Int
    }

    func checkpoint(mode: Int32) throws(SQLiteFailure) -> CheckpointResult {
        var log: Int32 = 0
        var moved: Int32 = 0
        let code = sqlite3_wal_checkpoint_v2(pointer, nil, mode, &log, &moved)
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw SQLiteFailure(code: code, connection: pointer)
        }
        return CheckpointResult(
            isComplete: code == SQLITE_OK && log == moved, logPages: Int(max(0, log)),
            movedPages: Int(max(0, moved)))
    }
}
