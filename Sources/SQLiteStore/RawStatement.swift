import GRDB
import GRDBSQLite

/// A prepared statement, stepped without GRDB's row types; used on its connection's queue only.
struct RawStatement {
    /// Owns the pointer below.
    private let owner: Statement
    let pointer: OpaquePointer

    /// Prepares for many uses (SQLITE_PREPARE_PERSISTENT) and keeps the statement.
    init(_ sql: String, on database: Database) throws {
        owner = try database.cachedStatement(sql: sql)
        pointer = owner.sqliteStatement
    }

    private func failure(_ code: Int32) -> SQLiteFailure {
        SQLiteFailure(code: code, connection: sqlite3_db_handle(pointer))
    }

    /// Ends the statement and with it its read transaction; its bindings are forgotten.
    func reset() {
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    /// Runs a statement that returns no row, with `bind` before it.
    func run(_ bind: (inout Binder) -> Void = { _ in }) throws(SQLiteFailure) {
        var binder = Binder(statement: pointer)
        bind(&binder)
        try end(step(binder))
    }

    /// The first column of the first row of a statement that is read no further.
    func value(_ bind: (inout Binder) -> Void = { _ in }) throws(SQLiteFailure) -> Int64? {
        defer { reset() }
        return try firstRow(bind) && !isNull(0) ? integer(0) : nil
    }

    /// Binds and steps once; the caller resets.
    func firstRow(_ bind: (inout Binder) -> Void = { _ in }) throws(SQLiteFailure) -> Bool {
        var binder = Binder(statement: pointer)
        bind(&binder)
        guard binder.code == SQLITE_OK else { throw failure(binder.code) }
        return try step()
    }

    /// Steps once, if everything was bound, while what the binder borrowed is still there.
    func step(_ binder: Binder) -> Int32 {
        binder.code == SQLITE_OK ? sqlite3_step(pointer) : binder.code
    }

    /// Resets a statement that returns no row; `code` is what its one step returned.
    func end(_ code: Int32) throws(SQLiteFailure) {
        let failure = code == SQLITE_DONE ? nil : failure(code)
        reset()
        if let failure { throw failure }
    }

    /// True for a row, false at the end.
    func step() throws(SQLiteFailure) -> Bool {
        let code = sqlite3_step(pointer)
        guard code == SQLITE_ROW || code == SQLITE_DONE else { throw failure(code) }
        return code == SQLITE_ROW
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(pointer, column) }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(pointer, column) == SQLITE_NULL
    }

    /// The bytes of a text or blob as they are in the row; valid until the next step or reset.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // > The safest policy is to invoke [...] sqlite3_column_blob() followed by
        // > sqlite3_column_bytes().  https://www.sqlite.org/c3ref/column_blob.html
        let start = sqlite3_column_blob(pointer, column)
        return UnsafeRawBufferPointer(
            start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(pointer, column)))
    }
}

/// Binds parameters in order and remembers the first failure.
///
/// Text and blobs are lent, not copied: they must stay where they are until the statement is reset.
struct Binder {
    let statement: OpaquePointer
    private(set) var code: Int32 = SQLITE_OK
    private var index: Int32 = 0

    init(statement: OpaquePointer) {
        self.statement = statement
    }

    mutating func integer(_ value: Int64) {
        note(sqlite3_bind_int64(statement, next(), value))
    }

    mutating func null() {
        note(sqlite3_bind_null(statement, next()))
    }

    mutating func blob(_ bytes: UnsafeRawBufferPointer) {
        // A null pointer would bind NULL where an empty blob is meant.
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            note(sqlite3_bind_zeroblob(statement, next(), 0))
            return
        }
        note(sqlite3_bind_blob64(statement, next(), start, UInt64(bytes.count), nil))
    }

    mutating func text(_ bytes: UnsafeRawBufferPointer) {
        let characters = bytes.bindMemory(to: CChar.self)
        guard let start = characters.baseAddress, !bytes.isEmpty else {
            text("")
            return
        }
        note(
            sqlite3_bind_text64(
                statement, next(), start, UInt64(bytes.count), nil, UInt8(SQLITE_UTF8)))
    }

    /// Copies; for rare statements.
    mutating func text(_ string: String) {
        note(sqlite3_bind_text(statement, next(), string, -1, Self.transient))
    }

    /// SQLITE_TRANSIENT: a macro with a cast in C, so not imported.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private mutating func next() -> Int32 {
        index += 1
        return index
    }

    private mutating func note(_ result: Int32) {
        if code == SQLITE_OK { code = result }
    }
}
