import CacheTestKit
import Glibc

/// One Swift file of the repository, with and without its comments and strings.
struct SourceText: Sendable {
    /// The path below the repository's root.
    let path: String
    let lines: [Substring]
    /// The same lines with comments and the insides of strings blanked out.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = Self.blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The modules that the file imports, with their line numbers.
    var imports: [(module: String, line: Int)] {
        code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place < 3, place + 1 < words.count,
                words[..<place].allSatisfy(Self.mayPrecedeImport)
            else { return nil }
            // `import struct NIOCore.ByteBuffer` names the module second.
            let kinds: Set<Substring> = [
                "struct", "class", "enum", "func", "protocol", "typealias",
            ]
            let name =
                kinds.contains(words[place + 1]) && place + 2 < words.count
                ? words[place + 2] : words[place + 1]
            return (String(name.prefix { $0 != "." }), index + 1)
        }
    }

    private static func mayPrecedeImport(_ word: Substring) -> Bool {
        ["public", "package", "internal", "private", "fileprivate"].contains(word)
            || word.hasPrefix("@")
    }

    /// The functions and initializers that have bodies: name, first line and number of lines.
    var functions: [(name: String, line: Int, count: Int)] {
        code.indices.compactMap { index in
            let words = code[index].split { !($0.isLetter || $0.isNumber || $0 == "_") }
            let isFunction =
                words.contains("func") || words.contains("init")
                || words.contains("deinit")
            guard isFunction, let name = declaredName(at: index) else { return nil }
            guard let end = endOfBody(from: index) else { return nil }
            return (name, index + 1, end - index + 1)
        }
    }

    /// The name of what a line declares, or `nil` when it only mentions the word.
    private func declaredName(at index: Int) -> String? {
        let modifiers: Set<Substring> = [
            "public", "package", "internal", "private", "fileprivate", "static", "class", "final",
            "override", "mutating", "consuming", "borrowing", "nonisolated", "convenience",
            "required", "isolated", "nonmutating",
        ]
        for word in code[index].split(separator: " ") {
            if modifiers.contains(word) || word.hasPrefix("@") || word.hasPrefix("nonisolated(") {
                continue
            }
            if word == "func" {
                let rest = code[index].split(separator: " ").drop { $0 != "func" }.dropFirst()
                return rest.first.map { String($0.prefix { $0 != "(" && $0 != "<" }) }
            }
            let isInitializer = ["init(", "init?(", "init<", "deinit"].contains {
                word.hasPrefix($0)
            }
            return isInitializer ? "init" : nil
        }
        return nil
    }

    /// The line where the braces that begin at or after `start` are closed; `nil` without a body.
    private func endOfBody(from start: Int) -> Int? {
        var depth = 0
        var parentheses = 0
        for index in start..<code.count {
            // The next declaration: a requirement of a protocol has no body.
            let isNext = ["func ", "var ", "let ", "init("].contains { code[index].contains($0) }
            if depth == 0, parentheses == 0, index > start, isNext { return nil }
            for character in code[index] {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{" where parentheses == 0 || depth > 0: depth += 1
                case "}" where depth > 0:
                    depth -= 1
                    if depth == 0 { return index }
                case "}" where parentheses == 0: return nil
                default: break
                }
            }
        }
        return nil
    }

    /// Blanks comments and strings, keeping every line break.
    static func blanked(_ text: String) -> String {
        var blanker = Blanker()
        return String(decoding: blanker.run(Array(text.utf8)), as: UTF8.self)
    }
}

/// Replaces the bytes of comments and string literals by spaces.
private struct Blanker {
    private var output: [UInt8] = []
    private var index = 0

    mutating func run(_ bytes: [UInt8]) -> [UInt8] {
        output = bytes
        while index < bytes.count {
            if starts(bytes, "//") {
                blank(until: "\n", in: bytes)
            } else if starts(bytes, "/*") {
                blank(past: "*/", in: bytes)
            } else if starts(bytes, "\"\"\"") {
                blankString(bytes, quote: "\"\"\"")
            } else if starts(bytes, "\"") {
                blankString(bytes, quote: "\"")
            } else {
                index += 1
            }
        }
        return output
    }

    private func starts(_ bytes: [UInt8], _ text: String) -> Bool {
        bytes[index...].starts(with: text.utf8)
    }

    private mutating func blankByte() {
        if output[index] != 0x0A { output[index] = 0x20 }
        index += 1
    }

    private mutating func blank(until text: String, in bytes: [UInt8]) {
        while index < bytes.count, !starts(bytes, text) { blankByte() }
    }

    private mutating func blank(past text: String, in bytes: [UInt8]) {
        blank(until: text, in: bytes)
        for _ in text.utf8 where index < bytes.count { blankByte() }
    }

    /// Interpolations are blanked with their string.
    private mutating func blankString(_ bytes: [UInt8], quote: String) {
        for _ in quote.utf8 where index < bytes.count { blankByte() }
        while index < bytes.count, !starts(bytes, quote) {
            if starts(bytes, "\\(") {
                blankInterpolation(bytes)
            } else if bytes[index] == 0x5C {
                blankByte()
                if index < bytes.count { blankByte() }
            } else {
                blankByte()
            }
        }
        for _ in quote.utf8 where index < bytes.count { blankByte() }
    }

    private mutating func blankInterpolation(_ bytes: [UInt8]) {
        blankByte()
        var depth = 0
        while index < bytes.count {
            if starts(bytes, "\"\"\"") {
                blankString(bytes, quote: "\"\"\"")
                continue
            } else if starts(bytes, "\"") {
                blankString(bytes, quote: "\"")
                continue
            }
            if bytes[index] == 0x28 { depth += 1 }
            if bytes[index] == 0x29 { depth -= 1 }
            blankByte()
            if depth == 0 { return }
        }
    }
}

/// The files of the repository that these tests were built from.
enum Repository {
    /// The directory that holds `Package.swift` and `Sources/CacheEngine`.
    static func root(from file: String = #filePath) -> String? {
        guard let resolved = realpath(file, nil) else { return nil }
        defer { free(resolved) }
        var directory = String(cString: resolved)[...]
        while let slash = directory.lastIndex(of: "/") {
            directory = directory[..<slash]
            let marks = ["Package.swift", "Sources/CacheEngine"]
            if marks.allSatisfy({ access("\(directory)/\($0)", R_OK) == 0 }) {
                return String(directory)
            }
        }
        return nil
    }

    /// All Swift files below a directory of the repository, in the order of their paths.
    static func swiftFiles(below directory: String) -> [SourceText] {
        guard let root = root() else { return [] }
        return paths(below: directory, root: root).sorted().map { path in
            SourceText(
                path: path, text: String(decoding: readFile("\(root)/\(path)"), as: UTF8.self))
        }
    }

    private static func paths(below directory: String, root: String) -> [String] {
        guard let stream = opendir("\(root)/\(directory)") else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".swift") {
                found.append("\(directory)/\(name)")
            } else {
                found += paths(below: "\(directory)/\(name)", root: root)
            }
        }
        return found
    }
}
