/// A list of values with weights, as in Accept-Encoding and Accept-Language (RFC 9110 §12.4.2).
enum WeightedList {
    struct Member: Equatable {
        /// Lower-cased.
        let value: String
        /// Thousandths, 0 to 1000.
        let weight: Int
    }

    /// The members sorted by value, each once; nil when any is malformed or contradicts another.
    static func parse(_ lines: [String]) -> [Member]? {
        var members: [Member] = []
        for line in lines {
            for text in FieldSyntax.members(of: line.utf8) {
                guard let member = member(text) else { return nil }
                if let earlier = members.first(where: { $0.value == member.value }) {
                    guard earlier == member else { return nil }
                } else if members.count >= 64 {
                    return nil
                } else {
                    members.append(member)
                }
            }
        }
        return members.sorted { $0.value < $1.value }
    }

    /// The one way this file writes a list: values, commas, weights other than 1.
    static func serialized(_ members: [Member]) -> String {
        members.map { member in
            member.weight == 1000 ? member.value : member.value + ";q=" + decimal(member.weight)
        }.joined(separator: ",")
    }

    private static func member(_ text: ArraySlice<UInt8>) -> Member? {
        let pieces = text.split(separator: 0x3B, omittingEmptySubsequences: false)
            .map { FieldSyntax.trimmed($0) }
        guard let name = pieces.first, FieldSyntax.isToken(name), pieces.count <= 2 else {
            return nil
        }
        guard pieces.count == 2 else {
            return Member(value: FieldSyntax.lowercased(name), weight: 1000)
        }
        guard let weight = weight(pieces[1]) else { return nil }
        return Member(value: FieldSyntax.lowercased(name), weight: weight)
    }

    // RFC 9110 §12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
    private static func weight(_ text: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(text)
        guard bytes.count >= 3, FieldSyntax.lowercased(bytes[0]) == 0x71, bytes[1] == 0x3D,
            bytes[2] == 0x30 || bytes[2] == 0x31, bytes.count <= 7
        else { return nil }
        if bytes.count > 3, bytes[3] != 0x2E { return nil }
        var weight = Int(bytes[2] - 0x30) * 1000
        var unit = 100
        for byte in bytes.dropFirst(4) {
            guard FieldSyntax.isDigit(byte) else { return nil }
            weight += Int(byte - 0x30) * unit
            unit /= 10
        }
        return weight <= 1000 ? weight : nil
    }

    private static func decimal(_ weight: Int) -> String {
        guard weight > 0 else { return "0" }
        var digits = Array(String(1000 + weight).utf8.dropFirst())
        while digits.last == 0x30 { digits.removeLast() }
        return "0." + String(decoding: digits, as: UTF8.self)
    }
}
