import GRDB
import GRDBSQLite

/// What SQLite said: the extended result code and its message, which never holds values.
struct SQLiteFailure: Error, Sendable, Equatable {
    let code: Int32
    let message: String

    init(code: Int32, message: String) {
        self.code = code
        self.message = message
    }

    /// Takes the message of the connection's last error.
    init(code: Int32, connection: OpaquePointer?) {
        let text = sqlite3_errmsg(connection).map { String(cString: $0) } ?? "unknown"
        self.init(code: code, message: text)
    }

    init(_ error: any Error) {
        if let error = error as? SQLiteFailure {
            self = error
        } else if let error = error as? DatabaseError {
            let text = error.message ?? "unknown"
            self.init(code: error.extendedResultCode.rawValue, message: text)
        } else {
            self.init(code: SQLITE_INTERNAL, message: "unexpected error")
        }
    }
}

extension SQLiteFailure {
    /// What a failure asks of the store.
    enum Remedy: Equatable {
        /// Tell the caller; the file is as it was.
        case report
        /// The file is damaged: move it aside and make a fresh one.
        case replace
        /// The kernel may have dropped what it could not write: forget the page cache.
        case reopen
    }

    var primaryCode: Int32 { code & 0xFF }

    var remedy: Remedy {
        switch code {
        case SQLiteCode.ioErrorFsync, SQLiteCode.ioErrorDirFsync:
            return .reopen
        case SQLiteCode.ioErrorRead, SQLiteCode.ioErrorShortRead, SQLiteCode.ioErrorData,
            SQLiteCode.ioErrorCorruptFS:
            return .replace
        default:
            return primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB
                ? .replace : .report
        }
    }
}

/// Extended result codes, which are macros with arithmetic in C and so are not imported.
/// https://www.sqlite.org/rescode.html
enum SQLiteCode {
    static let ioErrorRead = SQLITE_IOERR | (1 << 8)
    static let ioErrorShortRead = SQLITE_IOERR | (2 << 8)
    static let ioErrorFsync = SQLITE_IOERR | (4 << 8)
    static let ioErrorDirFsync = SQLITE_IOERR | (5 << 8)
    static let ioErrorData = SQLITE_IOERR | (32 << 8)
    static let ioErrorCorruptFS = SQLITE_IOERR | (33 << 8)
}
