/// What a source file breaks, one line each: `path:line: what, and what to do instead`.
enum TidyRules {
    static let maxLines = 400
    static let maxFunctionLines = 60

    /// Words that have no place in the sources, and what takes theirs.
    static let bannedWords: [(word: String, replacement: String)] = [
        ("Date()", "the time as an argument, from a WallClock"),
        ("try!", "do and catch, or a throwing function"),
        ("as!", "as? with a way out"),
        ("fatalError(", "a total function, or an error that ends in an answer"),
        ("print(", "a Logger"),
        ("DispatchQueue", "an event loop, or a thread that has an owner"),
        ("Task.detached", "a child task, or an owner that cancels it"),
        ("nonisolated(unsafe)", "Mutex, or confinement to a loop"),
    ]

    /// Words that have no place in comments either.
    static let bannedRemarks: [(word: String, replacement: String)] = [
        ("FIXME", "the fix"), ("TODO", "an issue"),
    ]

    /// Which rooms a room may import; the executable wires them all.
    static let rooms: [String: Set<String>] = [
        "HTTPCaching": [],
        "CacheKeys": [],
        "CacheEngine": ["HTTPCaching", "CacheKeys"],
        "SQLiteStore": ["CacheEngine", "HTTPCaching", "CacheKeys", "Migrations"],
        "OriginClient": ["CacheEngine", "HTTPCaching", "CacheKeys"],
        "HTTPFrontend": ["CacheEngine", "HTTPCaching", "CacheKeys"],
        "AdminAPI": ["CacheEngine", "HTTPCaching", "CacheKeys"],
        "LarderCache": ["CacheEngine", "SQLiteStore", "HTTPCaching", "CacheKeys"],
    ]

    /// All that the pure rooms may import besides.
    static let pureImports: [String: Set<String>] = [
        "HTTPCaching": ["HTTPTypes", "StructuredFieldValues"],
        "CacheKeys": ["CLibCrypto"],
    ]

    static let foundations: Set<String> = [
        "Foundation", "FoundationEssentials", "FoundationNetworking",
        "FoundationInternationalization",
    ]

    static func length(_ file: SourceText) -> [String] {
        // The piece behind the last line break is no line.
        let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
        return count > maxLines ? ["\(file.path): \(count) lines, at most \(maxLines)"] : []
    }

    static func functionLengths(_ file: SourceText) -> [String] {
        file.functions.filter { $0.count > maxFunctionLines }.map {
            "\(file.path):\($0.line): \($0.name) has \($0.count) lines, at most \(maxFunctionLines)"
        }
    }

    static func words(_ file: SourceText) -> [String] {
        findings(file, in: file.code, bannedWords) + findings(file, in: file.lines, bannedRemarks)
    }

    private static func findings(
        _ file: SourceText, in lines: [Substring], _ words: [(word: String, replacement: String)]
    ) -> [String] {
        lines.enumerated().flatMap { index, line in
            words.filter { holds(line, $0.word) }.map {
                "\(file.path):\(index + 1): \($0.word): instead, \($0.replacement)"
            }
        }
    }

    /// Whether a line holds a word that is not the end of a longer one or a member's name.
    static func holds(_ line: Substring, _ word: String) -> Bool {
        var rest = line
        while let range = rest.firstRange(of: word) {
            let before =
                range.lowerBound == line.startIndex
                ? nil : line[line.index(before: range.lowerBound)]
            let isWhole =
                before.map { !$0.isLetter && !$0.isNumber && $0 != "_" && $0 != "." } ?? true
            if isWhole { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    /// `@unchecked Sendable` is explained by a comment in the line above its declaration.
    static func unchecked(_ file: SourceText) -> [String] {
        file.code.indices.filter { index in
            guard file.code[index].contains("@unchecked") else { return false }
            guard index > 0 else { return true }
            let above = file.lines[index - 1].drop { $0 == " " }
            return !above.hasPrefix("//")
        }.map { "\(file.path):\($0 + 1): @unchecked without its reason in the line above" }
    }

    static func imports(_ file: SourceText) -> [String] {
        let parts = file.path.split(separator: "/")
        guard parts.count > 2 else { return [] }
        let room = String(parts[1])
        return file.imports.compactMap { name, line in
            if foundations.contains(name) && room != "larder" {
                return "\(file.path):\(line): \(name) below the edges"
            }
            guard let allowed = rooms[room] else { return nil }
            let isRoom = rooms[name] != nil || name == "larder" || name == "Migrations"
            if isRoom && !allowed.contains(name) {
                return "\(file.path):\(line): \(room) must not know \(name)"
            }
            if let pure = pureImports[room], !pure.contains(name), !isRoom {
                return "\(file.path):\(line): \(name) in \(room), which is pure"
            }
            return nil
        }
    }
}
