import CacheEngine
import CacheKeys
import GRDB
import NIOCore
import Synchronization
import Testing

@testable import SQLiteStore

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

@Suite("Failures")
struct FailureTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private func large(_ key: Int, _ count: Int = 50_000) throws -> Mutation {
        var sample = Sample(key)
        sample.body = [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: count)
        return try sample.put
    }

    @Test("A full file refuses the whole batch; a smaller one fits")
    func full() throws {
        let store = try place.open { $0.maxPageCount = 100 }
        try store.commit([try Sample(1).put])
        #expect(throws: StoreError.full) {
            try store.commit(try (10..<30).map { try large($0) })
        }
        #expect(try place.count() == 1)
        try store.commit([
            .delete(
                EntryName(
                    uriKey: try digest(1, 1), primaryKey: try digest(1), variantKey: nil)),
            try Sample(2).put,
        ])
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        #expect(try store.find(try Sample(2).query()).name == "entry")
        #expect(try store.find(try Sample(10).query()).name == "uriMiss")
    }

    @Test("Another writer makes a commit busy, and leaves nothing of it")
    func busy() throws {
        let store = try place.open()
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(throws: StoreError.busy) { try store.commit([try Sample(1).put]) }
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        // Looking after the file goes on, and waits for no one.
        place.clock.advance(10)
        #expect(try store.tend(isIdle: true, pins: BodyPins()) == StoreNews())
        try visitor.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try store.commit([try Sample(1).put])
        #expect(try store.find(try Sample(1).query()).name == "entry")
        try visitor.close()
    }

    @Test("A transaction that something left open fails one commit and not the next")
    func leftOpen() throws {
        let store = try place.open()
        let file = try store.currentFile()
        #expect(file.writer.access { try? $0.connection.execute("BEGIN") } != nil)
        #expect(throws: StoreError.self) { try store.commit([try Sample(1).put]) }
        #expect(file.writer.access { $0.connection.isInTransaction } == false)
        try store.commit([try Sample(2).put])
        #expect(try place.count() == 1)
    }

    @Test("A pinned log refuses puts past its limit; deletes go on, and puts after it is free")
    func logTooLong() throws {
        let store = try place.open { $0.hardLogLimit = 400_000 }
        try store.commit([try Sample(1).put])
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction {
            try $0.execute(sql: "BEGIN")
            _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM responses")
        }
        try store.commit(try (10..<20).map { try large($0) })
        #expect(throws: StoreError.logTooLong) { try store.commit([try Sample(2).put]) }
        try store.commit([
            .delete(
                EntryName(
                    uriKey: try digest(1, 1), primaryKey: try digest(1), variantKey: nil))
        ])
        place.clock.advance(10)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        #expect(throws: StoreError.logTooLong) { try store.commit([try Sample(2).put]) }
        try visitor.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        place.clock.advance(10)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        try store.commit([try Sample(2).put])
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        #expect(try store.find(try Sample(2).query()).name == "entry")
        try visitor.close()
    }

    @Test("A file damaged while in use is moved aside, and all later calls use a fresh one")
    func damagedInUse() throws {
        let store = try place.open()
        let secret = try store.credentialSecret()
        try store.commit(try (0..<50).map { try large($0, 3_000) })
        place.clock.advance(10)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        // Kept open to the end: to close it would drop SQLite's locks on the file.
        let descriptor = open(place.path, O_WRONLY)
        let rubbish = [UInt8](repeating: 0xA5, count: 200_000)
        #expect(rubbish.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } > 0)
        #expect(throws: StoreError.replaced) {
            for key in 0..<50 { _ = try store.find(try Sample(key).query()) }
        }
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        try store.commit([try Sample(1).put])
        #expect(try store.find(try Sample(1).query()).name == "entry")
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit == false)
        #expect(place.files().contains { $0.contains(".corrupt-") })
        try store.close()
        #expect(try place.open().credentialSecret() == secret)
        close(descriptor)
    }

    @Test("A file removed under its name is made anew")
    func removed() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        for suffix in ["", "-wal", "-shm"] { unlink(place.path + suffix) }
        place.clock.advance(1)
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        try store.commit([try Sample(2).put])
        try store.close()
        #expect(try place.open().find(try Sample(2).query()).name == "entry")
    }

    @Test("A store that lost its file says so and takes it up again")
    func lost() throws {
        let store = try place.open()
        let file = try store.currentFile()
        store.exchangeFile(file, isDamaged: false, reason: "test")
        // A second call for the same file comes too late to do anything.
        store.exchangeFile(file, isDamaged: true, reason: "test")
        #expect(file.readers.access { _ in 0 } == nil)
        #expect(!place.files().contains { $0.contains(".corrupt-") })
        try store.commit([try Sample(1).put])
        store.state.withLock { $0.phase = .lost }
        #expect(throws: StoreError.self) { try store.find(try Sample(1).query()) }
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
        #expect(try store.find(try Sample(1).query()).name == "entry")
    }

    @Test(
        "What a result code asks for",
        arguments: [
            (SQLiteCode.ioErrorFsync, SQLiteFailure.Remedy.reopen), (11, .replace), (26, .replace),
            (267, .replace), (SQLiteCode.ioErrorRead, .replace), (SQLiteCode.ioErrorData, .replace),
            (5, .report), (13, .report), (8, .report), (10, .report), (1, .report),
        ] as [(Int32, SQLiteFailure.Remedy)])
    func remedies(code: Int32, remedy: SQLiteFailure.Remedy) {
        #expect(SQLiteFailure(code: code, message: "").remedy == remedy)
    }

    @Test("A failed synchronisation reopens the file once; the second replaces it")
    func synchronisation() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        let failure = SQLiteFailure(code: SQLiteCode.ioErrorFsync, message: "disk I/O error")
        let first = store.remedy(failure, on: try store.currentFile())
        #expect(first == .failed(code: SQLiteCode.ioErrorFsync, message: "disk I/O error"))
        #expect(try store.find(try Sample(1).query()).name == "entry")
        #expect(store.remedy(failure, on: try store.currentFile()) == .replaced)
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
    }

    /// What a kill or a loss of power leaves: the database and any beginning of its log.
    @Test("From a log that was cut anywhere only whole batches come back")
    func cutLog() throws {
        let store = try place.open()
        for batch in 0..<5 {
            try store.commit(try (0..<8).map { try large(batch * 8 + $0, 1_500) })
        }
        let database = try place.read("larder.db")
        let log = try place.read("larder.db-wal")
        var counts: Set<Int> = []
        for cut in stride(from: 0, through: log.count, by: max(1, log.count / 23)) {
            let copy = try Workplace()
            try copy.write(database, to: "larder.db")
            try copy.write(Array(log[..<cut]), to: "larder.db-wal")
            let reopened = try copy.open()
            let count = try copy.count()
            #expect(count % 8 == 0, "cut at \(cut)")
            counts.insert(count)
            for key in 0..<count {
                #expect(try reopened.find(try Sample(key).query()).name == "entry")
            }
            try reopened.close()
        }
        #expect(counts.contains(0) && counts.count >= 4)
        try store.close()
    }
}
