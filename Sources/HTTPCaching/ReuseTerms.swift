/// When a stored response may be reused: frozen into integers when it is stored.
package struct ReuseTerms: Sendable, Equatable {
    /// What comparison of times cannot say.
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32

        @inlinable package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// `no-cache`: validated before each use.
        @inlinable package static var alwaysValidate: Flags { Flags(rawValue: 1 << 0) }
        /// `must-revalidate`, `proxy-revalidate` or `s-maxage`: never served stale.
        @inlinable package static var mustRevalidate: Flags { Flags(rawValue: 1 << 1) }
        /// It can be validated; never set for an answer to POST, which is fetched anew.
        @inlinable package static var hasValidator: Flags { Flags(rawValue: 1 << 2) }
        @inlinable package static var immutable: Flags { Flags(rawValue: 1 << 3) }
        /// The lifetime is a guess from Last-Modified.
        @inlinable package static var heuristic: Flags { Flags(rawValue: 1 << 4) }
        /// It belongs to the credentials in its key.
        @inlinable package static var isPersonal: Flags { Flags(rawValue: 1 << 5) }
        /// The response has a `stale-if-error` of its own, even if it is 0.
        @inlinable package static var hasStaleIfError: Flags { Flags(rawValue: 1 << 6) }
        /// The answer to a POST or QUERY, not to a GET.
        @inlinable package static var isKeyedByContent: Flags { Flags(rawValue: 1 << 7) }
        /// The lifetime is the operator's, not the origin's.
        @inlinable package static var isOperatorLifetime: Flags { Flags(rawValue: 1 << 8) }
    }

    /// Date, or the time of receipt; the newest of several suitable responses is taken.
    package var dateValue: EpochSeconds
    /// Response time less the corrected initial age: the age at `now` is `now - bornAt`.
    package var bornAt: EpochSeconds
    /// Fresh while `now` is before this.
    package var freshUntil: EpochSeconds
    /// Served stale with a validation behind it while `now` is before this; `freshUntil` when not.
    package var staleWhileRevalidateUntil: EpochSeconds
    /// Served stale when the origin fails while `now` is before this; `freshUntil` when not.
    package var staleIfErrorUntil: EpochSeconds
    package var flags: Flags

    @inlinable package init(
        dateValue: EpochSeconds, bornAt: EpochSeconds, freshUntil: EpochSeconds,
        staleWhileRevalidateUntil: EpochSeconds, staleIfErrorUntil: EpochSeconds, flags: Flags = []
    ) {
        self.dateValue = dateValue
        self.bornAt = bornAt
        self.freshUntil = freshUntil
        self.staleWhileRevalidateUntil = staleWhileRevalidateUntil
        self.staleIfErrorUntil = staleIfErrorUntil
        self.flags = flags
    }

    /// current_age in seconds, never negative. RFC 9111 §4.2.3
    @inlinable package func age(at now: EpochSeconds) -> Int64 {
        max(0, Self.difference(now, bornAt))
    }

    /// Seconds of freshness left; 0 or less is stale. RFC 9211 §2.3
    @inlinable package func ttl(at now: EpochSeconds) -> Int64 {
        // A clock that went back makes nothing younger than its birth.
        Self.difference(freshUntil, max(now, bornAt))
    }

    /// Whether freshness_lifetime > current_age. RFC 9111 §4.2
    @inlinable package func isFresh(at now: EpochSeconds) -> Bool { ttl(at: now) > 0 }

    /// Whether this response is to be used rather than another that would do. RFC 9111 §4
    @inlinable package func isNewer(than other: ReuseTerms) -> Bool {
        dateValue > other.dateValue
    }

    /// `left - right`, saturating.
    @inlinable package static func difference(_ left: Int64, _ right: Int64) -> Int64 {
        let (value, isOverflow) = left.subtractingReportingOverflow(right)
        guard isOverflow else { return value }
        return left < right ? .min : .max
    }

    /// `left + right`, saturating.
    @inlinable package static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (value, isOverflow) = left.addingReportingOverflow(right)
        guard isOverflow else { return value }
        return left < 0 ? .min : .max
    }
}
