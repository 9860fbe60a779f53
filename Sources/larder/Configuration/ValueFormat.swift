/// How one kind of value is written: parsed from text, and rendered so that it parses again.
struct ValueFormat<Value: Sendable>: Sendable {
    /// Completes "expected ..." in an error.
    let expected: String
    /// The value of a text, nil when the text is not one or its value is out of bounds.
    let parse: @Sendable (String) -> Value?
    let render: @Sendable (Value) -> String

    /// The value of `given`.
    ///
    /// - Throws: ``SettingError`` that names the source, the text and what is expected.
    func value(of given: SettingText) throws(SettingError) -> Value {
        guard let value = parse(given.text) else {
            throw SettingError(given, expected: expected)
        }
        return value
    }
}

extension ValueFormat where Value == Duration {
    /// A span of time to the millisecond, at most 2^31 - 1 seconds.
    static func duration(atLeast least: Duration = .milliseconds(1)) -> Self {
        let bound = least > .zero ? "" : "; 0s is allowed"
        return ValueFormat(
            expected: "a duration such as 500ms 30s 5m 2h 7d\(bound)",
            parse: { text in
                guard let milliseconds = Digits.milliseconds(text) else { return nil }
                let duration = Duration.milliseconds(milliseconds)
                return duration >= least ? duration : nil
            },
            render: { duration in
                let (seconds, attoseconds) = duration.components
                let milliseconds = attoseconds / 1_000_000_000_000_000
                return milliseconds == 0
                    ? Digits.render(seconds: seconds)
                    : "\(seconds &* 1000 &+ milliseconds)ms"
            })
    }
}

extension ValueFormat where Value == Int64 {
    /// A lifetime in whole seconds, at most 2^31 - 1.
    static func seconds(atLeast least: Int64 = 0) -> Self {
        ValueFormat(
            expected: "a duration of whole seconds such as 30s 5m 2h 7d"
                + (least > 0 ? ", at least \(least)s" : ""),
            parse: { text in
                guard let milliseconds = Digits.milliseconds(text),
                    milliseconds.isMultiple(of: 1000), milliseconds / 1000 >= least
                else { return nil }
                return milliseconds / 1000
            },
            render: { Digits.render(seconds: $0) })
    }
}

extension ValueFormat where Value == Int {
    /// Bytes; `remark` ends the expectation in an error.
    static func size(_ range: ClosedRange<Int>, remark: String = "") -> Self {
        let least = Digits.render(bytes: range.lowerBound)
        let bounds =
            range.upperBound == Int.max
            ? "at least \(least)" : "\(least) to \(Digits.render(bytes: range.upperBound))"
        return ValueFormat(
            expected: "a size such as 64KB 10MB 2GB, \(bounds)\(remark)",
            parse: { text in
                guard let bytes = Digits.bytes(text), range.contains(bytes) else { return nil }
                return bytes
            },
            render: { Digits.render(bytes: $0) })
    }

    /// A number of things.
    static func count(_ range: ClosedRange<Int>) -> Self {
        ValueFormat(
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in
                guard let count = Digits.number(text.utf8), range.contains(count) else {
                    return nil
                }
                return count
            },
            render: { "\($0)" })
    }
}

extension ValueFormat where Value == Bool {
    static var toggle: Self {
        ValueFormat(
            expected: "true, false, 1 or 0",
            parse: { text in
                switch text.lowercased() {
                case "true", "1": true
                case "false", "0": false
                default: nil
                }
            },
            render: { "\($0)" })
    }
}

extension ValueFormat
where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a closed list of words.
    static var word: Self {
        ValueFormat(
            expected: "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))",
            parse: { Value(rawValue: $0.lowercased()) },
            render: { $0.rawValue })
    }
}
