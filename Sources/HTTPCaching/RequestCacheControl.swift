/// The directives of a request (RFC 9111 §5.2.1) and what is left of Pragma (§5.4).
package struct RequestCacheControl: Sendable, Equatable {
    /// The directives without a value.
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

        @inlinable package static var noCache: Flags { Flags(rawValue: 1 << 0) }
        @inlinable package static var noStore: Flags { Flags(rawValue: 1 << 1) }
        @inlinable package static var onlyIfCached: Flags { Flags(rawValue: 1 << 2) }
    }

    /// How stale an answer the client takes.
    package enum MaxStale: Sendable, Equatable {
        /// However stale.
        case any
        /// At most this many seconds past its lifetime.
        case seconds(Int64)
    }

    package var flags: Flags = []
    /// Seconds; 0 when junk or contradicting itself.
    package var maxAge: Int64?
    /// Seconds; the largest of several, junk ignored.
    package var minFresh: Int64?
    /// The least of several, junk ignored.
    package var maxStale: MaxStale?
    /// Seconds past its lifetime that an answer may have when the origin fails; the least of
    /// several, junk ignored. RFC 5861 §4
    package var staleIfError: Int64?

    /// A request that says nothing.
    package static let none = RequestCacheControl()

    package init() {}

    /// Parses all Cache-Control and Pragma lines of a request.
    package init(cacheControl: [String], pragma: [String] = []) {
        guard !(cacheControl.isEmpty && pragma.isEmpty) else { return }
        for directive in CacheDirective.all(in: cacheControl) { apply(directive) }
        // RFC 9111 §5.4: Pragma speaks only where Cache-Control is silent
        let isPragmaHeard = cacheControl.isEmpty
        for directive in CacheDirective.all(in: isPragmaHeard ? pragma : [])
        where directive.name == "no-cache" {
            flags.insert(.noCache)
        }
    }

    /// Whether nothing was said.
    @inlinable package var isEmpty: Bool {
        flags.isEmpty && maxAge == nil && minFresh == nil && maxStale == nil && staleIfError == nil
    }

    private mutating func apply(_ directive: CacheDirective) {
        switch directive.name {
        case "no-cache": flags.insert(.noCache)
        case "no-store": flags.insert(.noStore)
        case "only-if-cached": flags.insert(.onlyIfCached)
        case "max-age":
            let value = directive.seconds ?? 0
            maxAge = maxAge.map { $0 == value ? value : 0 } ?? value
        case "min-fresh":
            if let value = directive.seconds { minFresh = max(minFresh ?? 0, value) }
        case "max-stale": narrowMaxStale(directive)
        case "stale-if-error":
            if let value = directive.seconds { staleIfError = min(staleIfError ?? .max, value) }
        default: break
        }
    }

    // RFC 9111 §5.2.1.2
    private mutating func narrowMaxStale(_ directive: CacheDirective) {
        if directive.argument == .none {
            maxStale = maxStale ?? .any
        } else if let value = directive.seconds {
            if case .seconds(let earlier) = maxStale {
                maxStale = .seconds(min(earlier, value))
            } else {
                maxStale = .seconds(value)
            }
        }
    }
}
