import CacheEngine
import GRDB
import HTTPCaching
import Migrations

/// Brings a file to the schema of this program, forwards only.
enum Schema {
    /// What a file is, by its schema.
    enum Verdict: Equatable {
        case current
        case older(number: Int)
        case newer(number: Int)
        /// A step was applied in another form.
        case foreign(step: Int)
    }

    /// The number of the last step this program knows.
    static var latest: Int { Migration.all.last?.number ?? 0 }

    static func judge(
        _ database: Database, known: [Migration] = Migration.all
    ) throws -> Verdict {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard version > 0 else { return .older(number: 0) }
        let rows = try Row.fetchAll(
            database, sql: "SELECT number, checksum FROM migrations ORDER BY number")
        for row in rows {
            guard let number = Int.fromDatabaseValue(row[0]) else { return .foreign(step: 0) }
            guard let step = known.first(where: { $0.number == number }) else {
                return .newer(number: max(number, version))
            }
            guard String.fromDatabaseValue(row[1]) == checksum(of: step) else {
                return .foreign(step: number)
            }
        }
        let latest = known.last?.number ?? 0
        if version > latest { return .newer(number: version) }
        return version == latest ? .current : .older(number: version)
    }

    /// Applies every step after `number`, each in one transaction with its bookkeeping row.
    static func migrate(
        _ database: Database, from number: Int, now: EpochSeconds,
        known: [Migration] = Migration.all
    ) throws {
        let connection = RawConnection(database)
        for step in known where step.number > number {
            defer { connection.rollBackIfOpen() }
            try connection.execute(Statements.begin)
            try connection.execute(step.sql)
            try database.execute(
                sql: """
                    INSERT INTO migrations (number, name, checksum, applied_at)
                    VALUES (?, ?, ?, ?)
                    """,
                arguments: [step.number, step.name, checksum(of: step), now])
            // Part of the transaction, like any other change of the file.
            try connection.execute("PRAGMA user_version = \(step.number)")
            try connection.execute(Statements.commit)
        }
    }

    /// Sixteen hexadecimal digits of the step's text, which never changes once released.
    static func checksum(of step: Migration) -> String {
        let value = Array(step.sql.utf8).withUnsafeBytes { Checksum.of($0) }
        let digits = String(UInt64(bitPattern: value), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
