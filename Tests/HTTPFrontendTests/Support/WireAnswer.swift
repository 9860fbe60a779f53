/// An answer read back from bytes by rules of its own, not by the code under test.
struct WireAnswer: Equatable, Sendable {
    var version: String
    var status: Int
    var fields: [String]
    var body: String
    /// The lines behind the last chunk.
    var trailers: [String] = []

    func values(_ name: String) -> [String] {
        fields.compactMap { line in
            guard let colon = line.firstIndex(of: ":"),
                line[..<colon].lowercased() == name.lowercased()
            else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    var closes: Bool { values("connection").contains("close") }

    /// Every whole answer in `bytes` and what is left.
    ///
    /// `methods` are the requests' in order; after the last a GET is assumed. 1xx answers do not
    /// use one up.
    static func read(
        _ bytes: [UInt8], methods: [String] = [], isEnded: Bool
    ) -> (answers: [WireAnswer], rest: [UInt8]) {
        var answers: [WireAnswer] = []
        var rest = bytes[...]
        var methods = methods[...]
        while let (answer, next) = one(rest, method: methods.first ?? "GET", isEnded: isEnded) {
            answers.append(answer)
            rest = next
            if answer.status >= 200 { methods = methods.dropFirst() }
        }
        return (answers, [UInt8](rest))
    }

    private static func one(
        _ bytes: ArraySlice<UInt8>, method: String, isEnded: Bool
    ) -> (WireAnswer, ArraySlice<UInt8>)? {
        guard let (head, body) = split(bytes, at: "\r\n\r\n") else { return nil }
        var lines = lines(of: String(decoding: head, as: UTF8.self))
        let start = lines.removeFirst().split(separator: " ", omittingEmptySubsequences: false)
        guard start.count >= 2, let status = Int(start[1]) else { return nil }
        var answer = WireAnswer(
            version: String(start[0]), status: status, fields: lines, body: "")
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return (answer, body)
        }
        if answer.values("transfer-encoding") == ["chunked"] {
            guard let (text, trailers, rest) = chunks(body) else { return nil }
            answer.body = text
            answer.trailers = trailers
            return (answer, rest)
        }
        if let length = answer.values("content-length").first.flatMap({ Int($0) }) {
            guard body.count >= length else { return nil }
            answer.body = String(decoding: body.prefix(length), as: UTF8.self)
            return (answer, body.dropFirst(length))
        }
        guard isEnded else { return nil }
        answer.body = String(decoding: body, as: UTF8.self)
        return (answer, [])
    }

    private static func chunks(
        _ bytes: ArraySlice<UInt8>
    ) -> (String, [String], ArraySlice<UInt8>)? {
        var text: [UInt8] = []
        var rest = bytes
        while let (line, next) = split(rest, at: "\r\n") {
            guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16) else {
                return nil
            }
            if size == 0 {
                var trailers: [String] = []
                rest = next
                while let (line, next) = split(rest, at: "\r\n") {
                    rest = next
                    if line.isEmpty {
                        return (String(decoding: text, as: UTF8.self), trailers, rest)
                    }
                    trailers.append(String(decoding: line, as: UTF8.self))
                }
                return nil
            }
            guard next.count >= size + 2, [UInt8](next.dropFirst(size).prefix(2)) == [13, 10]
            else { return nil }
            text += next.prefix(size)
            rest = next.dropFirst(size + 2)
        }
        return nil
    }

    private static func split(
        _ bytes: ArraySlice<UInt8>, at separator: String
    ) -> (ArraySlice<UInt8>, ArraySlice<UInt8>)? {
        let mark = [UInt8](separator.utf8)
        guard bytes.count >= mark.count else { return nil }
        for index in bytes.startIndex...(bytes.endIndex - mark.count)
        where bytes[index] == mark[0] && bytes[index..<(index + mark.count)].elementsEqual(mark) {
            return (bytes[..<index], bytes[(index + mark.count)...])
        }
        return nil
    }

    private static func lines(of text: String) -> [String] {
        text.unicodeScalars.split(separator: "\n").map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
    }
}
