import Testing

@testable import larder

@Suite("Settings of the Cache API's listener")
struct CacheAPIOptionsTests {
    private static let alone = ["cache-api": ["127.0.0.1:8780"]]
    private static let beside = alone.merging(["origin": ["http://origin.example"]]) { $1 }

    private func settings(
        _ flags: [String: [String]], _ environment: [String: String] = [:]
    ) throws -> ServeSettings {
        try ServeSettings(flags: flags, environment: environment)
    }

    private func complaint(
        _ flags: [String: [String]], _ environment: [String: String] = [:]
    ) -> String? {
        #expect(throws: SettingError.self) { _ = try settings(flags, environment) }?.description
    }

    @Test func itStandsAloneOrBesideTheProxy() throws {
        let alone = try settings(Self.alone)
        #expect(alone.configuration.origin.url == nil)
        #expect(
            alone.configuration.cacheAPI.address == ListenAddress(host: "127.0.0.1", port: 8780))
        #expect(alone.warnings.isEmpty)
        let beside = try settings(Self.beside)
        #expect(beside.configuration.origin.url != nil)
        #expect(beside.configuration.cacheAPI == alone.configuration.cacheAPI)
        #expect(beside.warnings.isEmpty)
        let byVariable = try settings([:], ["LARDER_CACHE_API": "127.0.0.1:8780"])
        #expect(byVariable.configuration == alone.configuration)
    }

    @Test func oneOfTheTwoIsNeeded() {
        for environment in [[:], ["LARDER_CACHE_API": ""], ["LARDER_CACHE_API_5XX": "true"]] {
            #expect(
                complaint([:], environment)
                    == "missing --origin URL (or LARDER_ORIGIN), the server to stand in front of,"
                    + " or --cache-api HOST:PORT (see `larder serve --help`)")
        }
    }

    @Test(arguments: [
        ("cache-api", "[::1]:1", "[::1]:1"),
        ("cache-api-token-file", "/run/token", "/run/token"),
        ("cache-ttl-defaults", "NONE", "none"), ("cache-ttl-defaults", "cloudflare", "cloudflare"),
        ("cache-api-5xx", "true", "true"), ("cache-api-5xx", "0", "false"),
    ])
    func flagAndVariableSetTheSame(name: String, text: String, effective: String) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        let origin = ["origin": ["http://origin.example"]]
        let byFlag = try settings(Self.beside.merging([name: [text]]) { $1 })
        let flags = name == "cache-api" ? origin : Self.beside
        let byVariable = try settings(flags, [setting.variable: text])
        #expect(byFlag.configuration == byVariable.configuration)
        #expect(setting.render(byFlag.configuration) == [effective])
        let plain = try settings(Self.beside).configuration
        for other in Setting.all where other.name != name {
            #expect(other.render(byFlag.configuration) == other.render(plain), "\(other.name)")
        }
    }

    @Test(arguments: ["127.0.0.1:0", "127.1.2.3:80", "localhost:8780", "[::1]:8780"])
    func loopbackNeedsNoToken(address: String) throws {
        #expect(try settings(["cache-api": [address]]).configuration.cacheAPI.address != nil)
    }

    @Test(arguments: [
        "0.0.0.0:8780", "[::]:8780", "192.0.2.1:8780", "[2001:db8::1]:8780", "128.0.0.1:1",
        "127.0.0.1.example:8780", "localhost.example:8780", "[::ffff:192.0.2.1]:1", "127.example:1",
    ])
    func otherAddressesNeedAToken(address: String) throws {
        let reason =
            "everybody who reaches it could replace what is stored: it needs"
            + " --cache-api-token-file, or a loopback address"
        #expect(complaint(["cache-api": [address]]) == "--cache-api '\(address)': \(reason)")
        #expect(
            complaint([:], ["LARDER_CACHE_API": address])
                == "LARDER_CACHE_API '\(address)': \(reason)")
        let flags = ["cache-api": [address], "cache-api-token-file": ["token"]]
        #expect(try settings(flags).configuration.cacheAPI.tokenFile == "token")
    }

    @Test func theTwoAddressesDiffer() throws {
        let both = { (address: String, listen: String) -> [String: [String]] in
            ["cache-api": [address], "listen": [listen], "origin": ["http://origin.example"]]
        }
        #expect(
            complaint(both("127.0.0.1:8080", "127.0.0.1:8080"))
                == "--cache-api '127.0.0.1:8080': it is the address of --listen")
        #expect(
            complaint(["cache-api": ["127.0.0.1:8080"], "origin": ["http://origin.example"]])
                == "--cache-api '127.0.0.1:8080': it is the address of --listen")
        // Any port, twice, is two ports.
        #expect(try settings(both("127.0.0.1:0", "127.0.0.1:0")).warnings.isEmpty)
        #expect(try settings(both("127.0.0.1:8081", "127.0.0.1:8080")).warnings.isEmpty)
        // Without a proxy nothing else listens there.
        #expect(try settings(["cache-api": ["127.0.0.1:8080"]]).warnings.isEmpty)
    }

    @Test(arguments: [
        ("cache-ttl-defaults", "some", "expected one of cloudflare, none"),
        ("cache-api-5xx", "yes", "expected true, false, 1 or 0"),
        ("cache-api-token-file", "", "expected the path of a file"),
        (
            "cache-api", "8780",
            "expected HOST:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080"
        ),
    ])
    func errorsNameFlagValueAndExpectation(name: String, text: String, expectation: String) {
        #expect(
            complaint(Self.beside.merging([name: [text]]) { $1 })
                == "--\(name) '\(text)': \(expectation)")
    }

    @Test func whatHasNoEffectIsWarnedAbout() throws {
        let origin = ["origin": ["http://origin.example"]]
        let ofCacheAPI = [
            "cache-api-token-file": ["x"], "cache-ttl-defaults": ["none"],
            "cache-api-5xx": ["true"],
        ]
        #expect(
            try settings(origin.merging(ofCacheAPI) { $1 }).warnings
                == ["cache-api-token-file", "cache-ttl-defaults", "cache-api-5xx"].map {
                    "--\($0) has no effect without --cache-api"
                })
        #expect(try settings(Self.beside.merging(ofCacheAPI) { $1 }).warnings.isEmpty)
        let ofProxy = ["listen": ["127.0.0.1:1"], "host": ["a.example"], "cache-post": ["/a"]]
        #expect(
            try settings(Self.alone.merging(ofProxy) { $1 }).warnings
                == ["listen", "host", "cache-post"].map {
                    "--\($0) has no effect without --origin"
                })
    }

    @Test func anOriginThatIsOurself() {
        let flags = ["origin": ["http://127.0.0.1:8780"], "cache-api": ["127.0.0.1:8780"]]
        #expect(
            complaint(flags)
                == "--origin 'http://127.0.0.1:8780': it is the address of --cache-api")
    }
}
