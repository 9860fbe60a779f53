import HTTPCaching
import HTTPTypes
import Testing

@testable import CacheEngine

/// Clients for whom what is stored does not do.
@Suite struct StoredUseTests {
    private func withRow(_ body: (Bench) async throws -> Void) async throws {
        try await Bench.run { bench in
            try await bench.fetch()
            try await bench.settle()
            try bench.forgetMemory()
            try await body(bench)
        }
    }

    @Test func theOriginIsAskedForThemAlone() async throws {
        try await withRow { bench in
            let first = try await bench.ask(forwards: .partial)
            let exchange = try await bench.origin.exchange(1)
            try bench.forgetMemory()
            let second = try await bench.ask(forwards: .request)
            try await bench.origin.exchange(2).answer([.cacheControl: "no-store"], body: "second")
            try await exchange.answer(.partialContent, [.cacheControl: "max-age=9"], body: "first")
            try await bench.finish(first)
            try await bench.finish(second)
            #expect(first.text == "first" && first.status?.result == .forwarded(.partial))
            #expect(second.text == "second" && second.status?.result == .forwarded(.request))
        }
    }

    /// What it brings is stored in place of what did not do.
    @Test func aWholeAnswerIsStored() async throws {
        try await withRow { bench in
            let client = try await bench.ask(forwards: .partial)
            try await bench.origin.exchange(1).answer([.cacheControl: "max-age=60"], body: "new")
            try await bench.finish(client)
            #expect(client.text == "new" && client.status?.isStored == true)
            let next = try await bench.ask()
            #expect(next.heard == [.stored("new", CacheStatus(result: .hit, ttl: 60))])
            try await bench.settle()
            #expect(bench.store.rows.count == 1)
        }
    }

    @Test func onlyIfCachedDoesNotAsk() async throws {
        try await withRow { bench in
            var ask = Ask()
            ask.cacheControl = ["only-if-cached"]
            let client = try await bench.ask(ask, forwards: .partial)
            try await bench.finish(client)
            #expect(client.heard == [.failed(.onlyIfCached)])
            #expect(bench.origin.count == 1)
        }
    }
}
