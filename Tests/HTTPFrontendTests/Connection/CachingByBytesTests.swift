import CacheEngine
import HTTPTypes
import Testing

@testable import HTTPFrontend

@Suite("Answers by bytes: miss, hit, 304, HEAD and versions")
struct CachingByBytesTests {
    @Test func missThenHit() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            let miss = try await client.ask(get("/a"))
            #expect(miss.status == 200 && miss.body == "hello")
            #expect(miss.values("x-cache") == ["MISS"])
            #expect(
                miss.values("cache-status")
                    == ["larder; fwd=uri-miss; fwd-status=200; stored; ttl=60"])
            front.clock.advance(5)
            await front.advance(1)
            let hit = try await client.ask(get("/a"))
            #expect(hit.body == "hello" && hit.values("x-cache") == ["HIT"])
            #expect(hit.values("age") == ["5"])
            #expect(hit.values("cache-status") == ["larder; hit; ttl=55"])
            #expect(hit.values("content-length") == ["5"])
            #expect(front.origin.seen.count == 1)
        }
    }

    /// The lines that the prepared head does not know, for each way a client may ask.
    @Test(arguments: [
        (get("/a"), "HTTP/1.1 200 OK", [String](), "hello"),
        (get("/a", "Connection: close"), "HTTP/1.1 200 OK", ["Connection: close"], "hello"),
        (get("/a", version: "1.0"), "HTTP/1.1 200 OK", ["Connection: close"], "hello"),
        (
            get("/a", "Connection: keep-alive", version: "1.0"), "HTTP/1.1 200 OK",
            ["Connection: keep-alive"], "hello"
        ),
        ("HEAD /a HTTP/1.1\r\nHost: a.example\r\n\r\n", "HTTP/1.1 200 OK", [], ""),
    ])
    func hitIsExactlyThis(
        request: String, start: String, connection: [String], body: String
    ) async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [
                    ("Date", "Fri, 15 Jan 2027 08:00:00 GMT"), ("Cache-Control", "max-age=60"),
                    ("Age", "2"), ("X-B", "1"), ("X-A", "2"), ("x-b", "3"),
                ])
            }
            _ = try await front.connect().ask(get("/a"))
            let client = try await front.connect()
            try await client.send(request)
            _ = try await client.answers(1, methods: [String(request.prefix { $0 != " " })])
            let lines =
                [
                    start, "Date: Fri, 15 Jan 2027 08:00:00 GMT", "Cache-Control: max-age=60",
                    "X-B: 1", "X-A: 2", "x-b: 3", "Via: 1.1 larder", "Content-Length: 5", "Age: 2",
                    "Cache-Status: larder; hit; ttl=58", "X-Cache: HIT",
                ] + connection
            let expected = lines.joined(separator: "\r\n") + "\r\n\r\n" + body
            #expect(String(decoding: try await client.bytes(), as: UTF8.self) == expected)
            #expect(try await client.isEnded() == (connection == ["Connection: close"]))
        }
    }

    @Test func ownPreconditionsAreAnsweredFromTheStore() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(fields: [
                    ("Date", "Fri, 15 Jan 2027 08:00:00 GMT"), ("Cache-Control", "max-age=60"),
                    ("ETag", "\"v1\""), ("Content-Type", "text/plain"),
                ])
            }
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            let answer = try await client.ask(get("/a", "If-None-Match: \"v1\""))
            #expect(answer.status == 304 && answer.body.isEmpty)
            #expect(answer.values("etag") == ["\"v1\""])
            #expect(answer.values("content-length").isEmpty)
            #expect(answer.values("content-type").isEmpty)
            #expect(answer.values("x-cache") == ["HIT"])
            let other = try await client.ask(get("/a", "If-None-Match: \"v2\""))
            #expect(other.status == 200 && other.body == "hello")
            #expect(front.origin.seen.count == 1)
        }
    }

    /// RFC 9110 §13.2.1: preconditions mean something only where the answer would be a success.
    @Test func storedErrorIsNotAnsweredWith304() async throws {
        try await Front.run { front in
            front.origin.reply { _ in
                .init(status: 404, fields: [("Cache-Control", "max-age=60"), ("ETag", "\"v1\"")])
            }
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            let answer = try await client.ask(get("/a", "If-None-Match: \"v1\""))
            #expect(answer.status == 404 && answer.values("x-cache") == ["HIT"])
        }
    }

    @Test func headUsesTheKeyOfGetButStoresNothing() async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(
                    fields: [("Cache-Control", "max-age=60"), ("Content-Length", "5")],
                    parts: seen.method == "HEAD" ? [] : ["hello"],
                    framing: seen.method == "HEAD" ? OriginFraming.none : nil)
            }
            let client = try await front.connect()
            let head = try await client.ask("HEAD /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
            #expect(head.values("content-length") == ["5"] && head.values("x-cache") == ["MISS"])
            #expect(try await client.ask(get("/a")).values("x-cache") == ["MISS"])
            let hit = try await client.ask("HEAD /a HTTP/1.1\r\nHost: a.example\r\n\r\n")
            #expect(hit.values("x-cache") == ["HIT"] && hit.values("content-length") == ["5"])
            #expect(front.origin.seen.map(\.method) == ["HEAD", "GET"])
        }
    }

    @Test func declaredPostIsKeyedByItsContent() async throws {
        try await Front.run { front in
            front.origin.reply { .init(parts: ["for " + ($0.body ?? "-")]) }
            let client = try await front.connect()
            #expect(try await client.ask(post("/search", "one")).body == "for one")
            let hit = try await client.ask(post("/search", "one"))
            #expect(hit.body == "for one" && hit.values("x-cache") == ["HIT"])
            let chunked =
                "POST /search HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\non\r\n1;x=y\r\ne\r\n0\r\nX-Trailer: dropped\r\n\r\n"
            #expect(try await client.ask(chunked).values("x-cache") == ["HIT"])
            let other = try await client.ask(post("/search", "two"))
            #expect(other.body == "for two" && other.values("x-cache") == ["MISS"])
            let empty = try await client.ask(post("/search", ""))
            #expect(empty.body == "for " && empty.values("x-cache") == ["MISS"])
            #expect(front.origin.seen.map(\.body) == ["one", "two", ""])
        }
    }

    @Test func undeclaredPostStreamsThroughAndInvalidates() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            _ = try await client.ask(get("/a"))
            #expect(try await client.ask(get("/a")).values("x-cache") == ["HIT"])
            let answer = try await client.ask(post("/a", "x"))
            #expect(answer.values("x-cache") == ["BYPASS"])
            #expect(answer.values("cache-status") == ["larder; fwd=method; fwd-status=200"])
            #expect(try await client.ask(get("/a")).values("x-cache") == ["MISS"])
        }
    }

    @Test func onlyIfCachedIsAnsweredWithoutTheOrigin() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            let answer = try await client.ask(get("/a", "Cache-Control: only-if-cached"))
            #expect(answer.status == 504 && !answer.closes)
            #expect(front.origin.seen.isEmpty)
            #expect(try await client.ask(get("/a")).status == 200)
        }
    }

    /// What a Connection line takes away from the origin must not choose a variant either.
    @Test func connectionNamedFieldIsInNoVariant() async throws {
        try await Front.run { front in
            front.origin.reply { seen in
                .init(
                    fields: [("Cache-Control", "max-age=60"), ("Vary", "X-Tenant")],
                    parts: [seen.values("x-tenant").joined()])
            }
            let attacker = try await front.connect()
            _ = try await attacker.ask(get("/a", "X-Tenant: blue", "Connection: X-Tenant"))
            let client = try await front.connect()
            let answer = try await client.ask(get("/a", "X-Tenant: blue"))
            #expect(answer.body == "blue")
        }
    }

    @Test func repairedKeyFieldIsRefused() async throws {
        try await Front.run { front in
            let client = try await front.connect()
            var bytes = [UInt8](post("/search", "x", "Accept: text/?").utf8)
            if let index = bytes.firstIndex(of: UInt8(ascii: "?")) { bytes[index] = 0xFF }
            try await client.send([bytes])
            let answers = try await client.lastAnswers()
            #expect(answers.map(\.status) == [400] && answers.allSatisfy(\.closes))
            #expect(front.origin.seen.isEmpty)
        }
    }
}
