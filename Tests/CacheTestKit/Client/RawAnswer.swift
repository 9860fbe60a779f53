/// A final answer as a client got it.
package struct RawAnswer: Sendable {
    /// The interim answers (1xx) that came before it.
    package var interim: [Int] = []
    package var version: String
    package var status: Int
    package var reason: String
    package var message: WireMessage

    init(_ message: WireMessage, interim: [Int] = []) throws(WireError) {
        let (version, code, reason) = message.startParts
        guard version == "HTTP/1.1" || version == "HTTP/1.0", code.utf8.count == 3,
            let status = Int(code)
        else { throw WireError("not a status line: \(message.startLine)") }
        self.version = version
        self.status = status
        self.reason = reason
        self.message = message
        self.interim = interim
    }

    package var fields: WireFields { message.fields }
    package var body: [UInt8] { message.body }
    package var framing: WireMessage.Framing { message.framing }
    package var text: String { String(decoding: body, as: UTF8.self) }
    package var xCache: String? { fields["X-Cache"] }
    /// Empty when there is none.
    package var cacheStatus: String { fields["Cache-Status"] ?? "" }
    package var age: Int? { fields["Age"].flatMap { Int($0) } }
    package var isHit: Bool { xCache == "HIT" }
}
