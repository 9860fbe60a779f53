import CacheEngine
import CacheKeys
import GRDB
import HTTPCaching
import HTTPTypes
import Logging
import NIOCore
import Synchronization

@testable import SQLiteStore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A directory of its own with a store's file in it; removed when the test lets go of it.
final class Workplace: Sendable {
    let directory: String
    let clock = ManualClock()

    var path: String { directory + "/larder.db" }

    init() throws {
        var template = Array("/tmp/larder-store-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw Trouble.noDirectory }
        directory = String(cString: made)
    }

    deinit {
        for name in files() { unlink(directory + "/" + name) }
        rmdir(directory)
    }

    enum Trouble: Error { case noDirectory, noFile, badDigest, noRow }

    var configuration: SQLiteStoreConfiguration {
        var configuration = SQLiteStoreConfiguration(path: path)
        configuration.writeTimeout = 50
        configuration.checkpointTimeout = 20
        return configuration
    }

    func open(_ change: (inout SQLiteStoreConfiguration) -> Void = { _ in }) throws -> SQLiteStore {
        var configuration = configuration
        change(&configuration)
        return try SQLiteStore(
            configuration: configuration, clock: { [clock] in clock.now }, logger: quietLogger)
    }

    /// Another connection to the file, as a visiting shell has it.
    func visit() throws -> DatabaseQueue {
        var settings = Configuration()
        settings.foreignKeysEnabled = false
        settings.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: settings)
    }

    /// Runs statements as a visitor.
    func execute(_ sql: String) throws {
        let visitor = try visit()
        try visitor.writeWithoutTransaction { try $0.execute(sql: sql) }
        try visitor.close()
    }

    func count(_ table: String = "responses") throws -> Int {
        let visitor = try visit()
        defer { try? visitor.close() }
        return try visitor.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM \(table)") } ?? -1
    }

    func text(_ sql: String) throws -> String? {
        let visitor = try visit()
        defer { try? visitor.close() }
        return try visitor.read { try String.fetchOne($0, sql: sql) }
    }

    /// Bytes of a file on the disk; 0 when there is none.
    func size(_ name: String) -> Int64 {
        var status = stat()
        return stat(directory + "/" + name, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Gives the only row of a key the head checksum that its columns have now.
    func reseal(_ sample: Sample) throws {
        let visitor = try visit()
        try visitor.writeWithoutTransaction { database in
            let statement = try RawStatement(Statements.find, on: database)
            var image = RowImage()
            let name = try sample.name
            guard
                try name.withBlobs({ uri, primary, _ in
                    try statement.firstRow { binder in
                        binder.blob(uri)
                        binder.blob(primary)
                    }
                })
            else { throw Trouble.noRow }
            image.fill(primaryKey: name.primaryKey, row: statement, firstColumn: 1)
            let id = statement.integer(0)
            statement.reset()
            try database.execute(
                sql: "UPDATE responses SET head_checksum = ? WHERE id = ?",
                arguments: [image.checksum, id])
        }
        try visitor.close()
    }

    func files() -> [String] {
        var names: [String] = []
        guard let stream = opendir(directory) else { return [] }
        while let item = readdir(stream) {
            let name = withUnsafePointer(to: &item.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        closedir(stream)
        return names.sorted()
    }

    func read(_ name: String) throws -> [UInt8] { try bytes(ofFile: directory + "/" + name) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try setBytes(bytes, ofFile: directory + "/" + name)
    }
}

func text(ofFile path: String) throws -> String {
    String(decoding: try bytes(ofFile: path), as: UTF8.self)
}

private func bytes(ofFile path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Workplace.Trouble.noFile }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(descriptor, &chunk, chunk.count), count > 0 {
        bytes.append(contentsOf: chunk[..<count])
    }
    return bytes
}

private func setBytes(_ bytes: [UInt8], ofFile path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw Workplace.Trouble.noFile }
    defer { close(descriptor) }
    guard bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == bytes.count
    else { throw Workplace.Trouble.noFile }
}

let quietLogger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Time as the test says.
final class ManualClock: Sendable {
    private let time = Mutex<EpochSeconds>(1_790_000_000)

    var now: EpochSeconds { time.withLock { $0 } }

    func advance(_ seconds: Int64) {
        time.withLock { $0 += seconds }
    }
}

func digest(_ seed: Int, _ salt: UInt8 = 0) throws -> Digest {
    var bytes = [UInt8](repeating: salt, count: 32)
    for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: seed >> (8 * index)) }
    guard let digest = Digest(bytes: bytes) else { throw Workplace.Trouble.badDigest }
    return digest
}

/// A stored response to try things with.
struct Sample {
    var key: Int
    var uri: Int?
    var method = "GET"
    var target = "/a?b=1"
    var status = HTTPResponse.Status.ok
    var fields: HTTPFields = [.contentType: "text/plain", .eTag: "\"1\""]
    var body: [UInt8] = Array("hello".utf8)
    var vary: [String] = []
    var variant: Int?
    var date: EpochSeconds = 1_790_000_000
    var content: RequestContent?
    /// In place of `body`.
    var large: LargeBody?
    var part: RepresentationPart?

    init(_ key: Int) {
        self.key = key
    }

    static func material(_ key: Int) -> [UInt8] { Array("material-\(key)".utf8) }

    func entry() throws -> StoredEntry {
        StoredEntry(
            identity: EntryIdentity(
                primaryKey: try digest(key), uriKey: try digest(uri ?? key, 1),
                material: Self.material(key), surface: .proxy, cacheName: "default", recipe: .raw,
                method: method, scheme: "http", authority: "example.test:8080", target: target),
            variant: Variant(names: vary, key: try variant.map { try digest($0, 2) }),
            status: status, fields: fields,
            body: large.map { .chunked($0.body) } ?? .whole(ByteBuffer(bytes: body)), part: part,
            terms: ReuseTerms(
                dateValue: date, bornAt: date - 1, freshUntil: date + 60,
                staleWhileRevalidateUntil: date + 70, staleIfErrorUntil: date + 80,
                flags: [.hasValidator, .heuristic]),
            requestTime: date - 2, responseTime: date - 1, requestContent: content)
    }

    func response() throws -> StoredResponse {
        StoredResponse(entry: try entry(), rendering: ByteBuffer(), generation: 7, epoch: 1)
    }

    var put: Mutation { get throws { .put(try response()) } }

    var name: EntryName { get throws { try response().name } }

    func query(variant asked: Int? = nil) throws -> EntryQuery {
        let digest = try asked.map { try SQLiteStoreTests.digest($0, 2) }
        return EntryQuery(
            primaryKey: try SQLiteStoreTests.digest(key),
            uriKey: try SQLiteStoreTests.digest(uri ?? key, 1),
            material: Self.material(key), variantKey: { _ in digest })
    }
}

/// A body in chunks to try things with.
struct LargeBody {
    var body: ChunkedBody

    init(_ id: BodyID, length: Int64 = 2_500, chunkBytes: Int = 1_000) {
        body = ChunkedBody(id: id, length: length, chunkBytes: chunkBytes)
    }

    var chunks: [Mutation] { (0..<body.chunkCount).map { .chunk(chunk($0)) } }

    func chunk(_ sequence: Int) -> BodyChunk {
        BodyChunk(body: body.id, sequence: sequence, bytes: bytes(sequence))
    }

    func bytes(_ sequence: Int) -> ByteBuffer {
        let byte = UInt8(truncatingIfNeeded: Int(body.id.rawValue) &* 16 &+ sequence)
        return ByteBuffer(repeating: byte, count: body.length(ofChunk: sequence))
    }
}

extension EntryFinding {
    var entry: StoredEntry? {
        if case .entry(let entry) = self { entry } else { nil }
    }

    /// The name of the case, to compare.
    var name: String {
        switch self {
        case .entry: "entry"
        case .varyMiss: "varyMiss"
        case .miss: "miss"
        case .uriMiss: "uriMiss"
        case .damaged: "damaged"
        }
    }
}
