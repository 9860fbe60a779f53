import Glibc

/// A blocking HTTP/1 client on one TCP connection that sends exactly the bytes it is told to.
///
/// Confined to one task. Every call ends within `limit` (it throws `DeadlineError` then), so a test
/// that waits for something that never comes fails instead of hanging.
package final class RawClient {
    package enum Failure: Error, CustomStringConvertible {
        /// The connection ended before the answer was complete; `isReset` tells RST from FIN.
        case cut(partial: WireMessage?, isReset: Bool)
        case refused(Int32)
        case sending(Int32)

        package var description: String {
            switch self {
            case .cut(let partial, let isReset):
                "cut by \(isReset ? "RST" : "FIN") after \(partial?.startLine ?? "nothing"), "
                    + "\(partial?.body.count ?? 0) bytes of body"
            case .refused(let code): "connect: \(String(cString: strerror(code)))"
            case .sending(let code): "send: \(String(cString: strerror(code)))"
            }
        }
    }

    package let port: Int
    /// The `Host` of requests that name none.
    package var host: String
    package var limit: Duration
    private let descriptor: Int32
    private var parser = MessageParser(.answers)
    private var isClosed = false

    package init(port: Int, host: String? = nil, limit: Duration = .seconds(300)) throws {
        self.port = port
        self.host = host ?? "127.0.0.1:\(port)"
        self.limit = limit
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemCallError("socket", errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr = in_addr(s_addr: in_addr_t(0x7F00_0001).bigEndian)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        let code = errno
        guard result == 0 else {
            Glibc.close(descriptor)
            isClosed = true
            throw Failure.refused(code)
        }
        var on: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close()
    }

    package func close() {
        if !isClosed { Glibc.close(descriptor) }
        isClosed = true
    }

    /// Ends the sending side only (FIN).
    package func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    package func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    package func send(_ bytes: [UInt8]) throws {
        let deadline = ContinuousClock.now.advanced(by: limit)
        var sent = 0
        while sent < bytes.count {
            try wait(for: POLLOUT, until: deadline, "sending")
            let count = bytes.withUnsafeBytes {
                let rest = UnsafeRawBufferPointer(rebasing: $0[sent...])
                return Glibc.send(
                    descriptor, rest.baseAddress, rest.count,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count < 0 {
                if errno == EAGAIN || errno == EINTR { continue }
                throw Failure.sending(errno)
            }
            sent += count
        }
    }

    /// Sends a request, with `Host` and framing fields where the caller gives none.
    package func send(
        _ method: String, _ target: String, _ fields: WireFields = [:], body: [UInt8]? = nil,
        chunkSize: Int? = nil
    ) throws {
        var all = fields
        if !all.contains("Host") { all.lines.insert(.init("Host", host), at: 0) }
        var content = body ?? []
        if let chunkSize {
            all.add("Transfer-Encoding", "chunked")
            content = chunked(content, size: chunkSize)
        } else if let body {
            all.add("Content-Length", "\(body.count)")
        }
        try send(Array("\(method) \(target) HTTP/1.1\r\n\(all)\r\n".utf8) + content)
    }

    /// Sends a request and reads its answer.
    package func exchange(
        _ method: String, _ target: String, _ fields: WireFields = [:], body: [UInt8]? = nil,
        chunkSize: Int? = nil
    ) throws -> RawAnswer {
        try send(method, target, fields, body: body, chunkSize: chunkSize)
        return try readAnswer(toHead: method == "HEAD")
    }

    /// The next final answer; interim ones are noted in it.
    package func readAnswer(toHead: Bool = false) throws -> RawAnswer {
        let deadline = ContinuousClock.now.advanced(by: limit)
        var interim: [Int] = []
        while true {
            let answer = try RawAnswer(readMessage(toHead: toHead, deadline), interim: interim)
            guard (100..<200).contains(answer.status) else { return answer }
            interim.append(answer.status)
        }
    }

    /// The next interim answer, without waiting for the final one.
    package func readInterim() throws -> RawAnswer {
        let deadline = ContinuousClock.now.advanced(by: limit)
        return try RawAnswer(readMessage(toHead: false, deadline))
    }

    /// Waits until so many bytes of the body of the next answer are there, and gives the answer as
    /// far as it has come; `readAnswer` gives all of it later.
    package func readPart(atLeast count: Int) throws -> WireMessage {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while true {
            if let whole = try parser.next() { throw WireError("whole: \(whole.body.count)") }
            if let partial = parser.partial, partial.body.count >= count { return partial }
            guard try readPiece(deadline) == .bytes else {
                throw Failure.cut(partial: parser.partial, isReset: false)
            }
        }
    }

    /// Waits until the other side ends the connection and gives what it sent before that.
    package func readToEnd() throws -> [UInt8] {
        let deadline = ContinuousClock.now.advanced(by: limit)
        while try readPiece(deadline) == .bytes {}
        return Array(parser.unread)
    }

    /// The next bytes as they come, past every parser; `nil` at the end of the connection.
    ///
    /// For answers that are too large to be kept. Not to be mixed with the other ways of reading.
    package func readBytes() throws -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            try wait(for: POLLIN, until: .now.advanced(by: limit), "reading")
            let count = recv(descriptor, &piece, piece.count, Int32(MSG_DONTWAIT))
            if count == 0 { return nil }
            if count > 0 { return Array(piece[..<count]) }
            guard errno == EAGAIN || errno == EINTR else {
                throw Failure.cut(partial: nil, isReset: true)
            }
        }
    }

    private enum Piece {
        case bytes
        case end
        case reset
    }

    private func readMessage(toHead: Bool, _ deadline: ContinuousClock.Instant) throws
        -> WireMessage
    {
        parser.answersHead = toHead
        while true {
            if let message = try parser.next() { return message }
            let piece = try readPiece(deadline)
            if piece == .bytes { continue }
            let partial = parser.partial
            if piece == .end, let message = parser.end() { return message }
            throw Failure.cut(partial: partial, isReset: piece == .reset)
        }
    }

    private func readPiece(_ deadline: ContinuousClock.Instant) throws -> Piece {
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            try wait(for: POLLIN, until: deadline, "reading")
            let count = recv(descriptor, &piece, piece.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                parser.feed(piece[..<count])
                return .bytes
            }
            if count == 0 { return .end }
            if errno == EAGAIN || errno == EINTR { continue }
            return .reset
        }
    }

    private func wait(
        for events: Int32, until deadline: ContinuousClock.Instant, _ what: String
    ) throws {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw DeadlineError("\(what) took more than \(limit)") }
            var entry = pollfd(
                fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
            if poll(&entry, 1, Int32(min(left / .milliseconds(1), 1_000)) + 1) > 0 { return }
        }
    }
}

/// Content as a chunked body of pieces of so many bytes (RFC 9112 §7.1).
package func chunked(_ content: [UInt8], size: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = content[...]
    while !rest.isEmpty {
        let piece = rest.prefix(size)
        bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [0x0D, 0x0A]
        rest = rest.dropFirst(size)
    }
    return bytes + Array("0\r\n\r\n".utf8)
}
