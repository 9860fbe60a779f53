/// A small strict HTTP/1 parser for both directions, fed with bytes as they come.
///
/// It is written apart from the decoder under test, so that the two do not share mistakes: every
/// line ends with CRLF, no field is folded, two ways of framing in one message are an error.
package struct MessageParser: Sendable {
    package enum Side: Sendable {
        case requests
        case answers
    }

    private enum State {
        case head
        case length(Int)
        case chunkSize
        case chunkData(Int)
        case chunkEnd
        case trailers
        case untilClose
    }

    private let side: Side
    private var state = State.head
    private var bytes: [UInt8] = []
    private var position = 0
    private var message: WireMessage?
    /// The next answer is to a HEAD request and has no body.
    package var answersHead = false

    package init(_ side: Side) {
        self.side = side
    }

    /// What has come of a message that is not complete yet.
    package var partial: WireMessage? {
        if let message { return message }
        let rest = unread
        return rest.isEmpty
            ? nil : WireMessage(startLine: String(decoding: rest, as: UTF8.self), fields: [:])
    }

    /// Bytes that no message has used yet.
    package var unread: ArraySlice<UInt8> { bytes[position...] }

    package mutating func feed(_ more: some Sequence<UInt8>) {
        if position > 65_536 {
            bytes.removeFirst(position)
            position = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next complete message, or `nil` when more bytes are needed.
    package mutating func next() throws(WireError) -> WireMessage? {
        while true {
            switch state {
            case .head:
                guard try readHead() else { return nil }
                if case .head = state { return finish() }
            case .length(let missing):
                let taken = take(missing)
                guard taken == missing else {
                    state = .length(missing - taken)
                    return nil
                }
                return finish()
            case .untilClose:
                _ = take(.max)
                return nil
            case .chunkSize:
                guard let line = try readLine() else { return nil }
                let size = try Self.chunkSize(line)
                state = size == 0 ? .trailers : .chunkData(size)
            case .chunkData(let missing):
                let taken = take(missing)
                state = taken == missing ? .chunkEnd : .chunkData(missing - taken)
                if taken < missing { return nil }
            case .chunkEnd:
                guard let line = try readLine() else { return nil }
                guard line.isEmpty else { throw WireError("bytes after chunk data: \(line)") }
                state = .chunkSize
            case .trailers:
                guard let line = try readLine() else { return nil }
                if line.isEmpty { return finish() }
                let field = try Self.field(line)
                message?.trailers.lines.append(field)
            }
        }
    }

    /// The sender has ended the connection: the message that only this completes, if there is one.
    package mutating func end() -> WireMessage? {
        guard case .untilClose = state else { return nil }
        return finish()
    }

    private mutating func finish() -> WireMessage? {
        state = .head
        answersHead = false
        defer { message = nil }
        return message
    }

    private mutating func take(_ count: Int) -> Int {
        let available = min(count, bytes.count - position)
        message?.body.append(contentsOf: bytes[position..<position + available])
        position += available
        return available
    }

    /// A line without its CRLF, or `nil` when it is not complete.
    private mutating func readLine() throws(WireError) -> String? {
        guard let end = bytes[position...].firstIndex(of: 0x0A) else { return nil }
        guard end > position, bytes[end - 1] == 0x0D else {
            throw WireError("a line ends in bare LF")
        }
        let line = bytes[position..<end - 1]
        guard !line.contains(0x0D), !line.contains(0) else {
            throw WireError("CR or NUL in a line")
        }
        position = end + 1
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads a whole head, or nothing when it is not complete yet.
    private mutating func readHead() throws(WireError) -> Bool {
        let start = position
        guard let startLine = try readLine() else { return false }
        var fields = WireFields()
        while true {
            guard let line = try readLine() else {
                position = start
                return false
            }
            if line.isEmpty { break }
            fields.lines.append(try Self.field(line))
        }
        message = WireMessage(startLine: startLine, fields: fields)
        try setFraming(startLine, fields)
        return true
    }

    private mutating func setFraming(_ startLine: String, _ fields: WireFields) throws(WireError) {
        let lengths = fields.values("content-length")
        let codings = fields.values("transfer-encoding")
        if !lengths.isEmpty && !codings.isEmpty { throw WireError("two ways of framing") }
        if lengths.count > 1 { throw WireError("two Content-Length lines") }
        if side == .answers {
            let status = message?.startParts.1 ?? ""
            if answersHead || status.hasPrefix("1") || status == "204" || status == "304" {
                return
            }
        }
        if let coding = codings.first {
            guard codings.count == 1, coding.lowercased() == "chunked" else {
                throw WireError("Transfer-Encoding: \(codings.joined(separator: " | "))")
            }
            message?.framing = .chunked
            state = .chunkSize
        } else if let length = lengths.first {
            guard length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(length)
            else {
                throw WireError("Content-Length: \(length)")
            }
            message?.framing = .length
            if count > 0 { state = .length(count) }
        } else if side == .answers {
            message?.framing = .untilClose
            state = .untilClose
        }
    }

    private static func field(_ line: String) throws(WireError) -> WireFields.Line {
        guard let colon = line.utf8.firstIndex(of: 0x3A), colon != line.startIndex else {
            throw WireError("not a field line: \(line)")
        }
        let name = line[..<colon]
        guard !name.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) else {
            throw WireError("not a field name: \(name)")
        }
        let value = line[line.index(after: colon)...]
        guard let first = value.firstIndex(where: { $0 != " " && $0 != "\t" }),
            let last = value.lastIndex(where: { $0 != " " && $0 != "\t" })
        else { return WireFields.Line(String(name), "") }
        return WireFields.Line(String(name), String(value[first...last]))
    }

    private static func chunkSize(_ line: String) throws(WireError) -> Int {
        let digits = line.prefix { $0 != ";" }
        let isHexadecimal = digits.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x46).contains($0 & 0xDF)
        }
        guard isHexadecimal, let size = Int(digits, radix: 16) else {
            throw WireError("not a chunk size: \(line)")
        }
        return size
    }
}
