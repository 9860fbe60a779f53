import CacheEngine
import Testing

@testable import HTTPFrontend

/// A response as a put has it for content.
func putPayload(_ text: String, _ control: String = "max-age=60") -> String {
    "HTTP/1.1 200 OK\r\nCache-Control: \(control)\r\n\r\n\(text)"
}

/// What clients hear when the file cannot be read or has lost something.
@Suite("Cache API: a file that fails")
struct CacheFileFailureTests {
    private static let url = "http://a.example/x"
    private static let text = "0123456789abcdefghijklmnopqrstuvwxyz"

    /// Bodies are in chunk rows of eight bytes, small ones in their row; nothing is in memory.
    private func run(_ body: (Front, Client) async throws -> Void) async throws {
        try await Front.run(
            configure: { $0.service = .cacheAPI(CacheAPISettings()) },
            configureEngine: {
                $0.memoryBudget = 0
                $0.inlineBytes = 8
                $0.chunkBytes = 8
            }
        ) { front in
            try await body(front, try await front.connect())
        }
    }

    private func put(_ text: String, _ front: Front, _ client: Client) async throws {
        let payload = putPayload(text)
        let request =
            "PUT \(Self.url) HTTP/1.1\r\nContent-Length: \(payload.utf8.count)\r\n\r\n\(payload)"
        #expect(try await client.ask(request).status == 204)
        try await front.eventually("it is written") { front.engine.writes.isEmpty }
    }

    private func ask(_ method: String, _ client: Client) async throws -> WireAnswer {
        try await client.ask("\(method) \(Self.url) HTTP/1.1\r\n\r\n")
    }

    private func native(_ operation: String, _ client: Client) async throws -> WireAnswer {
        try await client.ask(
            post(
                "/larder/\(operation)", "{\"url\":\"\(Self.url)\"}",
                "Content-Type: application/json"))
    }

    @Test(arguments: ["short", Self.text])
    func anUnreadableFileIsAMissAndNoDeletion(text: String) async throws {
        try await run { front, client in
            try await put(text, front, client)
            front.store.failReads(with: .busy)
            let miss = try await ask("GET", client)
            #expect(miss.status == 504 && miss.body.isEmpty)
            #expect(miss.values("cf-cache-status") == ["MISS"])
            #expect(try await ask("PURGE", client).status == 500)
            #expect(try await native("match", client).status == 500)
            #expect(try await native("delete", client).status == 500)
            front.store.failReads(with: nil)
            #expect(try await ask("GET", client).body == text)
            #expect(try await ask("PURGE", client).status == 200)
            #expect(try await ask("PURGE", client).status == 404)
        }
    }

    @Test func anErrorOnTheWayThroughABodyDeletesNothing() async throws {
        try await run { front, client in
            try await put(Self.text, front, client)
            #expect(try await ask("GET", client).body == Self.text)
            front.store.failReads(with: .failed(code: 10, message: "disk I/O error"))
            #expect(try await ask("GET", client).status == 504)
            front.store.failReads(with: nil)
            #expect(try await ask("GET", client).body == Self.text)
        }
    }

    @Test func aLostBodyIsAMissUntilThereIsAnother() async throws {
        try await run { front, client in
            try await put(Self.text, front, client)
            front.store.lose(chunk: 0)
            let miss = try await ask("GET", client)
            #expect(miss.status == 504 && miss.values("cf-cache-status") == ["MISS"])
            try await put("new " + Self.text, front, client)
            #expect(try await ask("GET", client).body == "new " + Self.text)
            front.store.lose(chunk: 0)
            #expect(try await ask("GET", client).status == 504)
            try await front.eventually("the row is gone") { front.store.entries.isEmpty }
            #expect(try await ask("PURGE", client).status == 404)
        }
    }

    /// An answer of many parts must not look whole.
    @Test func matchAllIsCutAtWhatCannotBeRead() async throws {
        try await run { front, client in
            try await put(Self.text, front, client)
            front.store.lose(chunk: 2)
            try await client.reset()
            try await client.send(
                post(
                    "/larder/match-all", "{\"url\":\"\(Self.url)\"}",
                    "Content-Type: application/json"))
            try await front.eventually("the cut") { client.isCut }
            let text = String(decoding: try await client.bytes(), as: UTF8.self)
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.contains("01234567") && !text.contains("--\r\n"))
        }
    }
}
