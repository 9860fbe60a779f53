import NIOHTTP1

/// A complete request as the demo origin's pages see it.
struct DemoRequest {
    var method: HTTPMethod
    /// The target's path, without its query.
    var path: String
    var headers = HTTPHeaders()
    var content: [UInt8] = []
    /// Whether the content was longer than is read; what is here is then no part of it.
    var isTooLarge = false

    /// The method as it is counted: HEAD asks for the same page as GET.
    var page: HTTPMethod { method == .HEAD ? .GET : method }
}

/// A complete answer of the demo origin.
struct DemoAnswer {
    var status: HTTPResponseStatus = .ok
    var headers = HTTPHeaders()
    var content: [UInt8] = []
    /// Whether the answer is held back as the origin's slowness says.
    var isSlow = true

    /// An answer in plain text.
    static func text(_ text: String, status: HTTPResponseStatus = .ok) -> DemoAnswer {
        DemoAnswer(
            status: status, headers: ["content-type": "text/plain; charset=utf-8"],
            content: Array(text.utf8))
    }

    /// An answer in JSON, its content already rendered.
    static func json(_ content: [UInt8], status: HTTPResponseStatus = .ok) -> DemoAnswer {
        DemoAnswer(
            status: status, headers: ["content-type": "application/json"], content: content)
    }

    /// The same answer with one more field.
    func with(_ name: String, _ value: String) -> DemoAnswer {
        var answer = self
        answer.headers.add(name: name, value: value)
        return answer
    }

    /// The same answer, or 304 when the client's If-None-Match already has `etag`.
    func validated(by etag: String, for request: DemoRequest) -> DemoAnswer {
        let answer = with("etag", etag)
        // RFC 9110 §13.1.2
        let known = request.headers[canonicalForm: "if-none-match"]
        guard known.contains("*") || known.contains(where: { $0 == etag || $0 == "W/\(etag)" })
        else { return answer }
        var notModified = answer
        notModified.status = .notModified
        notModified.headers.remove(name: "content-type")
        notModified.content = []
        return notModified
    }
}
