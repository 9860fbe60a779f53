/// What a scripted origin sends for one request.
package struct ScriptedAnswer: Sendable {
    package enum Framing: Sendable {
        /// Content-Length.
        case length
        /// Chunks of so many bytes.
        case chunked(Int)
        /// The body ends with the connection.
        case untilClose
        /// No framing field is added and the body is sent as it is.
        case asGiven
    }

    package enum Ending: Sendable {
        case keepAlive
        /// FIN after the whole answer.
        case close
        /// FIN after so many bytes of what follows the head.
        case cut(after: Int)
        /// RST after so many bytes of what follows the head.
        case reset(after: Int)
        /// FIN before any byte.
        case drop
    }

    package var status = 200
    package var reason = "Scripted"
    package var fields: WireFields = [:]
    package var body: [UInt8] = []
    package var framing = Framing.length
    package var ending = Ending.keepAlive
    /// Time between the whole request and the first byte.
    package var delay = Duration.zero
    /// The first byte waits for it.
    package var gate: Gate?
    /// After so many bytes of what follows the head, the rest waits for it.
    package var hold: (after: Int, gate: Gate)?
    /// Bytes before the head, sent without delay (interim answers).
    package var before: [UInt8] = []
    /// Bytes after the body, on the same connection.
    package var after: [UInt8] = []
    /// When given, these bytes stand for head and body.
    package var raw: [UInt8]?

    package init(
        _ status: Int = 200, _ fields: WireFields = [:], body: [UInt8] = [],
        framing: Framing = .length, ending: Ending = .keepAlive
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.framing = framing
        self.ending = ending
    }

    package static func text(_ text: String, _ fields: WireFields = [:]) -> ScriptedAnswer {
        ScriptedAnswer(200, fields, body: Array(text.utf8))
    }

    /// Exactly these bytes.
    package static func raw(_ text: String, ending: Ending = .close) -> ScriptedAnswer {
        var answer = ScriptedAnswer(ending: ending)
        answer.raw = Array(text.utf8)
        return answer
    }

    /// The connection ends without an answer.
    package static let drop = ScriptedAnswer(ending: .drop)

    package func held(by gate: Gate) -> ScriptedAnswer {
        var answer = self
        answer.gate = gate
        return answer
    }

    /// The head and so many bytes of what follows it are sent, the rest when the gate is open.
    package func held(after count: Int, by gate: Gate) -> ScriptedAnswer {
        var answer = self
        answer.hold = (count, gate)
        return answer
    }

    package func delayed(_ delay: Duration) -> ScriptedAnswer {
        var answer = self
        answer.delay = delay
        return answer
    }

    var headBytes: [UInt8] {
        if raw != nil { return [] }
        var all = fields
        let hasBody = status >= 200 && status != 204 && status != 304
        switch framing {
        case .length where hasBody: all.add("Content-Length", "\(body.count)")
        case .chunked where hasBody: all.add("Transfer-Encoding", "chunked")
        default: break
        }
        if case .close = ending { all.add("Connection", "close") }
        return Array("HTTP/1.1 \(status) \(reason)\r\n\(all)\r\n".utf8)
    }

    func bodyBytes(toHead: Bool) -> [UInt8] {
        if let raw { return raw }
        if toHead || status == 204 || status == 304 { return [] }
        if case .chunked(let size) = framing { return chunked(body, size: size) }
        return body
    }

    var closesAfter: Bool {
        if case .untilClose = framing { return true }
        if case .close = ending { return true }
        return false
    }
}
