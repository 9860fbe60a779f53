/// Whether a stored response may answer a request (RFC 9111 §4): integers only, no allocation.
package enum Reuse {
    /// What to do with a request for which a stored response was selected.
    package enum Decision: Equatable, Sendable {
        /// Answer from the store.
        case fresh
        /// Answer from the store, stale: the client said that it takes it so.
        case stale
        /// Answer from the store, stale, and validate behind it.
        case staleWhileRevalidate
        /// Ask the origin: `.stale`, or `.request` when only the request's directives demand it.
        case mustForward(ForwardReason)
        /// `only-if-cached`, and the stored response will not do: 504.
        case gatewayTimeout
    }

    /// How long an answer that belongs to nobody outlives its lifetime while the origin is away.
    package static let staleWhileUnreachable: Int64 = 86_400

    /// Whether a status is the origin's failure, in whose place a stale answer may stand.
    /// RFC 5861 §4
    @inlinable package static func isFailure(status: Int) -> Bool {
        status == 500 || status == 502 || status == 503 || status == 504
    }

    /// Decides for one request.
    ///
    /// - Parameters:
    ///   - terms: the stored response's.
    ///   - request: the request's directives; `.none` where the route ignores them.
    ///   - isReadableStale: false after a purge or an invalidation: nothing stale may go out.
    ///   - now: the time of the request.
    @inlinable package static func decide(
        terms: ReuseTerms, request: RequestCacheControl, isReadableStale: Bool = true,
        now: EpochSeconds
    ) -> Decision {
        let ttl = terms.ttl(at: now)
        // The path of nearly all hits.
        if ttl > 0, request.isEmpty, !terms.flags.contains(.alwaysValidate) { return .fresh }
        let decision = fullDecision(
            terms: terms, request: request, isReadableStale: isReadableStale, ttl: ttl, now: now)
        // RFC 9111 §5.2.1.7
        if case .mustForward = decision, request.flags.contains(.onlyIfCached) {
            return .gatewayTimeout
        }
        return decision
    }

    @usableFromInline package static func fullDecision(
        terms: ReuseTerms, request: RequestCacheControl, isReadableStale: Bool, ttl: Int64,
        now: EpochSeconds
    ) -> Decision {
        // RFC 9111 §5.2.2.4
        if terms.flags.contains(.alwaysValidate) { return .mustForward(.stale) }
        let isFresh = ttl > 0
        // RFC 9111 §5.2.1.4
        if request.flags.contains(.noCache) { return .mustForward(isFresh ? .request : .stale) }
        // RFC 9111 §5.2.1.1; whatever is stored is older than 0, although ages are whole seconds
        if let maxAge = request.maxAge, maxAge <= 0 || terms.age(at: now) > maxAge {
            return .mustForward(isFresh ? .request : .stale)
        }
        // RFC 9111 §5.2.1.3
        if let minFresh = request.minFresh, ttl < minFresh {
            return .mustForward(isFresh ? .request : .stale)
        }
        if isFresh { return .fresh }
        // RFC 9111 §4.2.4: prohibited by the response
        guard isReadableStale, !terms.flags.contains(.mustRevalidate) else {
            return .mustForward(.stale)
        }
        // RFC 9111 §5.2.1.3: a client that wants freshness left takes nothing stale
        if request.minFresh != nil { return .mustForward(.stale) }
        // RFC 9111 §5.2.1.2
        let isWithinWindow = now < terms.staleWhileRevalidateUntil
        switch request.maxStale {
        case .any: return isWithinWindow ? .staleWhileRevalidate : .stale
        case .seconds(let limit) where ttl >= ReuseTerms.difference(0, limit):
            return isWithinWindow ? .staleWhileRevalidate : .stale
        case .seconds, nil: break
        }
        // RFC 9111 §5.2.1.1: max-age without max-stale wants nothing stale
        if request.maxAge != nil { return .mustForward(.stale) }
        // RFC 5861 §3
        return isWithinWindow ? .staleWhileRevalidate : .mustForward(.stale)
    }

    /// Whether the stored response may stand in for an answer the origin failed to give.
    ///
    /// The caller has made sure that no purge or invalidation came in between.
    /// - Parameters:
    ///   - terms: the stored response's.
    ///   - request: the request's directives; `.none` where the route ignores them.
    ///   - now: the time of the failure.
    ///   - defaultStaleIfError: the operator's seconds where the response gives none; 0 is none.
    ///   - isUnreachable: no answer came at all, rather than a 500, 502, 503 or 504.
    @inlinable package static func mayServeOnError(
        terms: ReuseTerms, request: RequestCacheControl, now: EpochSeconds,
        defaultStaleIfError: Int64, isUnreachable: Bool
    ) -> Bool {
        // RFC 9111 §5.2.1: the request's own word comes first
        if request.flags.contains(.noCache) { return false }
        if request.maxAge != nil || request.minFresh != nil { return false }
        // RFC 9111 §4.2.4: prohibited by the response
        if terms.flags.contains(.alwaysValidate) { return false }
        if terms.isFresh(at: now) { return true }
        if terms.flags.contains(.mustRevalidate) { return false }
        // RFC 5861 §4
        if terms.flags.contains(.hasStaleIfError) || terms.staleIfErrorUntil > terms.freshUntil {
            return now < terms.staleIfErrorUntil
        }
        if let limit = request.staleIfError, now < ReuseTerms.sum(terms.freshUntil, limit) {
            return true
        }
        if defaultStaleIfError > 0 {
            return now < ReuseTerms.sum(terms.freshUntil, defaultStaleIfError)
        }
        // RFC 9111 §4.2.4: disconnected
        guard isUnreachable, terms.flags.isDisjoint(with: [.isPersonal, .isKeyedByContent]) else {
            return false
        }
        return now < ReuseTerms.sum(terms.freshUntil, staleWhileUnreachable)
    }
}
