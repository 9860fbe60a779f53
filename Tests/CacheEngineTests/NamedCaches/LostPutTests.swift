import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Synchronization
import Testing

@testable import CacheEngine

/// Puts by hand whose commit fails: memory has what the file has not.
@Suite struct LostPutTests {
    private func put(_ text: String, on bench: Bench) async throws -> CachePutResult {
        let identity = try bench.engine.cacheIdentity(of: try url(), in: "")
        let plan = try PutRules.decide(
            status: 200, fields: [.cacheControl: "max-age=60"], policy: PutPolicy(),
            now: bench.clock.now()
        ).get()
        let handle = try await CachePutHandle(
            engine: bench.engine, head: .init(identity: identity, status: .ok, plan: plan),
            start: .init(identity, on: bench.engine), announced: nil)
        await handle.write(ByteBuffer(string: text))
        return await handle.finish()
    }

    private func url() throws -> CacheURL { try #require(CacheURL("http://a/b")) }

    private func query(_ options: CacheQuery.Options = []) throws -> CacheQuery {
        CacheQuery(cacheName: "", url: try url(), fields: NoFields(), options: options)
    }

    /// A row of its own that the lost put would have replaced.
    private func loseAPut(on bench: Bench) async throws {
        #expect(try await put("old", on: bench) == .stored(seconds: 60))
        try await bench.settle()
        bench.store.state.withLock { $0.commitErrors = [.full] }
        #expect(try await put("new", on: bench) == .stored(seconds: 60))
        try await eventually("it is lost") { bench.engine.counters.failedPuts.current == 1 }
        try await bench.settle()
        #expect(bench.store.rows.isEmpty, "what was replaced must not come back")
        #expect(try await bench.engine.match(try query())?.entry.text == "new")
    }

    @Test(arguments: [CacheQuery.Options(), .ignoreVary])
    func isDeletedAsWhatItIs(options: CacheQuery.Options) async throws {
        try await Bench.run { bench in
            try await loseAPut(on: bench)
            #expect(try await bench.engine.delete(try query(options)))
            #expect(try await bench.engine.match(try query()) == nil)
            #expect(try await !bench.engine.delete(try query(options)))
        }
    }

    @Test func aDeletionOfTheURLFindsIt() async throws {
        try await Bench.run { bench in
            try await loseAPut(on: bench)
            let identity = try bench.engine.cacheIdentity(of: try url(), in: "")
            #expect(try await bench.engine.deleteAll(of: identity))
            #expect(try await bench.engine.match(try query()) == nil)
            #expect(try await !bench.engine.deleteAll(of: identity))
        }
    }
}
