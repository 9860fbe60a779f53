internal import HTTPTypes

extension Storability {
    /// An answer on its way into the store; one property for each group of clauses of RFC 9111 §3.
    struct Answer {
        let request: RequestFacts
        let status: Int
        let fields: HTTPFields
        let policy: StoragePolicy
        let freshness: Freshness
        let responseTime: EpochSeconds

        private var control: ResponseCacheControl { freshness.control }

        /// The operator's word makes this exchange cacheable.
        private var isDeclared: Bool {
            policy.isDeclared && (request.method == .post || request.method == .query)
        }

        /// The operator's word rules over the origin's.
        private var override: Int64? { isDeclared && status == 200 ? policy.ttlOverride : nil }

        /// The clauses about the request.
        var requestRefusal: NoStoreReason? {
            switch request.method {
            // RFC 9110 §9.3.1: content in a GET has no meaning
            case .get: if request.hasContent { return .requestContent }
            // RFC 10008 §2
            case .query: break
            // RFC 9110 §9.3.3: a POST is cacheable only by someone's word
            case .post: if !policy.isDeclared { return .method }
            // RFC 9110 §9.3.2: HEAD is answered from a stored GET, never stored itself
            case .head, .otherSafe, .unsafe: return .method
            }
            // RFC 9111 §5.2.1.5
            if !policy.ignoreRequestDirectives, request.cacheControl.flags.contains(.noStore) {
                return .requestNoStore
            }
            return nil
        }

        /// The clauses about the status.
        var statusRefusal: NoStoreReason? {
            // RFC 9111 §3: the response status code is final
            guard StatusRules.isFinal(status) else { return .status }
            // RFC 9111 §3.3: a part only if its place in the whole is clear
            if status == 206 { return part == nil ? .partial : nil }
            // RFC 9110 §14.4: the field means nothing here; a part all the same if one was asked for
            if status == 200, request.hasRange, fields.contains(.contentRange) { return .partial }
            if StatusRules.isNeverStored(status) {
                return status == 416 && request.hasRange ? .partial : .status
            }
            // A declared POST is stored for 200 unless the origin says more.
            if isDeclared, status != 200, !freshness.isExplicit { return .status }
            return nil
        }

        /// What a 206 brings of the representation; nil when it is not to be stored.
        var part: RepresentationPart? {
            guard status == 206, policy.storesParts, request.hasRange,
                request.method == .get || request.method == .query
            else { return nil }
            return PartialContent.part(in: fields)
        }

        /// The clauses about directives.
        var directiveRefusal: NoStoreReason? {
            if override != nil { return nil }
            // RFC 9111 §5.2.2.3: the code must be one we understand; then no-store is lifted
            if control.flags.contains(.mustUnderstand) {
                if !StatusRules.isUnderstood(status) { return .status }
            } else if control.flags.contains(.noStore) {
                // RFC 9111 §5.2.2.5
                return .noStore
            }
            // RFC 9111 §5.2.2.7: we are a shared cache
            return control.flags.contains(.private) ? .private : nil
        }

        // RFC 9111 §3.5: the key of a POST or QUERY holds the credentials, that of a GET does not
        var credentialRefusal: NoStoreReason? {
            guard request.method == .get, request.hasCredentials, !policy.ignoreCredentials else {
                return nil
            }
            return isShareable ? nil : .credentials
        }

        // RFC 9111 §3.5: must-revalidate, public, s-maxage
        private var isShareable: Bool {
            control.sMaxAge != nil
                || !control.flags.isDisjoint(with: [.public, .mustRevalidate])
        }

        /// Seconds, or nil when nobody gives a lifetime and none may be guessed.
        var lifetime: Int64? {
            if let override { return clamped(override) }
            if let explicit = freshness.explicitLifetime { return explicit }
            if isDeclared, status == 200, !control.flags.contains(.noCache) {
                return clamped(policy.defaultTTL)
            }
            if !isDeclared, allowsHeuristics, let guess = freshness.heuristicLifetime {
                return guess
            }
            // RFC 9111 §5.2.2.4: stored without a lifetime, to be validated
            let isCacheable = StatusRules.allowsHeuristics(
                status, isPublic: control.flags.contains(.public))
            return control.flags.contains(.noCache) && isCacheable ? 0 : nil
        }

        // RFC 9111 §4.2.2; a cookie makes the answer somebody's until the origin says otherwise
        private var allowsHeuristics: Bool {
            if request.method == .get, request.hasCookie, !policy.ignoreCredentials { return false }
            return StatusRules.allowsHeuristics(
                status, isPublic: control.flags.contains(.public))
        }

        /// Why there is no lifetime.
        var missingLifetime: NoStoreReason {
            StatusRules.allowsHeuristics(status, isPublic: control.flags.contains(.public))
                ? .noLifetime : .status
        }

        // RFC 9111 §3.1: what is left out of the store
        var keptFields: HTTPFields {
            let endToEnd = HopByHop.removed(from: fields)
            var left = Set(control.privateFields + control.noCacheFields)
            // RFC 9111 §3.4: they belong to the message, not to the representation
            if status == 206 { left.formUnion(["content-length", "content-range"]) }
            if left.isEmpty, policy.setCookie != .strip { return endToEnd }
            var kept = HTTPFields()
            for field in endToEnd {
                if left.contains(field.name.canonicalName) { continue }
                if field.name.isSetCookie, policy.setCookie == .strip { continue }
                kept.append(field)
            }
            return kept
        }

        /// Everything frozen into integers.
        func terms(lifetime: Int64, hasValidator: Bool) -> ReuseTerms {
            let bornAt = ReuseTerms.difference(responseTime, freshness.initialAge)
            // The operator's lifetime begins with the receipt, whatever Age the origin sent.
            let isOperators = override != nil || freshness.explicitLifetime == nil && isDeclared
            let freshUntil = ReuseTerms.sum(isOperators ? responseTime : bornAt, lifetime)
            var flags = flags(hasValidator: hasValidator)
            if isOperators { flags.insert(.isOperatorLifetime) }
            // RFC 9111 §4.2.4: what forbids stale answers forbids all of them
            let isStaleForbidden = !flags.isDisjoint(with: [.alwaysValidate, .mustRevalidate])
            let behind = isStaleForbidden ? 0 : control.staleWhileRevalidate ?? 0
            let onError = isStaleForbidden ? 0 : control.staleIfError ?? 0
            return ReuseTerms(
                dateValue: freshness.dateValue, bornAt: bornAt, freshUntil: freshUntil,
                staleWhileRevalidateUntil: ReuseTerms.sum(freshUntil, behind),
                staleIfErrorUntil: ReuseTerms.sum(freshUntil, onError), flags: flags)
        }

        private func flags(hasValidator: Bool) -> ReuseTerms.Flags {
            var flags: ReuseTerms.Flags = []
            if override == nil {
                // RFC 9111 §5.2.2.4
                if control.flags.contains(.noCache) { flags.insert(.alwaysValidate) }
                // RFC 9111 §5.2.2.2, §5.2.2.8, §5.2.2.10
                if control.sMaxAge != nil
                    || !control.flags.isDisjoint(with: [.mustRevalidate, .proxyRevalidate])
                {
                    flags.insert(.mustRevalidate)
                }
                if freshness.explicitLifetime == nil, !isDeclared { flags.insert(.heuristic) }
            }
            if hasValidator { flags.insert(.hasValidator) }
            // RFC 8246 §2
            if control.flags.contains(.immutable) { flags.insert(.immutable) }
            if control.staleIfError != nil { flags.insert(.hasStaleIfError) }
            if request.method == .post || request.method == .query {
                flags.insert(.isKeyedByContent)
                if !policy.ignoreCredentials, request.hasCredentials || request.hasCookie {
                    flags.insert(.isPersonal)
                }
            }
            return flags
        }

        /// Why storing would serve nobody: it could never be reused, not even by validation.
        func uselessness(of terms: ReuseTerms) -> NoStoreReason? {
            if terms.flags.contains(.hasValidator) { return nil }
            if terms.flags.contains(.alwaysValidate) { return .noCache }
            let lastUse = max(
                terms.freshUntil, terms.staleWhileRevalidateUntil, terms.staleIfErrorUntil)
            return lastUse > responseTime ? nil : .noLifetime
        }

        private func clamped(_ seconds: Int64) -> Int64 {
            min(max(0, seconds), FieldSyntax.deltaSecondsMax)
        }
    }
}
