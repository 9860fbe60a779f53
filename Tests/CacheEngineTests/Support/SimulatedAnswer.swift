import HTTPTypes

@testable import CacheEngine

/// What kind of answers a resource of the simulated origin gives.
enum SimulatedKind: String, CaseIterable {
    /// Storable and never failing: one request is enough for all.
    case calm
    case varying
    /// Larger than what is stored in one piece.
    case large
    /// Of unknown length, larger than what is stored at all.
    case huge
    case `private`
    case forbidden
    /// Storable for those without credentials only.
    case known
    /// Storable for all although it was asked for with credentials.
    case open
    /// Fails before the head or in mid-body, now and then.
    case failing
    /// May be served while it is validated.
    case lasting

    static let perKind = 2
    static let targets = allCases.flatMap { kind in
        (0..<perKind).map { "/\(kind.rawValue)/\($0)" }
    }

    init?(target: String) {
        guard let name = target.split(separator: "/").first else { return nil }
        self.init(rawValue: String(name))
    }

    var fields: HTTPFields {
        switch self {
        case .calm, .large, .huge, .known, .failing: [.cacheControl: "max-age=60"]
        case .varying: [.cacheControl: "max-age=60", .vary: "Accept-Language"]
        case .private: [.cacheControl: "private, max-age=60"]
        case .forbidden: [.cacheControl: "no-store"]
        case .open: [.cacheControl: "public, max-age=60"]
        case .lasting: [.cacheControl: "max-age=20, stale-while-revalidate=100"]
        }
    }

    /// Whether an answer may go to others than who it was made for.
    var isForAll: Bool {
        switch self {
        case .private, .forbidden, .known: false
        case .calm, .varying, .large, .huge, .open, .failing, .lasting: true
        }
    }

    var sizes: ClosedRange<Int> {
        switch self {
        case .large: 5_000...30_000
        case .huge: 70_000...90_000
        default: 0...4_000
        }
    }
}

/// A body that says whose it is, and how long.
struct SimulatedAnswer: Equatable {
    var target: String
    var version: Int
    var language: String
    var user: String
    /// Of the request that the origin answered with it.
    var number: Int
    var length: Int

    private var line: String {
        "\(target) \(version) \(language) \(user) \(number) \(length);"
    }

    /// The whole body; a line at least.
    var text: String {
        let line = line
        return String(repeating: line, count: max(1, length / line.utf8.count))
    }

    init(
        target: String, version: Int, language: String, user: String, number: Int, length: Int
    ) {
        self.target = target
        self.version = version
        self.language = language
        self.user = user
        self.number = number
        self.length = length
    }

    /// Reads the first line of a body.
    init?(_ text: String) {
        guard let end = text.firstIndex(of: ";") else { return nil }
        let parts = text[..<end].split(separator: " ").map(String.init)
        guard parts.count == 6, let version = Int(parts[1]),
            let number = Int(parts[4]), let length = Int(parts[5])
        else { return nil }
        self.init(
            target: parts[0], version: version, language: parts[2], user: parts[3],
            number: number, length: length)
    }
}
