import CacheEngine
import CacheKeys
import GRDB
import NIOCore
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("Looking after the file")
struct TendingTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
    }

    private var logBytes: Int { FileSet(path: place.path).logBytes() }

    @Test("A visitor's commit is news once; our own and a visitor's read are not")
    func foreignCommit() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put, try Sample(2).put])
        #expect(try store.tend(isIdle: false, pins: BodyPins()) == StoreNews())
        #expect(try place.count() == 2)
        #expect(try store.tend(isIdle: false, pins: BodyPins()) == StoreNews())
        try place.execute("DELETE FROM responses WHERE id = 1")
        #expect(try store.tend(isIdle: false, pins: BodyPins()) == StoreNews(foreignCommit: true))
        #expect(try store.tend(isIdle: false, pins: BodyPins()) == StoreNews())
        #expect(try store.find(try Sample(1).query()).name == "uriMiss")
        #expect(try store.find(try Sample(2).query()).name == "entry")
    }

    @Test("A visitor's commit stays news until it was passed on")
    func foreignUntilForgotten() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        let writer = try store.currentFile().writer
        #expect(writer.access { try? $0.hasForeignCommit() } == false)
        try place.execute("DELETE FROM responses")
        #expect(writer.access { try? $0.hasForeignCommit() } == true)
        #expect(writer.access { try? $0.hasForeignCommit() } == true)
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
        #expect(writer.access { try? $0.hasForeignCommit() } == false)
    }

    @Test("A visitor's commit is news even when our own follows it")
    func foreignBeforeOwn() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        try place.execute("DELETE FROM responses")
        try store.commit([try Sample(2).put])
        #expect(try store.tend(isIdle: false, pins: BodyPins()).foreignCommit)
    }

    @Test("The log is emptied when nothing was written for a while, and only then")
    func idle() throws {
        let store = try place.open()
        try store.commit([try Sample(1).put])
        _ = try store.tend(isIdle: true, pins: BodyPins())
        #expect(logBytes > 0)
        place.clock.advance(2)
        _ = try store.tend(isIdle: false, pins: BodyPins())
        #expect(logBytes > 0)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        #expect(logBytes == 0)
    }

    @Test("A long log is cut without waiting for idleness")
    func longLog() throws {
        let store = try place.open { $0.truncateLogBytes = 100_000 }
        var sample = Sample(1)
        sample.body = [UInt8](repeating: 1, count: 200_000)
        try store.commit([try sample.put])
        _ = try store.tend(isIdle: false, pins: BodyPins())
        #expect(logBytes == 0)
        #expect(try store.find(try sample.query()).entry == sample.entry())
    }

    @Test("A due checkpoint lets the next commit start the log anew")
    func dueCheckpoint() throws {
        let store = try place.open { $0.checkpointPages = 10 }
        var sample = Sample(1)
        sample.body = [UInt8](repeating: 1, count: 100_000)
        for key in 0..<20 {
            sample.key = key
            try store.commit([try sample.put])
            _ = try store.tend(isIdle: false, pins: BodyPins())
        }
        #expect(logBytes < 400_000)
    }

    @Test("A visitor that pins the log delays nothing and is counted")
    func pinned() throws {
        let store = try place.open { $0.truncateLogBytes = 100_000 }
        let visitor = try place.visit()
        try visitor.writeWithoutTransaction {
            try $0.execute(sql: "BEGIN")
            _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM responses")
        }
        var sample = Sample(1)
        sample.body = [UInt8](repeating: 1, count: 200_000)
        try store.commit([try sample.put])
        for _ in 0..<5 { _ = try store.tend(isIdle: false, pins: BodyPins()) }
        let file = try store.currentFile()
        // One try a second, whatever the number of calls.
        #expect(file.writer.access { $0.checkpoints.blockedCount } == 1)
        #expect(store.state.withLock { $0.isPinReported })
        try visitor.close()
        place.clock.advance(1)
        _ = try store.tend(isIdle: false, pins: BodyPins())
        #expect(logBytes == 0)
        #expect(!store.state.withLock { $0.isPinReported })
    }

    @Test("Balanced durability synchronises one commit a second, and what is left when idle")
    func balanced() throws {
        let store = try place.open { $0.durability = .balanced }
        let file = try store.currentFile()
        place.clock.advance(1)
        try store.commit([try Sample(1).put])
        #expect(file.writer.access { $0.isUnsynchronised } == false)
        try store.commit([try Sample(2).put])
        #expect(file.writer.access { $0.isUnsynchronised } == true)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        #expect(file.writer.access { $0.isUnsynchronised } == true)
        place.clock.advance(1)
        _ = try store.tend(isIdle: true, pins: BodyPins())
        #expect(file.writer.access { $0.isUnsynchronised } == false)
        #expect(try store.tend(isIdle: true, pins: BodyPins()) == StoreNews())
        try store.close()
        #expect(try place.open().find(try Sample(2).query()).name == "entry")
    }
}

@Suite("When checkpoints are due")
struct CheckpointScheduleTests {
    private func schedule(logBytes: Int = 0) -> CheckpointSchedule {
        var configuration = SQLiteStoreConfiguration(path: "")
        configuration.checkpointPages = 100
        configuration.truncateLogBytes = 4_120 * 1_000
        configuration.hardLogLimit = 4_120 * 5_000
        return CheckpointSchedule(configuration: configuration, logBytes: logBytes)
    }

    @Test("By pages not yet moved, by length, by idleness")
    func due() {
        var schedule = schedule()
        #expect(schedule.next(isIdle: true, now: 1_000) == nil)
        schedule.noteCommit(logPages: 99, now: 1_000)
        #expect(schedule.next(isIdle: true, now: 1_001) == nil)
        #expect(schedule.next(isIdle: true, now: 1_002) == .truncate)
        #expect(schedule.next(isIdle: false, now: 1_002) == nil)
        schedule.noteCommit(logPages: 100, now: 1_002)
        #expect(schedule.next(isIdle: false, now: 1_002) == .full)
        schedule.noteResult(
            .full, .init(isComplete: true, logPages: 100, movedPages: 100), now: 1_002)
        #expect(schedule.next(isIdle: false, now: 1_002) == nil)
        schedule.noteCommit(logPages: 150, now: 1_002)
        #expect(schedule.next(isIdle: false, now: 1_002) == nil)
        schedule.noteCommit(logPages: 60, now: 1_002)
        schedule.noteCommit(logPages: 110, now: 1_002)
        #expect(schedule.next(isIdle: false, now: 1_002) == .full)
        schedule.noteCommit(logPages: 1_001, now: 1_002)
        #expect(schedule.next(isIdle: false, now: 1_002) == .truncate)
        #expect(!schedule.isPastHardLimit)
        schedule.noteCommit(logPages: 5_001, now: 1_002)
        #expect(schedule.isPastHardLimit)
    }

    @Test("A blocked one is tried again in another second, also when the clock goes back")
    func blocked() {
        var schedule = schedule(logBytes: 4_120 * 2_000)
        #expect(schedule.next(isIdle: false, now: 500) == .truncate)
        schedule.noteResult(
            .truncate, .init(isComplete: false, logPages: 2_000, movedPages: 10), now: 500)
        #expect(schedule.blockedCount == 1)
        #expect(schedule.next(isIdle: false, now: 500) == nil)
        #expect(schedule.next(isIdle: false, now: 501) == .truncate)
        #expect(schedule.next(isIdle: false, now: 10) == .truncate)
        schedule.noteResult(
            .truncate, .init(isComplete: true, logPages: 0, movedPages: 0), now: 501)
        #expect(schedule.next(isIdle: true, now: 900) == nil)
    }
}
