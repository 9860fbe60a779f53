import HTTPTypes
import NIOCore

/// The head of a response as it stands at the beginning of a put's content.
struct PayloadHead: Equatable {
    var status: HTTPResponse.Status
    /// Lines as received, framing fields among them.
    var fields: HTTPFields

    /// The length that the message itself announces; nil where its content only ends with the put's.
    ///
    /// Beside a transfer coding a length means nothing: the content is not coded, whatever it says.
    var announcedLength: Int64? { announcedLengths.first ?? nil }

    /// Says several lengths, or one that is no number of bytes.
    var isLengthAmbiguous: Bool {
        Set(announcedLengths).count > 1 || announcedLengths.contains(nil)
    }

    private var announcedLengths: [Int64?] {
        guard fields[values: .transferEncoding].isEmpty else { return [] }
        return fields[values: .contentLength].map { line in
            line.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(line) : nil
        }
    }
}

/// Takes the content of a put apart: the head of one HTTP/1 response, which may be split anywhere,
/// then everything to the end as the response's content.
///
/// A state machine without I/O.
struct PutPayload {
    enum Step: Equatable {
        case more
        /// The head, and what came of the content with it.
        case head(PayloadHead, ByteBuffer)
        case malformed
    }

    /// As much as the workers' runtime takes back, with what a hit adds: Age, Content-Length, Date,
    /// CF-Cache-Status.
    static let headBytesMax = (128 << 10) - 512

    private var bytes = ByteBuffer()
    /// Bytes in which no end was found, so that each is looked at once.
    private var scanned = 0

    /// Bytes that it holds.
    var byteCount: Int { bytes.storageCapacity }

    /// Takes a part of the content; nothing more is to be given after a head or `.malformed`.
    mutating func append(_ part: ByteBuffer) -> Step {
        bytes.writeImmutableBuffer(part)
        guard let end = endOfHead() else {
            return bytes.readableBytes > Self.headBytesMax ? .malformed : .more
        }
        guard end <= Self.headBytesMax, let head = bytes.readSlice(length: end),
            let parsed = Self.head(head.readableBytesView)
        else { return .malformed }
        return .head(parsed, bytes)
    }

    /// The offset behind the blank line.
    private mutating func endOfHead() -> Int? {
        bytes.withUnsafeReadableBytes { bytes in
            var index = scanned
            while index < bytes.count, index < Self.headBytesMax {
                if bytes[index] == UInt8(ascii: "\n"), index >= 3,
                    bytes[index - 1] == UInt8(ascii: "\r"),
                    bytes[index - 2] == UInt8(ascii: "\n"),
                    bytes[index - 3] == UInt8(ascii: "\r")
                {
                    return index + 1
                }
                index += 1
            }
            scanned = index
            return nil
        }
    }

    private static func head(_ bytes: ByteBufferView) -> PayloadHead? {
        guard var lines = lines(bytes), let status = status(lines.removeFirst()) else { return nil }
        var fields = HTTPFields()
        for line in lines {
            guard let field = field(line) else { return nil }
            fields.append(field)
        }
        return PayloadHead(status: status, fields: fields)
    }

    // RFC 9112 §2.2: a bare LF could be an end for one reader and none for another
    /// At least one, without the blank line at the end; nil where a line ends in LF alone.
    private static func lines(_ bytes: ByteBufferView) -> [ByteBufferView]? {
        var lines: [ByteBufferView] = []
        var rest = bytes
        while let feed = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<feed]
            guard line.last == UInt8(ascii: "\r") else { return nil }
            lines.append(line.dropLast())
            rest = rest[(feed + 1)...]
        }
        return lines.count > 1 ? lines.dropLast() : nil
    }

    // RFC 9112 §4; the minor version may be missing
    private static func status(_ line: ByteBufferView) -> HTTPResponse.Status? {
        guard line.starts(with: "HTTP/".utf8), let space = line.firstIndex(of: 0x20) else {
            return nil
        }
        let version = Array(line[..<space].dropFirst(5))
        let isVersion =
            version.first == UInt8(ascii: "1")
            && (version.count == 1
                || version.count == 3 && version[1] == UInt8(ascii: ".") && isDigit(version[2]))
        let rest = line[(space + 1)...]
        let digits = rest.prefix(3)
        guard isVersion, digits.count == 3, digits.allSatisfy(isDigit),
            let code = Int(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let behind = rest.dropFirst(3)
        guard behind.isEmpty || behind.first == 0x20 else { return nil }
        let reason = behind.dropFirst()
        guard reason.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else { return nil }
        return HTTPResponse.Status(
            code: code, reasonPhrase: String(decoding: reason, as: UTF8.self))
    }

    // RFC 9112 §5; no folding
    private static func field(_ line: ByteBufferView) -> HTTPField? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else { return nil }
        var value = line[(colon + 1)...]
        while let first = value.first, isBlank(first) { value = value.dropFirst() }
        while let last = value.last, isBlank(last) { value = value.dropLast() }
        guard value.allSatisfy({ $0 != 0 && $0 != 0x0D }) else { return nil }
        return HTTPField(name: name, lenientValue: value)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
