import Testing

/// The house rules that a machine can check, on every file of `Sources`.
@Suite
struct TidyTests {
    private static let files = Repository.swiftFiles(below: "Sources")

    /// Files that break a rule for a reason; the list only shrinks.
    private static let exempt: [String: String] = [:]

    private func expectNone(_ rule: (SourceText) -> [String]) {
        for file in Self.files where Self.exempt[file.path] == nil {
            for finding in rule(file) {
                Issue.record(Comment(rawValue: finding))
            }
        }
    }

    @Test func theSourcesAreFound() {
        #expect(Self.files.count > 20)
        for room in ["HTTPCaching", "CacheKeys", "CacheEngine", "SQLiteStore", "larder"] {
            #expect(Self.files.contains { $0.path.hasPrefix("Sources/\(room)/") }, "\(room)")
        }
    }

    @Test func filesAreShort() {
        expectNone(TidyRules.length)
    }

    @Test func functionsAreShort() {
        expectNone(TidyRules.functionLengths)
        #expect(Self.files.map(\.functions.count).reduce(0, +) > 100)
    }

    @Test func bannedWordsAreAbsent() {
        expectNone(TidyRules.words)
    }

    @Test func uncheckedSendabilityIsExplained() {
        expectNone(TidyRules.unchecked)
    }

    @Test func roomsImportDownwardsOnly() {
        expectNone(TidyRules.imports)
        #expect(Self.files.map(\.imports.count).reduce(0, +) > 20)
    }
}

/// The rules find what they are for, and leave the rest alone.
@Suite
struct TidyRulesTests {
    private func file(_ text: String, _ path: String = "Sources/CacheEngine/A.swift") -> SourceText
    {
        SourceText(path: path, text: text)
    }

    @Test func lengths() {
        let lines = String(repeating: "let a = 1\n", count: 400)
        #expect(TidyRules.length(file(lines)).isEmpty)
        #expect(TidyRules.length(file(lines + "let b = 2\n")).count == 1)
    }

    @Test(arguments: [57, 58, 59, 200])
    func functionLengths(count: Int) {
        let body = String(repeating: "        let a = \"}\\(b(\"}\"))\" // }\n", count: count)
        let text = """
            protocol P {
                func required() -> Int
                var other: Int { get }
            }
            struct S {
                init(a: Int = { 1 }()) {}

                static func long(
                    a: Int
                ) -> Int {
            \(body)    }

                func short() -> Int { if true { 1 } else { 2 } }
            }
            """
        // Three lines of the declaration and the closing brace count too.
        let findings = TidyRules.functionLengths(file(text))
        #expect(findings.count == (count + 4 > 60 ? 1 : 0))
        #expect(findings.allSatisfy { $0.contains(":8: long has \(count + 4) lines") })
        #expect(file(text).functions.map(\.name) == ["init", "long", "short"])
    }

    @Test(arguments: [
        ("let now = Date()", true), ("let now = HTTPDate()", false), ("let d: Date = x", false),
        ("// Date() is banned", false), ("let s = \"try! Date()\"", false), ("try! run()", true),
        ("let a = b as! C", true), ("let a = b as? C", false), ("fatalError(\"x\")", true),
        ("print(a)", true), ("debugPrint(a)", false), ("out.print(a)", false),
        ("fingerprint(a)", false), ("// TODO later", true), ("let a = 1 // FIXME", true),
        ("DispatchQueue.main", true), ("Task.detached {}", true),
        ("nonisolated(unsafe) var a = 1", true), ("nonisolated func a() {}", false),
        ("/* print(a) */ let b = \"\"\"\nprint(a)\n\"\"\"", false),
        ("let a = \"\\(b(\"x\"))\"; print(a)", true),
    ])
    func words(line: String, isBanned: Bool) {
        #expect(TidyRules.words(file(line)).isEmpty != isBanned)
    }

    @Test func unchecked() {
        let type = "final class A: @unchecked Sendable {}"
        #expect(TidyRules.unchecked(file(type)).count == 1)
        #expect(TidyRules.unchecked(file("let a = 1\n\(type)")).count == 1)
        #expect(TidyRules.unchecked(file("// The lock guards it.\n\(type)")).isEmpty)
        #expect(TidyRules.unchecked(file("/// Says @unchecked.\nstruct B {}")).isEmpty)
    }

    @Test(arguments: [
        ("CacheEngine", "package import HTTPCaching", true),
        ("CacheEngine", "import NIOCore", true),
        ("CacheEngine", "import SQLiteStore", false),
        ("HTTPFrontend", "import OriginClient", false),
        ("HTTPFrontend", "internal import CacheKeys", true),
        ("SQLiteStore", "public import GRDB", true),
        ("SQLiteStore", "import Foundation", false),
        ("CacheKeys", "import CLibCrypto", true),
        ("CacheKeys", "import NIOCore", false),
        ("HTTPCaching", "import CacheKeys", false),
        ("HTTPCaching", "import struct HTTPTypes.HTTPFields", true),
        ("HTTPCaching", "@preconcurrency import Dispatch", false),
        ("larder", "import Foundation", true),
        ("larder", "import SQLiteStore", true),
        ("CacheEngine", "// import Foundation", true),
    ])
    func imports(room: String, line: String, isAllowed: Bool) {
        let findings = TidyRules.imports(file(line, "Sources/\(room)/Part/A.swift"))
        #expect(findings.isEmpty == isAllowed)
    }
}
