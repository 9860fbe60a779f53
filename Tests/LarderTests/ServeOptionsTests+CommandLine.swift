import ArgumentParser
import Testing

@testable import larder

@Suite("The command line: flags, help, exit codes")
struct CommandLineTests {
    private func serve(_ arguments: String...) throws -> Serve {
        try #require(try LarderCommand.parseAsRoot(["serve"] + arguments) as? Serve)
    }

    private func ending(_ arguments: String...) -> Ending? {
        do {
            _ = try LarderCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return Ending(of: error, arguments: arguments)
        }
    }

    /// Every row of the settings is a flag of its name, and every flag is a row.
    @Test func flagsAndRowsAreTheSame() throws {
        let given = try serve().given
        #expect(Set(given.keys) == Set(Setting.all.map(\.name)))
        #expect(Setting.all.count == given.count)
        #expect(given.values.allSatisfy { $0.isEmpty })
        let help = LarderCommand.helpMessage(for: Serve.self, columns: 1000)
        for setting in Setting.all {
            #expect(help.contains("\(setting.flag) <") || help.contains("\(setting.flag)/--no-"))
            #expect(help.contains(setting.help), "\(setting.name)")
        }
    }

    @Test(arguments: Setting.all.map(\.name))
    func eachFlagArrivesUnderItsName(name: String) throws {
        let setting = try #require(Setting.all.first { $0.name == name })
        let isSwitch = setting.valueName == nil
        let arguments = isSwitch ? ["--\(name)"] : ["--\(name)", "some-text"]
        let command = try LarderCommand.parseAsRoot(["serve"] + arguments)
        let given = try #require(command as? Serve).given.filter { !$0.value.isEmpty }
        #expect(given == [name: [isSwitch ? "true" : "some-text"]])
    }

    @Test func repeatedAndNegatedFlags() throws {
        let given = try serve(
            "--cache-post", "/a", "--cache-post", "/b", "--no-preserve-host", "--memory", "1MB",
            "--memory=2MB"
        ).given
        #expect(given["cache-post"] == ["/a", "/b"])
        #expect(given["preserve-host"] == ["false"])
        #expect(given["memory"]?.last == "2MB")
    }

    @Test(arguments: [
        (["serve", "--memroy", "1GB"], "larder serve"), (["serve", "--memory"], "larder serve"),
        (["serve", "extra"], "larder serve"), (["demo-origin", "--x"], "larder demo-origin"),
        (["version", "x"], "larder version"), (["sevre"], "larder"), (["--x"], "larder"),
    ])
    func badCommandLinesEndWithTwo(arguments: [String], page: String) throws {
        let error = #expect(throws: (any Error).self) {
            _ = try LarderCommand.parseAsRoot(arguments)
        }
        let ending = Ending(of: try #require(error), arguments: arguments)
        #expect(ending.exitCode == 2)
        #expect(ending.output.isEmpty)
        #expect(ending.complaint.hasPrefix("larder: "))
        #expect(ending.complaint.hasSuffix(" (see `\(page) --help`)\n"))
        #expect(ending.complaint.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
    }

    @Test func helpIsNoFailure() throws {
        for arguments in [["serve", "--help"], ["help", "serve"], ["--help"]] {
            let error = #expect(throws: (any Error).self) {
                var command = try LarderCommand.parseAsRoot(arguments)
                try command.run()
            }
            let ending = Ending(of: try #require(error), arguments: arguments)
            #expect(ending.exitCode == 0)
            #expect(ending.complaint.isEmpty)
            #expect(ending.output.contains("USAGE: larder"))
        }
    }

    @Test func failuresEndWithOneLine() {
        struct Odd: Error, CustomStringConvertible {
            let description = "first\nsecond"
        }
        let setting = SettingError(SettingText(text: "x", source: "--memory"), expected: "a size")
        #expect(
            Ending(of: setting, arguments: []).complaint
                == "larder: --memory 'x': expected a size\n")
        #expect(Ending(of: setting, arguments: []).exitCode == 2)
        let start = StartFailure("cannot listen on 127.0.0.1:80: Permission denied")
        #expect(
            Ending(of: start, arguments: []).complaint
                == "larder: cannot listen on 127.0.0.1:80: Permission denied\n")
        #expect(Ending(of: start, arguments: []).exitCode == 1)
        #expect(Ending(of: Odd(), arguments: []).complaint == "larder: first\\nsecond\n")
        #expect(Ending(of: Odd(), arguments: []).exitCode == 1)
    }
}
