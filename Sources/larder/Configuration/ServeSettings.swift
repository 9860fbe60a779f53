/// The command line and the environment of `serve`, read and validated.
struct ServeSettings: Equatable, Sendable {
    let configuration: ServerConfiguration
    /// Lines to log at start: nothing in them prevents serving.
    let warnings: [String]

    /// Reads every setting; the flag wins over the variable.
    ///
    /// An empty variable counts as not set. Repeated flags replace the variable as a whole.
    ///
    /// - Parameters:
    ///   - flags: What the command line gave, by name without dashes; empty lists are ignored.
    ///   - environment: All variables; those without the prefix `LARDER_` are ignored.
    /// - Throws: ``SettingError`` for the first value that cannot be used.
    init(flags: [String: [String]], environment: [String: String]) throws(SettingError) {
        let given = Given(flags: flags, environment: environment)
        guard !given.texts(named: "origin").isEmpty || !given.texts(named: "cache-api").isEmpty
        else {
            throw SettingError(
                "missing --origin URL (or LARDER_ORIGIN), the server to stand in front of,"
                    + " or --cache-api HOST:PORT (see `larder serve --help`)")
        }
        var configuration = ServerConfiguration(origin: nil)
        for setting in Setting.all {
            let texts = given.texts(of: setting)
            if !texts.isEmpty {
                try setting.apply(texts, &configuration)
            }
        }
        try Self.check(configuration, given)
        self.configuration = configuration
        self.warnings = Self.warnings(configuration, given, environment)
    }

    /// Values that are good alone and wrong together.
    private static func check(
        _ configuration: ServerConfiguration, _ given: Given
    ) throws(SettingError) {
        let origin = configuration.origin
        let listener = configuration.listener
        if let url = origin.url {
            if url.host == listener.address.host, url.port == listener.address.port {
                throw given.conflict("origin", "it is the address that larder itself listens on")
            }
            if origin.certificateAuthorityFile != nil, url.scheme != .https {
                throw given.conflict("origin-ca", "it needs an https origin, not \(url)")
            }
        }
        if let address = configuration.cacheAPI.address {
            if let url = origin.url, url.host == address.host, url.port == address.port {
                throw given.conflict("origin", "it is the address of --cache-api")
            }
            if origin.url != nil, address == listener.address, address.port != 0 {
                throw given.conflict("cache-api", "it is the address of --listen")
            }
            if !address.isLoopback, configuration.cacheAPI.tokenFile == nil {
                throw given.conflict(
                    "cache-api",
                    "everybody who reaches it could replace what is stored: it needs"
                        + " --cache-api-token-file, or a loopback address")
            }
        }
        if listener.maxTargetBytes > listener.maxHeadBytes {
            throw given.conflict(
                "max-target",
                "expected at most max-head-size,"
                    + " which is \(Digits.render(bytes: listener.maxHeadBytes))")
        }
    }

    private static func warnings(
        _ configuration: ServerConfiguration, _ given: Given, _ environment: [String: String]
    ) -> [String] {
        let known = Set(Setting.all.map(\.variable))
        let unknown = environment.keys.filter { name in
            name.hasPrefix(Setting.variablePrefix) && !known.contains(name)
        }
        var warnings = unknown.sorted().map { name in
            "\(name.onOneLine) in the environment is no setting of larder and is ignored"
        }
        if configuration.caching.declaredPosts.contains("/**") {
            warnings.append("--cache-post /** caches all paths: every POST below must be a read")
        }
        if configuration.caching.ttlOverride != nil, configuration.caching.declaredPosts.isEmpty {
            warnings.append("--ttl-override has no effect without --cache-post")
        }
        if configuration.cacheAPI.address == nil {
            let names = ["cache-api-token-file", "cache-ttl-defaults", "cache-api-5xx"]
            for name in names where !given.texts(named: name).isEmpty {
                warnings.append("--\(name) has no effect without --cache-api")
            }
        }
        if configuration.origin.url == nil {
            for name in ["listen", "host", "cache-post"] where !given.texts(named: name).isEmpty {
                warnings.append("--\(name) has no effect without --origin")
            }
        }
        return warnings
    }
}

/// What was said about each setting, flags before variables.
private struct Given {
    let flags: [String: [String]]
    let environment: [String: String]

    func texts(named name: String) -> [SettingText] {
        Setting.all.first { $0.name == name }.map { texts(of: $0) } ?? []
    }

    func texts(of setting: Setting) -> [SettingText] {
        if let values = flags[setting.name], !values.isEmpty {
            return values.map { SettingText(text: $0, source: setting.flag) }
        }
        guard let value = environment[setting.variable], !value.isEmpty else { return [] }
        guard setting.isRepeated else {
            return [SettingText(text: value, source: setting.variable)]
        }
        return value.split(separator: ",").map { part in
            SettingText(text: part.withoutBlanks, source: setting.variable)
        }
    }

    /// An error about the value in effect, which may be a default.
    func conflict(_ name: String, _ reason: String) -> SettingError {
        guard let text = texts(named: name).last else {
            return SettingError("--\(name) (default): \(reason)")
        }
        return SettingError("\(text.source) '\(text.text.onOneLine)': \(reason)")
    }
}

extension Substring {
    /// The text without spaces at both ends.
    fileprivate var withoutBlanks: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
