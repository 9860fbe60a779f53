import CacheEngine
import HTTPTypes
import NIOCore
import NIOHTTP1
import Testing

@testable import OriginClient

@Suite("Request head")
struct RequestRendererTests {
    private func head(
        _ request: OriginRequest, url: String = "http://origin.example:81",
        preserveHost: Bool = false
    ) throws -> Result<HTTPRequestHead, OriginError> {
        let address = try OriginAddress(url)
        return RequestRenderer(address: address, preserveHost: preserveHost).head(for: request)
    }

    @Test("Host comes first, our framing last, hop-by-hop fields never")
    func fields() throws {
        var fields = HTTPFields()
        for (name, value) in [
            ("X-One", "1"), ("Host", "evil"), ("Connection", "close"), ("Content-Length", "9"),
            ("Transfer-Encoding", "chunked"), ("Upgrade", "h2c"), ("Cookie", "a=1; b=2"),
            ("x-one", "2"), ("Expect", "100-continue"), ("TE", "trailers"),
        ] {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        let body = OriginRequest.Body.buffered(ByteBuffer(string: "abc"))
        let head = try head(.make(.post, "/p", fields: fields, body: body)).get()
        #expect(head.method == .POST)
        #expect(head.uri == "/p")
        #expect(
            head.headers.map { "\($0.name): \($0.value)" } == [
                "Host: origin.example:81", "X-One: 1", "Cookie: a=1; b=2", "x-one: 2",
                "Content-Length: 3",
            ])
    }

    @Test("the client's authority where it is to be kept")
    func preserveHost() throws {
        let head = try head(.get("/"), preserveHost: true).get()
        #expect(head.headers.first(name: "host") == "client.example")
    }

    @Test(
        "framing",
        arguments: [
            (HTTPRequest.Method.get, OriginRequest.Body.none, nil, false),
            (.post, .none, "0", false), (.put, .buffered(ByteBuffer()), "0", false),
            (.get, .buffered(ByteBuffer()), nil, false),
            (.get, .buffered(ByteBuffer(string: "ab")), "2", false),
            (.patch, .streamed(length: 7), "7", false), (.post, .streamed(length: nil), nil, true),
            (HTTPRequest.Method("QUERY") ?? .get, .none, "0", false),
        ])
    func framing(
        method: HTTPRequest.Method, body: OriginRequest.Body, length: String?, isChunked: Bool
    ) throws {
        let headers = try head(.make(method, body: body)).get().headers
        #expect(headers["Content-Length"] == (length.map { [$0] } ?? []))
        #expect(headers["Transfer-Encoding"] == (isChunked ? ["chunked"] : []))
    }

    @Test(
        "the prefix is joined without a doubled or lost slash",
        arguments: [
            ("http://o", "/a?b", "/a?b"), ("http://o/", "/", "/"), ("http://o/api", "/", "/api/"),
            ("http://o/api/", "/x//y", "/api/x//y"), ("http://o/api", "/?q", "/api/?q"),
        ])
    func prefix(url: String, target: String, joined: String) throws {
        #expect(try head(.get(target), url: url).get().uri == joined)
    }

    @Test(
        "targets that would break the request line",
        arguments: [
            "", "x", "http://o/", "*", "/a b", "/a\r\nX: y", "/\u{0}", "/ä", "/\u{FFFD}", "/a#b",
            "/\u{7F}",
        ])
    func badTargets(target: String) throws {
        #expect(try head(.get(target)) == .failure(.malformed("target")))
    }

    @Test("no tunnel, no negative length, no broken authority")
    func refused() throws {
        #expect(try head(.make(.connect)) == .failure(.malformed("CONNECT")))
        let negative = OriginRequest.make(.post, body: .streamed(length: -1))
        #expect(try head(negative) == .failure(.malformed("request length")))
        var request = OriginRequest.get("/")
        request.clientAuthority = "a\r\nb"
        #expect(try head(request, preserveHost: true) == .failure(.malformed("authority")))
        #expect(try head(.make(.options, "*")).get().uri == "*")
    }
}
