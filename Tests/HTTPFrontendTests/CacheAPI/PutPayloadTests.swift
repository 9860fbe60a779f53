import CacheTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import HTTPFrontend

@Suite("Payloads of puts: one head of a response, in whatever pieces, then its content")
struct PutPayloadTests {
    private enum Outcome: Equatable {
        case more
        case malformed
        case whole(PayloadHead, content: [UInt8])
    }

    /// Feeds pieces as they would come; what comes behind the head is content as it is.
    private func parse(_ pieces: some Sequence<ArraySlice<UInt8>>) -> Outcome {
        var payload = PutPayload()
        var head: PayloadHead?
        var content: [UInt8] = []
        for piece in pieces {
            if head != nil {
                content += piece
                continue
            }
            switch payload.append(ByteBuffer(bytes: piece)) {
            case .more: break
            case .malformed: return .malformed
            case .head(let parsed, let rest):
                head = parsed
                content += rest.readableBytesView
            }
        }
        return head.map { .whole($0, content: content) } ?? .more
    }

    private func parse(_ text: String) -> Outcome { parse([Array(text.utf8)[...]]) }

    private func headOf(_ text: String) -> PayloadHead? {
        if case .whole(let head, _) = parse(text) { head } else { nil }
    }

    private static let message = Array(
        ("HTTP/1.1 203 Odd  Reason\r\nContent-Length: 9\r\nSet-Cookie: a=1\r\nx-lower: \t v \r\n"
            + "Set-Cookie: b=2\r\nX-Empty:\r\n\r\n\r\n\r\nHTTP/").utf8)

    private func checkMessage(_ outcome: Outcome, _ comment: Comment) {
        guard case .whole(let head, let content) = outcome else {
            Issue.record(comment)
            return
        }
        #expect(head.status.code == 203 && head.status.reasonPhrase == "Odd  Reason", comment)
        let lines = head.fields.map { "\($0.name.rawName)=\($0.value)" }
        #expect(
            lines == [
                "Content-Length=9", "Set-Cookie=a=1", "x-lower=v", "Set-Cookie=b=2", "X-Empty=",
            ], comment)
        #expect(head.announcedLength == 9, comment)
        #expect(content == Array("\r\n\r\nHTTP/".utf8), comment)
    }

    // MARK: Pieces

    @Test func inOnePiece() {
        checkMessage(parse([Self.message[...]]), "whole")
    }

    @Test func byteByByte() {
        checkMessage(parse(Self.message.indices.map { Self.message[$0...$0] }), "bytes")
    }

    @Test func inEverySplit() {
        for cut in 0...Self.message.count {
            checkMessage(parse([Self.message[..<cut], Self.message[cut...]]), "cut at \(cut)")
        }
    }

    @Test func inRandomSplits() {
        let seed = UInt64.random(in: 0 ... .max)
        var numbers = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            var pieces: [ArraySlice<UInt8>] = []
            var rest = Self.message[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...min(24, rest.count), using: &numbers)
                pieces.append(rest.prefix(count))
                rest = rest.dropFirst(count)
            }
            checkMessage(parse(pieces), "seed \(seed)")
        }
    }

    @Test func everyPrefixOfAHeadWantsMore() {
        let end = Self.message.count - 9
        for count in 0..<end { #expect(parse([Self.message[..<count]]) == .more, "\(count)") }
        #expect(parse([Self.message[..<end]]) != .more)
    }

    // MARK: Length of the head

    /// A message whose head has so many bytes, the blank line among them.
    private static func message(headBytes: Int) -> [UInt8] {
        let start = "HTTP/1.1 200 OK\r\nX-Long: "
        let filler = String(repeating: "v", count: headBytes - start.utf8.count - 4)
        return Array("\(start)\(filler)\r\n\r\ncontent".utf8)
    }

    @Test(arguments: [(0, true), (-1, true), (1, false)])
    func headsOfAlmost128KiB(more: Int, isTaken: Bool) {
        let count = (128 << 10) - 512 + more
        let message = Self.message(headBytes: count)
        for pieceBytes in [message.count, 65_536, 1_000, 13] {
            let pieces = stride(from: 0, to: message.count, by: pieceBytes).map {
                message[$0..<min(message.count, $0 + pieceBytes)]
            }
            let outcome = parse(pieces)
            guard isTaken else {
                #expect(outcome == .malformed, "in pieces of \(pieceBytes)")
                continue
            }
            guard case .whole(let head, let content) = outcome else {
                Issue.record("not taken in pieces of \(pieceBytes)")
                continue
            }
            #expect(head.fields.first?.value.utf8.count == count - 29)
            #expect(content == Array("content".utf8))
        }
    }

    @Test func aHeadWithoutEndIsRefusedInTime() {
        let endless = [UInt8](repeating: 0x61, count: PutPayload.headBytesMax)
        #expect(parse([endless[...]]) == .more)
        #expect(parse([endless[...], [0x61]]) == .malformed)
    }

    // MARK: Status lines

    @Test(arguments: [
        ("HTTP/1 200 OK", 200, "OK"), ("HTTP/1.0 404 Not Found", 404, "Not Found"),
        ("HTTP/1.1 200", 200, ""), ("HTTP/1.1 200 ", 200, ""), ("HTTP/1.1 200  ", 200, " "),
        ("HTTP/1.1 299 It's \"fine\", (really)", 299, "It's \"fine\", (really)"),
        ("HTTP/1.1 200 404 Not Found", 200, "404 Not Found"), ("HTTP/1.1 999 ?", 999, "?"),
        ("HTTP/1.1 200 a\tb", 200, "a\tb"), ("HTTP/1.1 200 caf\u{E9}", 200, "caf\u{E9}"),
        ("HTTP/1.1 200 HTTP/1.1", 200, "HTTP/1.1"),
    ])
    func statusLines(line: String, code: Int, reason: String) throws {
        for fields in ["", "A: b\r\n"] {
            let head = try #require(headOf("\(line)\r\n\(fields)\r\n"))
            #expect(head.status.code == code && head.status.reasonPhrase == reason)
            #expect(head.fields.count == (fields.isEmpty ? 0 : 1))
        }
    }

    @Test(arguments: [
        "", " ", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 OK",
        "HTTP/1.1  200 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 +20 OK",
        "HTTP/1.1 200OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "http/1.1 200 OK",
        "HTTP/2 200 OK", "HTTP/9.9 200 OK", "HTTP/ 200 OK", "HTTP/1. 200 OK", "HTTP/11 200 OK",
        "HTTP/1.1.1 200 OK", "HTTP/x 200 OK",
        "HTTP 200 OK", " HTTP/1.1 200 OK", "GET / HTTP/1.1", "HTTP/1.1 200 a\u{1}b",
        "HTTP/1.1 200 a\u{7F}", "HTTP/1.1 200 a\0", "HTTP/1.1 200 a\rb",
        "HTTP/1.1 \u{662}\u{660}\u{660} OK", "\r\nHTTP/1.1 200 OK", "\nHTTP/1.1 200 OK",
    ])
    func noStatusLines(line: String) {
        #expect(parse("\(line)\r\nA: b\r\n\r\n") == .malformed)
    }

    // MARK: Fields

    @Test(arguments: [
        "A : b", "A\t: b", " A: b", "\tA: b", ": b", "A", "A b", "A b: c", "A: b\r\n c",
        "A: b\r\n\tc: d", "A: b\nC: d", "A: b\n", "C: d\r\nA: b\n", "\nA: b", "x\n", "A: b\rc",
        "A: b\r", "A: b\0", "\u{E9}: b", "A\0: b", "(A): b",
    ])
    func noFields(lines: String) {
        #expect(parse("HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n") == .malformed)
        #expect(parse("HTTP/1.1 200 OK\r\nFirst: 1\r\n\(lines)\r\nLast: 1\r\n\r\n") == .malformed)
    }

    @Test func aBareLineFeedBehindTheStatusLineIsRefused() {
        #expect(parse("HTTP/1.1 200 OK\nA: b\r\n\r\n") == .malformed)
        // Without a CR it is no end of the head either.
        #expect(parse("HTTP/1.1 200 OK\n\n") == .more)
        #expect(parse("HTTP/1.1 200 OK\r\nA: b\n\nbody") == .more)
    }

    @Test func valuesKeepTheirBytes() throws {
        let value: [UInt8] = [0xE9, 0x80, 0xFF, 0x20, 0x09, 0xC3, 0xA9, 0x01]
        let message = Array("HTTP/1.1 200 OK\r\nX-A: ".utf8) + value + Array("\r\n\r\n".utf8)
        guard case .whole(let head, _) = parse([message[...]]) else {
            Issue.record("obs-text is refused")
            return
        }
        let field = try #require(head.fields.first)
        #expect(field.withUnsafeBytesOfValue { Array($0) } == value)
    }

    // MARK: Framing

    @Test(
        arguments: [
            ("Content-Length: 5", 5), ("content-length: 0", 0), ("A: b", nil),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", nil),
            ("Transfer-Encoding: chunked", nil), ("Content-Length: +5", nil),
            ("Content-Length: 5 5", nil), ("Content-Length:", nil),
        ] as [(String, Int64?)])
    func announcedLengths(lines: String, length: Int64?) throws {
        let head = try #require(headOf("HTTP/1.1 200 OK\r\n\(lines)\r\n\r\n"))
        #expect(head.announcedLength == length)
    }

    @Test func contentIsNeverTakenForChunks() {
        let content = "3\r\nabc\r\n0\r\n\r\n"
        let outcome = parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(content)")
        guard case .whole(_, let bytes) = outcome else {
            Issue.record("refused")
            return
        }
        #expect(bytes == Array(content.utf8))
    }
}
