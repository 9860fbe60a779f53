import CacheEngine
import CacheKeys
import HTTPCaching

/// A request for what the workers' protocol has no words for: `POST /larder/OPERATION` with one JSON
/// object.
///
/// A worker cannot send it through its cache, so nothing that a client wrote into a key gets here.
struct NativeRequest: Sendable {
    enum Operation: String, CaseIterable {
        case caches
        case keys
        case match
        case matchAll = "match-all"
        case delete
        case deleteTagged = "delete-tagged"
        case deleteCache = "delete-cache"

        /// What a request of this kind may say.
        var members: [String] {
            switch self {
            case .caches: []
            case .keys: Self.queryMembers + ["after", "limit"]
            case .match, .matchAll, .delete: Self.queryMembers
            case .deleteTagged: ["tags"]
            case .deleteCache: ["cache"]
            }
        }

        private static let queryMembers = [
            "cache", "url", "key", "method", "headers", "ignoreSearch", "ignoreMethod",
            "ignoreVary",
        ]
    }

    /// What is wrong with a request, for its caller.
    struct Flaw: Error, Equatable {
        var detail: String

        init(_ detail: String) { self.detail = detail }
    }

    var operation: Operation
    var cacheName = ""
    private var namesCache = false
    /// Nil where no URL was given: all of a cache.
    var query: CacheQuery?
    var tags: [String] = []
    var after: Int64 = 0
    var limit = 1000

    private static let limitMax: Int64 = 10_000

    /// - Parameters:
    ///   - target: in origin-form.
    ///   - content: nothing stands for an empty object.
    init(target: String, content: some Collection<UInt8>) throws(Flaw) {
        operation = try Self.operation(target)
        guard !content.isEmpty else {
            try check()
            return
        }
        guard let json = JSONValue(parsing: content), case .object(let members) = json else {
            throw Flaw("the content is not one JSON object")
        }
        try checkNames(of: members)
        if let cache = json["cache"] {
            guard let name = cache.string, name.utf8.count < CacheKeyRequest.nameBytesMax,
                !name.utf8.contains(0)
            else { throw Flaw("cache: expected a name of fewer than 1024 bytes") }
            cacheName = name
            namesCache = true
        }
        query = try Self.query(json, cacheName: cacheName)
        if let tags = json["tags"] {
            let texts = tags.elements.compactMap(\.string)
            guard !texts.isEmpty, texts.count == tags.elements.count,
                let tags = CacheTags.forDeletion(texts)
            else { throw Flaw("tags: expected a list of printable ASCII without blanks or commas") }
            self.tags = tags
        }
        after = try Self.number(json, "after", 0...Int64.max) ?? 0
        limit = Int(try Self.number(json, "limit", 1...Self.limitMax) ?? 1000)
        try check()
    }

    private static func operation(_ target: String) throws(Flaw) -> Operation {
        let prefix = "/larder/"
        guard target.hasPrefix(prefix),
            let operation = Operation(rawValue: String(target.dropFirst(prefix.count)))
        else {
            let known = Operation.allCases.map { prefix + $0.rawValue }.joined(separator: ", ")
            throw Flaw("no such operation; there are \(known)")
        }
        return operation
    }

    private func checkNames(
        of members: [(name: String, value: JSONValue)]
    ) throws(Flaw) {
        for member in members
        where !operation.members.contains(where: { $0.utf8.elementsEqual(member.name.utf8) }) {
            throw Flaw("unknown member \(JSONValue.string(member.name).serialized)")
        }
    }

    private static func query(
        _ json: JSONValue, cacheName: String
    ) throws(Flaw) -> CacheQuery? {
        let url: CacheURL
        switch (json["url"], json["key"]) {
        case (nil, nil): return nil
        case (let text?, nil):
            guard let parsed = text.string.flatMap({ CacheURL($0) }) else {
                throw Flaw("url: expected an absolute URL")
            }
            url = parsed
        case (nil, let text?):
            guard let parsed = text.string.flatMap({ CacheURL.custom($0) }) else {
                throw Flaw("key: expected a string that is not empty")
            }
            url = parsed
        case (_?, _?): throw Flaw("url and key: only one of them")
        }
        var options: CacheQuery.Options = []
        let flags: [(String, CacheQuery.Options)] = [
            ("ignoreSearch", .ignoreSearch), ("ignoreMethod", .ignoreMethod),
            ("ignoreVary", .ignoreVary),
        ]
        for (name, option) in flags {
            guard let value = json[name] else { continue }
            guard let isSet = value.bool else { throw Flaw("\(name): expected true or false") }
            if isSet { options.insert(option) }
        }
        var method = "GET"
        if let value = json["method"] {
            guard let text = value.string else { throw Flaw("method: expected a string") }
            method = text
        }
        return CacheQuery(
            cacheName: cacheName, url: url, isGet: method == "GET",
            fields: try NativeFields(json["headers"]), options: options)
    }

    private static func number(
        _ json: JSONValue, _ name: String, _ range: ClosedRange<Int64>
    ) throws(Flaw) -> Int64? {
        guard let value = json[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw Flaw("\(name): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func check() throws(Flaw) {
        switch operation {
        case .match, .delete:
            guard query != nil else { throw Flaw("url or key is missing") }
        case .deleteTagged:
            guard !tags.isEmpty else { throw Flaw("tags is missing") }
        case .deleteCache:
            // Emptying the default cache is to be said: "".
            guard namesCache else { throw Flaw("cache is missing") }
        case .caches, .keys, .matchAll: break
        }
    }
}

/// The fields of a request as JSON: a string for each name, or a list of them.
struct NativeFields: FieldLines {
    private var values: [String: [String]] = [:]

    init(_ json: JSONValue?) throws(NativeRequest.Flaw) {
        guard let json else { return }
        guard case .object(let members) = json else {
            throw NativeRequest.Flaw("headers: expected an object")
        }
        for member in members {
            let lines =
                member.value.string.map { [$0] } ?? member.value.elements.compactMap(\.string)
            guard !lines.isEmpty,
                member.value.string != nil || lines.count == member.value.elements.count
            else {
                throw NativeRequest.Flaw("headers: expected strings or lists of strings")
            }
            values[member.name.lowercased(), default: []] += lines
        }
    }

    func lines(named name: String) -> [String] { values[name] ?? [] }
}
