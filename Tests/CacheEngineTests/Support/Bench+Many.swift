import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

@testable import CacheEngine

/// Many clients at once.
extension Bench {
    /// So many who ask the same, on all loops in turn; the first, on the bench's own, before the
    /// others.
    func crowd(_ count: Int, _ ask: Ask = Ask()) async throws -> [Client] {
        var clients = [try await self.ask(ask)]
        clients += (1..<count).map { newClient(on: Self.loops[$0 % Self.loops.count]) }
        let fill = try ask.fillRequest()
        for loop in Self.loops {
            let own = clients.dropFirst().filter { $0.loop === loop }
            try await loop.submit {
                for client in own { self.look(up: fill, for: client) }
            }.get()
        }
        return clients
    }

    func finish(_ clients: [Client], _ location: SourceLocation = #_sourceLocation) async throws {
        for client in clients { try await finish(client, location) }
    }

    /// Waits until the origin has been asked so often, and looks that it stays so.
    func expectRequests(
        _ count: Int, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        try await eventually("\(count) requests, now \(origin.count)", location) {
            origin.count >= count
        }
        // What is on its way between loops has arrived after a few turns of each.
        for _ in 0..<3 {
            for loop in Self.loops { try await loop.submit {}.get() }
        }
        #expect(origin.count == count, sourceLocation: location)
    }

    /// Answers the exchanges of these numbers, each with its own number as the body.
    func answer(
        _ numbers: Range<Int>, _ fields: HTTPFields, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        for number in numbers {
            try await origin.exchange(number, location).answer(fields, body: "answer \(number)")
        }
    }
}

extension Client {
    var isCollapsed: Bool { status?.isCollapsed == true }

    var failure: AnswerFailure? {
        for case .failed(let failure) in heard { return failure }
        return nil
    }
}
