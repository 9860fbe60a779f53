/// A setting that cannot be used; the process ends with exit code 2 and touches nothing.
struct SettingError: Error, Equatable, CustomStringConvertible {
    /// One line that names the flag or variable, its value and what is expected.
    let description: String

    /// A value that is not what its setting takes.
    init(_ given: SettingText, expected: String) {
        let shown = given.text.onOneLine
        let short = shown.count > 120 ? "\(shown.prefix(120))..." : shown
        self.description = "\(given.source) '\(short)': expected \(expected)"
    }

    /// A setting that is missing, or values that do not go together.
    init(_ description: String) {
        self.description = description
    }
}

/// The text of one value and where it stands.
struct SettingText: Equatable, Sendable {
    let text: String
    /// The flag or variable as a person writes it: `--memory`, `LARDER_MEMORY`.
    let source: String
}
