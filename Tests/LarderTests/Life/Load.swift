import CacheTestKit
import Glibc
import Synchronization
import Testing

/// Clients that POST one self-describing body after another until the proxy goes away.
final class Load: Sendable {
    /// What a client was told about one request.
    struct Note: Sendable {
        let number: Int
        let isStored: Bool
    }

    private struct State {
        var next = 0
        var notes: [Note] = []
        var faults: [String] = []
    }

    private let stand: Stand
    private let state: Mutex<State>

    /// - Parameter firstNumber: Where the numbers of the requests begin.
    init(_ stand: Stand, firstNumber: Int = 0) {
        self.stand = stand
        state = Mutex(State(next: firstNumber))
    }

    /// The requests whose answers arrived whole.
    var notes: [Note] { state.withLock { $0.notes } }

    /// Everything that must not happen: wrong bytes, or an answer cut after its head had begun.
    var faults: [String] { state.withLock { $0.faults } }

    static func target(_ number: Int) -> String { "/load/\(number)" }

    static func body(_ number: Int) -> [UInt8] {
        selfDescribing(Array("request \(number)".utf8))
    }

    static func answer(_ body: [UInt8]) -> [UInt8] {
        selfDescribing(Array("answer".utf8) + body.suffix(64)) + body.reversed()
    }

    /// Lets the origin of a stand answer such requests.
    static func script(_ stand: Stand) {
        stand.origin.onOther { ScriptedAnswer(200, body: answer($0.body)) }
    }

    /// Runs so many clients, and `interruption` once `count` answers have arrived; returns when
    /// the proxy has ended every client's connection and takes no new one.
    func run(
        clients: Int, until count: Int, _ interruption: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<clients { group.addTask { self.client() } }
            group.addTask {
                try await eventually("\(count) answers") {
                    self.notes.count >= count
                }
                try await interruption()
            }
            try await group.waitForAll()
        }
    }

    private func client() {
        while let connection = try? stand.client() {
            do {
                while true { try exchange(on: connection) }
            } catch RawClient.Failure.cut(let partial, _) where partial != nil {
                state.withLock { $0.faults.append("cut: \(partial?.startLine ?? "")") }
            } catch RawClient.Failure.cut, RawClient.Failure.sending {
                // It ended between two exchanges; the next connection will tell.
            } catch {
                state.withLock { $0.faults.append("\(error)") }
                return
            }
        }
    }

    private func exchange(on connection: RawClient) throws {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let body = Self.body(number)
        let answer = try connection.exchange("POST", Self.target(number), body: body)
        let isRight = answer.status == 200 && answer.body == Self.answer(body)
        let isStored = answer.cacheStatus.contains("stored")
        state.withLock { state in
            if isRight {
                state.notes.append(Note(number: number, isStored: isStored))
            } else {
                state.faults.append("wrong answer \(answer.status) to \(number)")
            }
        }
    }
}
