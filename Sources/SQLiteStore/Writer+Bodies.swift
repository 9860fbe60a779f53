import CacheEngine
import GRDBSQLite
import HTTPCaching
import NIOCore

/// Large bodies: hidden while they are written, visible while a response has them, then removed in
/// steps that keep no batch waiting.
extension Writer {
    /// Most rows and bytes that one short transaction removes.
    static let stepRows = 64
    static let stepBytes: Int64 = 4 << 20

    func put(_ chunk: BodyChunk) throws(SQLiteFailure) {
        let body = chunk.body
        let sequence = Int64(chunk.sequence)
        try statements.beginBody.run { $0.integer(body.rawValue) }
        let code = chunk.bytes.withUnsafeReadableBytes { bytes in
            var binder = Binder(statement: statements.putChunk.pointer)
            binder.integer(sequence)
            binder.integer(Checksum.of(bytes, chunk: sequence, of: body))
            binder.blob(bytes)
            binder.integer(body.rawValue)
            return statements.putChunk.step(binder)
        }
        try statements.putChunk.end(code)
    }

    /// The checksum of a body whose chunks are all there, each with its length; `nil` for any other,
    /// and for one that another response has.
    func checksum(
        ofComplete body: ChunkedBody, for name: EntryName
    ) throws(SQLiteFailure) -> Int64? {
        let reference = BodyReference(body)
        guard reference.body(length: body.length) != nil,
            try isFree(body.id, for: name)
        else { return nil }
        defer { statements.chunkSums.reset() }
        var checksums: [Int64] = []
        var hasRow = try statements.chunkSums.firstRow { $0.integer(body.id.rawValue) }
        while hasRow {
            let sequence = Int64(checksums.count)
            let bytes = BodyReference.bytes(
                ofChunk: sequence, length: body.length, chunkSize: reference.chunkSize)
            guard statements.chunkSums.integer(0) == sequence,
                statements.chunkSums.integer(2) == bytes
            else { return nil }
            checksums.append(statements.chunkSums.integer(1))
            hasRow = try statements.chunkSums.step()
        }
        guard Int64(checksums.count) == reference.chunkCount else { return nil }
        return Checksum.of(chunks: checksums)
    }

    /// Whether a response of this name may have the body: nobody has it yet, or that one does.
    private func isFree(_ body: BodyID, for name: EntryName) throws(SQLiteFailure) -> Bool {
        switch try statements.bodyState.value({ $0.integer(body.rawValue) }) {
        case BodyState.hidden: return true
        case BodyState.visible:
            return try name.withBlobs { uri, primary, variant throws(SQLiteFailure) in
                try statements.hasBody.value { binder in
                    binder.blob(uri)
                    binder.blob(primary)
                    binder.blob(variant)
                    binder.integer(body.rawValue)
                } != nil
            }
        default: return false
        }
    }

    func show(_ body: ChunkedBody) throws(SQLiteFailure) {
        try statements.showBody.run { binder in
            binder.integer(body.length)
            binder.integer(Int64(body.chunkBytes))
            binder.integer(body.id.rawValue)
        }
    }

    func orphan(_ body: BodyID) throws(SQLiteFailure) {
        try statements.orphanBody.run { $0.integer(body.rawValue) }
    }

    /// What an earlier run was writing when it ended belongs to nobody, nor does a body that a
    /// visitor took from its response.
    func orphanLostBodies(now: EpochSeconds) throws(SQLiteFailure) {
        try transaction(now: now) { () throws(SQLiteFailure) in
            try statements.orphanHidden.run()
            try statements.orphanLost.run()
        }
    }

    /// Whether an answer may be reading the body.
    func isPinned(_ body: BodyID) -> Bool { pins?.contains(body) ?? true }

    /// Removes some chunks of one orphan; false when there is none that may go.
    func sweepStep(now: EpochSeconds) throws(SQLiteFailure) -> Bool {
        guard let body = try nextOrphan() else { return false }
        try transaction(now: now) { () throws(SQLiteFailure) in
            let (rows, isAll) = try someChunks(of: body)
            for row in rows { try statements.deleteChunk.run { $0.integer(row) } }
            if isAll { try statements.deleteBody.run { $0.integer(body.rawValue) } }
        }
        return true
    }

    private func nextOrphan() throws(SQLiteFailure) -> BodyID? {
        defer { statements.orphans.reset() }
        var last = Int64.min
        while true {
            var count = 0
            var hasRow = try statements.orphans.firstRow { $0.integer(last) }
            while hasRow {
                count += 1
                last = statements.orphans.integer(0)
                if !isPinned(BodyID(rawValue: last)) { return BodyID(rawValue: last) }
                hasRow = try statements.orphans.step()
            }
            if count == 0 { return nil }
            statements.orphans.reset()
        }
    }

    /// The first chunks of a body, at most a step's worth, and whether that is all of them.
    private func someChunks(
        of body: BodyID
    ) throws(SQLiteFailure) -> (rows: [Int64], isAll: Bool) {
        defer { statements.someChunks.reset() }
        var rows: [Int64] = []
        var bytes: Int64 = 0
        var hasRow = try statements.someChunks.firstRow { $0.integer(body.rawValue) }
        while hasRow {
            if bytes >= Self.stepBytes { return (rows, false) }
            rows.append(statements.someChunks.integer(0))
            bytes += min(max(0, statements.someChunks.integer(1)), Self.stepBytes)
            hasRow = try statements.someChunks.step()
        }
        return (rows, rows.count < Self.stepRows)
    }
}
