/// How an exchange was answered; the one value behind Cache-Status, X-Cache, log, metrics and table.
package enum CacheResult: Sendable, Hashable, CaseIterable {
    /// From the store, fresh.
    case hit
    /// From the store, stale, without asking the origin first.
    case stale
    /// From the store, stale, because the origin failed.
    case staleOnError
    /// From the store, after the origin confirmed it.
    case revalidated
    /// From the origin.
    case forwarded(ForwardReason)

    package static var allCases: [CacheResult] {
        [.hit, .stale, .staleOnError, .revalidated]
            + ForwardReason.allCases.map { .forwarded($0) }
    }

    /// The one word for logs, metric labels and table columns: that of RFC 9211 where it has one,
    /// and never the same for two results.
    package var token: String {
        switch self {
        case .hit: "hit"
        case .stale: "hit-stale"
        case .staleOnError: "stale-if-error"
        case .revalidated: "revalidated"
        case .forwarded(let reason): reason.rawValue
        }
    }

    /// Reads `token` back.
    package init?(token: String) {
        guard let result = Self.allCases.first(where: { $0.token == token }) else { return nil }
        self = result
    }

    /// The value of X-Cache.
    package var xCache: String {
        switch self {
        case .hit: "HIT"
        case .stale, .staleOnError: "STALE"
        case .revalidated: "REVALIDATED"
        case .forwarded(.bypass), .forwarded(.method), .forwarded(.request): "BYPASS"
        case .forwarded: "MISS"
        }
    }
}
