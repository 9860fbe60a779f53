package import HTTPTypes

/// How a response that is put is stored.
package struct PutPlan: Sendable, Equatable {
    package var terms: ReuseTerms
    /// Seconds from the put on.
    package var lifetime: Int64
    /// The fields to keep: lines, order and letter case as received.
    ///
    /// None that end at a hop or that the response itself keeps from stores; no Age, which is made
    /// anew, no Content-Length, no CF-Cache-Status. Cache-Tag stays, for the file.
    package var fields: HTTPFields
    /// Lower-cased, sorted, unique names; empty without Vary and where it is not honoured.
    package var vary: [String]
}

/// Whether a response that a program puts by hand is stored, and for how long.
package enum PutRules {
    /// Decides for one response; every refusal has its reason.
    ///
    /// - Parameters:
    ///   - status: the status code of the response.
    ///   - fields: its fields as received.
    ///   - hasAuthorization: the key's request has Authorization (RFC 9111 §3.5).
    ///   - overrides: what the key says about the response.
    ///   - policy: the operator's.
    ///   - now: the time of the put.
    package static func decide(
        status: Int, fields: HTTPFields, hasAuthorization: Bool = false,
        overrides: PutOverrides = .none, policy: PutPolicy, now: EpochSeconds
    ) -> Result<PutPlan, NoStoreReason> {
        let put = Put(
            status: status, freshness: PutFreshness(fields: fields, now: now),
            overrides: overrides, policy: policy, hasAuthorization: hasAuthorization, now: now)
        if let refusal = put.statusRefusal ?? put.directiveRefusal ?? put.credentialRefusal {
            return .failure(refusal)
        }
        var kept = put.keptFields(of: fields)
        guard !kept.contains(where: { $0.name.isSetCookie }) else { return .failure(.setCookie) }
        let vary: [String]
        switch Vary.names(in: fields) {
        case .success(let names): vary = policy.honoursVary ? names : []
        // Nothing is selected by it: only what it says in so many words counts.
        case .failure where !policy.honoursVary && !Vary.hasStar(in: fields): vary = []
        case .failure(let reason): return .failure(reason)
        }
        let freshUntil: EpochSeconds
        switch put.freshUntil {
        case .success(let end): freshUntil = end
        case .failure(let reason): return .failure(reason)
        }
        let tags = CacheTags.serialized(overrides.tags)
        if !tags.isEmpty, let name = CacheTags.name {
            kept.append(HTTPField(name: name, value: tags))
        }
        return .success(
            PutPlan(
                terms: put.terms(freshUntil: freshUntil),
                lifetime: ReuseTerms.difference(freshUntil, now), fields: kept, vary: vary))
    }

    /// The fields of a stored response as who put it gets them back: without those that were for
    /// caches alone.
    package static func fieldsOfMatch(_ stored: HTTPFields) -> HTTPFields {
        guard stored.contains(where: { forCachesOnly.contains($0.name.canonicalName) }) else {
            return stored
        }
        var fields = HTTPFields()
        for field in stored where !forCachesOnly.contains(field.name.canonicalName) {
            fields.append(field)
        }
        return fields
    }

    private static let forCachesOnly: Set<String> = [
        "age", "cache-tag", "cf-cache-status", "cloudflare-cdn-cache-control",
    ]
}

/// One response on its way in; a property for each group of rules.
private struct Put {
    let status: Int
    let freshness: PutFreshness
    let overrides: PutOverrides
    let policy: PutPolicy
    let hasAuthorization: Bool
    let now: EpochSeconds

    /// 9999-12-31T23:59:59Z, the last moment that SQLite's date functions write.
    private static let endOfTime: EpochSeconds = 253_402_300_799

    private var control: ResponseCacheControl { freshness.control }

    private var ttlDefaults: PutPolicy.TTLDefaults? {
        if case .fromFields(let defaults) = policy.lifetimes { return defaults }
        return nil
    }

    var statusRefusal: NoStoreReason? {
        // RFC 9111 §3: the response status code is final
        if status == 101 { return .upgrade }
        guard StatusRules.isFinal(status) else { return .status }
        if status == 206 { return .partial }
        if status == 304 || status == 416 { return .status }
        guard status >= 500, ttlDefaults != nil, !policy.storesServerErrors else { return nil }
        return overrides.ttl(for: status)?.isForStatus == true ? nil : .status
    }

    /// The key rules over the response's directives.
    private var isForced: Bool {
        overrides.storesEverything || overrides.ttl(for: status) != nil
    }

    var directiveRefusal: NoStoreReason? {
        if isForced || ttlDefaults == nil { return nil }
        if control.flags.contains(.noStore) { return .noStore }
        if control.flags.contains(.private) { return .private }
        return control.flags.contains(.noCache) ? .noCache : nil
    }

    // RFC 9111 §3.5
    var credentialRefusal: NoStoreReason? {
        guard hasAuthorization, control.sMaxAge == nil,
            control.flags.isDisjoint(with: [.public, .mustRevalidate])
        else { return nil }
        return .credentials
    }

    func keptFields(of fields: HTTPFields) -> HTTPFields {
        var left = Set(control.privateFields + control.noCacheFields)
        left.formUnion(["age", "cf-cache-status", "content-length"])
        var kept = HTTPFields()
        for field in HopByHop.removed(from: fields) {
            if left.contains(field.name.canonicalName) { continue }
            if overrides.storesEverything, field.name.isSetCookie { continue }
            kept.append(field)
        }
        return kept
    }

    var freshUntil: Result<EpochSeconds, NoStoreReason> {
        guard let ttlDefaults else { return .success(Self.endOfTime) }
        if let ttl = overrides.ttl(for: status)?.seconds { return lasting(ttl, from: now) }
        if let explicit = freshness.explicitLifetime { return lasting(explicit, from: bornAt) }
        switch ttlDefaults {
        case .cloudflare:
            guard let ttl = Self.zoneTTL(status) else { return .failure(missingLifetime) }
            return lasting(ttl, from: bornAt)
        case .none:
            guard StatusRules.allowsHeuristics(status, isPublic: false),
                let guess = freshness.heuristicLifetime
            else { return .failure(missingLifetime) }
            return lasting(guess, from: bornAt)
        }
    }

    private var bornAt: EpochSeconds { ReuseTerms.difference(now, freshness.age) }

    private var missingLifetime: NoStoreReason {
        StatusRules.allowsHeuristics(status, isPublic: false) ? .noLifetime : .status
    }

    private func lasting(
        _ seconds: Int64, from start: EpochSeconds
    ) -> Result<EpochSeconds, NoStoreReason> {
        let end = ReuseTerms.sum(start, min(seconds, FieldSyntax.deltaSecondsMax))
        return end > now ? .success(end) : .failure(.noLifetime)
    }

    /// Cloudflare's table for zones, without redirections that say nothing (302, 303).
    private static func zoneTTL(_ status: Int) -> Int64? {
        switch status {
        case 200, 301: 7200
        case 404, 410: 180
        default: nil
        }
    }

    /// Never stale: nobody asks an origin.
    func terms(freshUntil: EpochSeconds) -> ReuseTerms {
        ReuseTerms(
            // The newest of several is the one that was put last.
            dateValue: now, bornAt: bornAt, freshUntil: freshUntil,
            staleWhileRevalidateUntil: freshUntil, staleIfErrorUntil: freshUntil,
            flags: .mustRevalidate)
    }
}
