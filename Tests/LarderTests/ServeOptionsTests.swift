import Logging
import NIOCore
import Testing

@testable import larder

@Suite("Settings of serve: defaults, flags, environment, errors")
struct ServeOptionsTests {
    private static let origin = ["origin": ["http://origin.example"]]

    private func settings(
        _ flags: [String: [String]] = [:], _ environment: [String: String] = [:]
    ) throws -> ServeSettings {
        try ServeSettings(
            flags: flags.merging(Self.origin) { given, _ in given }, environment: environment)
    }

    private func complaint(
        _ flags: [String: [String]], _ environment: [String: String] = [:]
    ) -> String? {
        #expect(throws: SettingError.self) { _ = try settings(flags, environment) }?.description
    }

    @Test func onlyAnOriginIsNeeded() throws {
        let url = try #require(OriginURL("http://origin.example"))
        let settings = try settings()
        #expect(settings.configuration == ServerConfiguration(origin: url))
        #expect(settings.warnings.isEmpty)
    }

    @Test func defaultsAreAsPromised() throws {
        let effective = try settings().configuration.effectiveSettings
        let values = Dictionary(uniqueKeysWithValues: effective.map { ($0.name, $0.value) })
        let promised = [
            "origin": "http://origin.example", "origin-ca": "", "preserve-host": "false",
            "cache-api": "", "cache-api-token-file": "", "cache-ttl-defaults": "cloudflare",
            "cache-api-5xx": "false",
            "listen": "127.0.0.1:8080", "host": "", "cache-post": "", "default-ttl": "2h",
            "ttl-override": "", "stale-if-error": "0s", "set-cookie": "refuse",
            "ignore-credentials": "false", "ignore-request-directives": "false",
            "validate-post": "false",
            "credential-header": "", "key-header": "",
            "key-file": "", "max-object": "512MB", "max-key-body": "64MB", "spool-size": "2GB",
            "collapse-timeout": "30s", "max-size": "10GB",
            "db": "larder.db",
            "durability": "full", "memory": "256MB", "keep-request-content": "text",
            "max-wal": "256MB", "queue-entries": "4096", "queue-bytes": "64MB",
            "head-timeout": "10s", "body-timeout": "30s", "keep-alive-timeout": "60s",
            "write-timeout": "30s", "max-connections": "16384", "max-head-size": "32KB",
            "max-target": "8KB", "max-fields": "100", "connect-timeout": "5s",
            "first-byte-timeout": "60s", "between-bytes-timeout": "60s",
            "origin-idle-timeout": "30s", "origin-connections": "1024",
            "threads": "\(System.coreCount)", "drain-timeout": "10s", "log-level": "info",
        ]
        #expect(values == promised)
    }

    @Test(arguments: [
        ("origin-ca", "roots.pem", "roots.pem"), ("preserve-host", "true", "true"),
        ("listen", "[::1]:0", "[::1]:0"), ("default-ttl", "0s", "0s"),
        ("ttl-override", "1s", "1s"), ("stale-if-error", "7d", "7d"),
        ("set-cookie", "STRIP", "strip"), ("ignore-credentials", "1", "true"),
        ("ignore-request-directives", "true", "true"), ("validate-post", "true", "true"),
        ("key-file", "/run/secret", "/run/secret"), ("max-object", "65536", "64KB"),
        ("max-key-body", "1", "1"), ("max-key-body", "16gb", "16GB"), ("spool-size", "0", "0"),
        ("db", "/var/lib/larder.db", "/var/lib/larder.db"),
        ("durability", "balanced", "balanced"), ("memory", "2gb", "2GB"),
        ("keep-request-content", "off", "off"), ("max-wal", "1TB", "1TB"),
        ("queue-entries", "1", "1"), ("queue-bytes", "1MB", "1MB"),
        ("head-timeout", "500ms", "500ms"), ("body-timeout", "120s", "2m"),
        ("keep-alive-timeout", "1h", "60m"), ("write-timeout", "1500ms", "1500ms"),
        ("max-connections", "1000000", "1000000"), ("max-head-size", "1MB", "1MB"),
        ("max-target", "100", "100"), ("max-fields", "10", "10"),
        ("connect-timeout", "1ms", "1ms"), ("first-byte-timeout", "5m", "5m"),
        ("between-bytes-timeout", "2d", "2d"), ("origin-idle-timeout", "1s", "1s"),
        ("origin-connections", "65535", "65535"), ("threads", "3", "3"),
        ("drain-timeout", "0s", "0s"), ("log-level", "debug", "debug"),
    ])
    func flagAndVariableSetTheSame(name: String, text: String, effective: String) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        let origin = ["origin": ["https://origin.example"]]
        let byFlag = try ServeSettings(
            flags: origin.merging([name: [text]]) { $1 }, environment: [:])
        let byVariable = try ServeSettings(flags: origin, environment: [setting.variable: text])
        #expect(byFlag.configuration == byVariable.configuration)
        #expect(setting.render(byFlag.configuration) == [effective])
        // Nothing but this setting has changed.
        let plain = try ServeSettings(flags: origin, environment: [:]).configuration
        for other in Setting.all where other.name != name {
            #expect(other.render(byFlag.configuration) == other.render(plain), "\(other.name)")
        }
    }

    @Test(arguments: [
        ("cache-post", ["/search", "/v1/*"]), ("host", ["a.example", "b.example:8443"]),
        ("credential-header", ["x-tenant", "x-user"]), ("key-header", ["x-a", "x-b"]),
    ])
    func repeatedFlagsAreCommasInTheEnvironment(name: String, values: [String]) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        let byFlag = try settings([name: values]).configuration
        let text = values.joined(separator: ", ")
        #expect(try settings([:], [setting.variable: text]).configuration == byFlag)
        #expect(setting.render(byFlag) == values)
    }

    @Test func flagsWinOverVariables() throws {
        let environment = [
            "LARDER_MEMORY": "1GB", "LARDER_CACHE_POST": "/a,/b", "LARDER_PRESERVE_HOST": "true",
            "LARDER_DEFAULT_TTL": "never",
        ]
        let flags = [
            "memory": ["2GB"], "cache-post": ["/c"], "preserve-host": ["false"],
            "default-ttl": ["1m"],
        ]
        let configuration = try settings(flags, environment).configuration
        #expect(configuration.memoryBytes == 2 * ByteSize.gigabyte)
        #expect(configuration.caching.declaredPosts == ["/c"])
        #expect(!configuration.origin.preservesHost)
        #expect(configuration.caching.defaultTTL == 60)
    }

    @Test func originMayComeFromTheEnvironment() throws {
        let settings = try ServeSettings(
            flags: [:], environment: ["LARDER_ORIGIN": "https://origin.example/api/"])
        #expect(settings.configuration.origin.url?.description == "https://origin.example/api")
    }

    @Test func emptyVariablesAreNotSet() throws {
        let environment = ["LARDER_KEY_FILE": "", "LARDER_MEMORY": "", "LARDER_HOST": " , "]
        #expect(complaint([:], environment)?.contains("LARDER_HOST ''") == true)
        let configuration = try settings([:], ["LARDER_KEY_FILE": "", "LARDER_MEMORY": ""])
        #expect(try configuration == settings())
    }

    @Test func warningsNameWhatIsUnusual() throws {
        let environment = ["LARDER_MEMROY": "1GB", "LARDER_": "", "larder_db": "x", "PATH": "/bin"]
        #expect(
            try settings(["cache-post": ["/**"]], environment).warnings == [
                "LARDER_ in the environment is no setting of larder and is ignored",
                "LARDER_MEMROY in the environment is no setting of larder and is ignored",
                "--cache-post /** caches all paths: every POST below must be a read",
            ])
        #expect(try settings(["cache-post": ["/search", "/v1/*", "/api/**"]]).warnings.isEmpty)
        #expect(
            try settings(["ttl-override": ["1h"]]).warnings == [
                "--ttl-override has no effect without --cache-post"
            ])
    }

    @Test func missingOrigin() {
        let error = #expect(throws: SettingError.self) {
            _ = try ServeSettings(flags: [:], environment: ["LARDER_ORIGIN": ""])
        }
        #expect(
            error?.description
                == "missing --origin URL (or LARDER_ORIGIN), the server to stand in front of,"
                + " or --cache-api HOST:PORT (see `larder serve --help`)")
    }

    @Test(arguments: [
        (
            "memory", "12XB",
            "--memory '12XB': expected a size such as 64KB 10MB 2GB, at least 1MB"
        ),
        (
            "max-object", "0",
            "--max-object '0': expected a size such as 64KB 10MB 2GB, at least 1"
        ),
        (
            "head-timeout", "10",
            "--head-timeout '10': expected a duration such as 500ms 30s 5m 2h 7d"
        ),
        (
            "head-timeout", "0s",
            "--head-timeout '0s': expected a duration such as 500ms 30s 5m 2h 7d"
        ),
        (
            "default-ttl", "500ms",
            "--default-ttl '500ms': expected a duration of whole seconds such as 30s 5m 2h 7d"
        ),
        (
            "ttl-override", "0s",
            "--ttl-override '0s': expected a duration of whole seconds such as 30s 5m 2h 7d,"
                + " at least 1s"
        ),
        (
            "set-cookie", "maybe",
            "--set-cookie 'maybe': expected one of refuse, strip, store"
        ),
        (
            "threads", "0", "--threads '0': expected a whole number from 1 to 1024"
        ),
        ("preserve-host", "yes", "--preserve-host 'yes': expected true, false, 1 or 0"),
        (
            "listen", "8080",
            "--listen '8080': expected HOST:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or"
                + " [::1]:8080"
        ),
        (
            "key-header", "X Tenant",
            "--key-header 'X Tenant': expected the name of a header field such as X-Tenant"
        ),
        (
            "db", ":memory:",
            "--db ':memory:': expected the path of a file (neither :memory: nor a file: URI)"
        ),
        ("key-file", "", "--key-file '': expected the path of a file"),
    ])
    func errorsNameFlagValueAndExpectation(name: String, text: String, line: String) throws {
        #expect(complaint([name: [text]]) == line)
        let setting = try #require(Setting.all.first { $0.name == name })
        if !text.isEmpty {
            let variableLine = setting.variable + line.dropFirst(setting.flag.count)
            #expect(complaint([:], [setting.variable: text]) == variableLine)
        }
    }

    @Test func errorsStayOnOneShortLine() throws {
        let long = String(repeating: "a\n\u{1B}[31m", count: 1000)
        let line = try #require(complaint(["memory": [long]]))
        #expect(line.utf8.count < 300)
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }

    @Test(arguments: [
        (
            ["origin": ["http://127.0.0.1:8080/x"]],
            "--origin 'http://127.0.0.1:8080/x': it is the address that larder itself listens on"
        ),
        (
            ["origin-ca": ["roots.pem"]],
            "--origin-ca 'roots.pem': it needs an https origin, not http://origin.example"
        ),
        (
            ["max-head-size": ["4KB"]],
            "--max-target (default): expected at most max-head-size, which is 4KB"
        ),
    ])
    func valuesThatDoNotGoTogether(flags: [String: [String]], line: String) {
        #expect(complaint(flags) == line)
    }
}
