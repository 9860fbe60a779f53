/// One step of the schema: a file `NNNN_name.sql` of this directory, immutable once released.
package struct Migration: Sendable {
    /// Counts from 1 without gaps; the file's `user_version` once the step is done.
    package let number: Int
    package let name: String
    /// The statements, as the file has them.
    package let sql: String

    /// Every step, in the order of application.
    package static let all: [Migration] = [
        Migration(number: 1, name: "initial", source: PackageResources._001_initial_sql),
        Migration(number: 2, name: "large_bodies", source: PackageResources._002_large_bodies_sql),
        Migration(number: 3, name: "stored_parts", source: PackageResources._003_stored_parts_sql),
        Migration(number: 4, name: "named_caches", source: PackageResources._004_named_caches_sql),
    ]

    private init(number: Int, name: String, source: [UInt8]) {
        self.number = number
        self.name = name
        self.sql = String(decoding: source, as: UTF8.self)
    }
}
