import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The demo origin's pages that read or write JSON.
enum DemoQueries {
    private struct SearchRequest: Decodable {
        let query: String?
        let q: String?
    }

    private struct SearchAnswer: Encodable {
        struct Result: Encodable {
            let id: Int
            let title: String
            let url: String
        }

        let query: String
        let results: [Result]
        let served: Int
    }

    private struct GraphQLRequest: Decodable {
        let query: String
        let operationName: String?
    }

    private struct GraphQLAnswer: Encodable {
        struct Content: Encodable {
            let echo: String
            let operation: String?
        }

        struct Extensions: Encodable {
            let served: Int
        }

        let data: Content
        let extensions: Extensions
    }

    private struct Article: Encodable {
        let id: Int
        let title: String
        let text: String
    }

    /// Answers a search: the query again, three results, and how many searches were served.
    static func search(_ content: [UInt8], served: Int) -> DemoAnswer {
        guard let request = decode(SearchRequest.self, content),
            let query = request.query ?? request.q
        else { return wrong("expected a JSON object with a string \"query\"") }
        let first = query.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFF } + 1
        let results = (0..<3).map { offset in
            SearchAnswer.Result(
                id: first + offset, title: "\(query), part \(offset + 1)",
                url: "/articles/\(first + offset)")
        }
        return .json(encode(SearchAnswer(query: query, results: results, served: served)))
    }

    /// Answers a GraphQL request with its own query.
    static func graphQL(_ content: [UInt8], served: Int) -> DemoAnswer {
        guard let request = decode(GraphQLRequest.self, content) else {
            return wrong("expected a JSON object with a string \"query\"")
        }
        return .json(
            encode(
                GraphQLAnswer(
                    data: .init(echo: request.query, operation: request.operationName),
                    extensions: .init(served: served))))
    }

    /// An article as JSON.
    static func article(number: Int, text: String) -> [UInt8] {
        encode(Article(id: number, title: "Article \(number)", text: text))
    }

    /// Numbers by name as JSON, sorted.
    static func counts(_ counts: [String: Int]) -> [UInt8] {
        encode(counts)
    }

    private static func wrong(_ reason: String) -> DemoAnswer {
        .json(encode(["error": reason]), status: .badRequest)
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ content: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(content))
    }

    private static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return Array("null\n".utf8) }
        return Array(data) + [UInt8(ascii: "\n")]
    }
}
