import GRDB
import GRDBSQLite

/// The rows of `meta`.
enum Meta {
    /// 32 random bytes made with the file; digests of credentials are made under it.
    static let secret = "secret"
    /// `1` after an orderly close, `0` while the file is in use.
    static let cleanShutdown = "clean_shutdown"
    /// How many times the file was opened.
    static let epoch = "epoch"
    static let createdAt = "created_at"
    static let synchronisedAt = "synchronised_at"

    /// The row up to which eviction has gone through those that were never used.
    static let evictionHand = "eviction_hand"

    static let secretBytes = 32

    static func read(_ key: String, on database: Database) throws -> [UInt8]? {
        let statement = try RawStatement(Statements.readMeta, on: database)
        defer { statement.reset() }
        var binder = Binder(statement: statement.pointer)
        binder.text(key)
        guard try statement.step(), !statement.isNull(0) else { return nil }
        return Array(statement.bytes(0))
    }

    /// A number kept as decimal digits, so that people can read it; 0 for anything else.
    static func number(_ key: String, on database: Database) throws -> Int64 {
        guard let bytes = try read(key, on: database) else { return 0 }
        return Int64(String(decoding: bytes, as: UTF8.self)) ?? 0
    }

    static func randomSecret() -> [UInt8] {
        var source = SystemRandomNumberGenerator()
        return (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &source) }
    }
}
