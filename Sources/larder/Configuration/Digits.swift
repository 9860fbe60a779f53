/// Numbers with units, read from bytes.
///
/// `Int("+5")` is 5 and other digits than ASCII ones count as digits in Swift; neither is meant
/// on a command line.
enum Digits {
    /// A run of ASCII digits; nil when there is anything else, nothing, or it does not fit.
    static func number(_ text: some Sequence<UInt8>) -> Int? {
        var result: Int?
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, overflows) = (result ?? 0).multipliedReportingOverflow(by: 10)
            let (sum, alsoOverflows) = product.addingReportingOverflow(
                Int(byte - UInt8(ascii: "0")))
            guard !overflows, !alsoOverflows else { return nil }
            result = sum
        }
        return result
    }

    /// `64KB`, `10MB`, `2GB`, `1TB`, or plain digits for bytes; the case of the unit is free.
    static func bytes(_ text: String) -> Int? {
        let (count, unit) = split(text)
        guard let count = number(count) else { return nil }
        let factor: Int? =
            switch unit.lowercased() {
            case "", "b": 1
            case "kb": ByteSize.kilobyte
            case "mb": ByteSize.megabyte
            case "gb": ByteSize.gigabyte
            case "tb": ByteSize.terabyte
            default: nil
            }
        guard let factor else { return nil }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: factor)
        return overflows ? nil : bytes
    }

    /// `500ms`, `30s`, `5m`, `2h`, `7d` in milliseconds; at most 2^31 - 1 seconds.
    static func milliseconds(_ text: String) -> Int64? {
        let (count, unit) = split(text)
        guard let count = number(count) else { return nil }
        let factor: Int? =
            switch unit {
            case "ms": 1
            case "s": 1000
            case "m": 60 * 1000
            case "h": 3600 * 1000
            case "d": 86_400 * 1000
            default: nil
            }
        guard let factor else { return nil }
        let (milliseconds, overflows) = count.multipliedReportingOverflow(by: factor)
        // RFC 9111 §1.2.2
        guard !overflows, milliseconds <= Int(Int32.max) * 1000 else { return nil }
        return Int64(milliseconds)
    }

    /// The largest unit of which `bytes` is a whole multiple.
    static func render(bytes: Int) -> String {
        let units = [
            (ByteSize.terabyte, "TB"), (ByteSize.gigabyte, "GB"), (ByteSize.megabyte, "MB"),
            (ByteSize.kilobyte, "KB"),
        ]
        for (size, unit) in units where bytes >= size && bytes.isMultiple(of: size) {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)"
    }

    /// The largest unit of which `seconds` is a whole multiple, two at least: 60s, but 2m.
    static func render(seconds: Int64) -> String {
        for (size, unit) in [(86_400, "d"), (3600, "h"), (60, "m")] as [(Int64, String)]
        where seconds >= 2 * size && seconds.isMultiple(of: size) {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }

    private static func split(_ text: String) -> (count: Substring.UTF8View, unit: Substring) {
        let end =
            text.utf8.firstIndex { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ?? text.utf8.endIndex
        return (text[..<end].utf8, text[end...])
    }
}
