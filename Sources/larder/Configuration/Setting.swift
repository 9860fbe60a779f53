/// One row of what `serve` can be told: its name, its help, and where its value goes.
struct Setting: Sendable {
    /// The flag without its dashes; the variable's name follows from it.
    let name: String
    /// What stands for the value in the help; nil for a switch.
    let valueName: String?
    /// The help line with the default.
    let help: String
    /// Whether it may be given more than once, in the environment separated by commas.
    let isRepeated: Bool
    /// Writes the values given (never none) into the configuration.
    let apply: @Sendable ([SettingText], inout ServerConfiguration) throws(SettingError) -> Void
    /// The configuration's values as texts that `apply` takes; empty when there is none.
    let render: @Sendable (ServerConfiguration) -> [String]

    var flag: String { "--\(name)" }

    var variable: String {
        Self.variablePrefix + name.uppercased().split(separator: "-").joined(separator: "_")
    }

    static let variablePrefix = "LARDER_"
}

extension Setting {
    /// A setting with exactly one value; `standard` replaces the default in the help.
    static func value<Value>(
        _ name: String,
        _ valueName: String?,
        _ path: any WritableKeyPath<ServerConfiguration, Value> & Sendable,
        _ format: ValueFormat<Value>,
        standard: String? = nil,
        _ summary: String
    ) -> Setting {
        let standard =
            standard ?? ServerConfiguration.example.map { format.render($0[keyPath: path]) }
        return Setting(
            name: name,
            valueName: valueName,
            help: standard.map { "\(summary) (default: \($0))" } ?? summary,
            isRepeated: false,
            apply: { values, configuration throws(SettingError) in
                for value in values.suffix(1) {
                    configuration[keyPath: path] = try format.value(of: value)
                }
            },
            render: { [format.render($0[keyPath: path])] })
    }

    /// A setting that is off unless given.
    static func optional<Value>(
        _ name: String,
        _ valueName: String,
        _ path: any WritableKeyPath<ServerConfiguration, Value?> & Sendable,
        _ format: ValueFormat<Value>,
        standard: String,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            valueName: valueName,
            help: "\(summary) (default: \(standard))",
            isRepeated: false,
            apply: { values, configuration throws(SettingError) in
                for value in values.suffix(1) {
                    configuration[keyPath: path] = try format.value(of: value)
                }
            },
            render: { configuration in
                configuration[keyPath: path].map { [format.render($0)] } ?? []
            })
    }

    /// A setting that may be given more than once.
    static func list<Value>(
        _ name: String,
        _ valueName: String,
        _ path: any WritableKeyPath<ServerConfiguration, [Value]> & Sendable,
        _ format: ValueFormat<Value>,
        standard: String,
        _ summary: String
    ) -> Setting {
        Setting(
            name: name,
            valueName: valueName,
            help: "\(summary) May be repeated. (default: \(standard))",
            isRepeated: true,
            apply: { values, configuration throws(SettingError) in
                var parsed: [Value] = []
                for value in values {
                    parsed.append(try format.value(of: value))
                }
                configuration[keyPath: path] = parsed
            },
            render: { $0[keyPath: path].map { format.render($0) } })
    }
}

extension ServerConfiguration {
    /// A configuration that has nothing but defaults, for the help.
    static var example: ServerConfiguration? {
        ServerConfiguration(origin: nil)
    }

    /// What is in effect, by the settings' names, in the order of the help.
    ///
    /// No value is a secret: files of secrets are named, not read.
    var effectiveSettings: [(name: String, value: String)] {
        Setting.all.map { setting in
            (setting.name, setting.render(self).joined(separator: ","))
        }
    }
}
