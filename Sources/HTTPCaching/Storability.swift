package import HTTPTypes

/// Whether and how an answer may be stored (RFC 9111 §3).
package enum Storability {
    /// Decides for one answer; every refusal has its reason.
    ///
    /// - Parameters:
    ///   - request: the request that was answered.
    ///   - status: the status code of the final answer.
    ///   - fields: all fields as received.
    ///   - policy: the route's.
    ///   - requestTime: when the request went out.
    ///   - responseTime: when the head of the answer came in.
    ///   - isCloseDelimited: only the end of the connection ends the content.
    package static func decide(
        request: RequestFacts, status: Int, fields: HTTPFields, policy: StoragePolicy,
        requestTime: EpochSeconds, responseTime: EpochSeconds, isCloseDelimited: Bool = false
    ) -> Result<StoragePlan, NoStoreReason> {
        let freshness = Freshness(
            fields: fields, requestTime: requestTime, responseTime: responseTime)
        let answer = Answer(
            request: request, status: status, fields: fields, policy: policy, freshness: freshness,
            responseTime: responseTime)
        let refusal =
            answer.requestRefusal ?? answer.statusRefusal ?? answer.directiveRefusal
            ?? answer.credentialRefusal
        if let refusal { return .failure(refusal) }
        // RFC 9112 §8: such an end is no proof of completeness
        if isCloseDelimited, !freshness.isExplicit { return .failure(.closeDelimited) }
        let kept = answer.keptFields
        guard kept.allSatisfy({ !$0.name.isSetCookie || policy.setCookie == .store }) else {
            return .failure(.setCookie)
        }
        let vary: [String]
        switch Vary.names(in: fields) {
        case .success(let names): vary = names
        case .failure(let reason): return .failure(reason)
        }
        guard let lifetime = answer.lifetime else { return .failure(answer.missingLifetime) }
        let mayValidate = request.method != .post || policy.validatesPost
        let hasValidator = mayValidate && !Validation.validators(of: kept).isEmpty
        let terms = answer.terms(lifetime: lifetime, hasValidator: hasValidator)
        if let refusal = answer.uselessness(of: terms) { return .failure(refusal) }
        // RFC 9110 §15.3.7.3: the whole in one part is the whole
        let part = answer.part.flatMap { $0.isWhole ? nil : $0 }
        return .success(
            StoragePlan(
                terms: terms, status: status == 206 && part == nil ? 200 : status, fields: kept,
                vary: vary, part: part, groups: CacheGroups.groups(in: fields)))
    }

    /// Whether the origin itself gave a lifetime: `s-maxage`, `max-age`, Expires, or a targeted
    /// field with one of the first two.
    package static func hasExplicitFreshness(_ fields: HTTPFields) -> Bool {
        Freshness(fields: fields, requestTime: 0, responseTime: 0).isExplicit
    }
}

extension HTTPField.Name {
    /// Set-Cookie, and the form of it that RFC 2965 had.
    var isSetCookie: Bool { canonicalName == "set-cookie" || canonicalName == "set-cookie2" }
}
