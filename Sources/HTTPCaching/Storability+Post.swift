package import HTTPTypes

extension Storability {
    /// Whether and how the answer to a POST may be stored as what a GET of its URI would get
    /// (RFC 9110 §9.3.3, §8.7).
    ///
    /// The caller stores it under the GET key, after the invalidation that the POST causes: with
    /// the generation that follows it. `method` is refused where the answer makes no such claim.
    /// - Parameters:
    ///   - request: the POST, declared or not.
    ///   - status: the status code of the final answer.
    ///   - fields: all fields as received.
    ///   - policy: the route's for a GET of the same target.
    ///   - scheme: as the client sees it, lower-cased.
    ///   - authority: as the client sees it, in normal form.
    ///   - target: the request's target, origin-form.
    ///   - requestTime: when the request went out.
    ///   - responseTime: when the head of the answer came in.
    ///   - isCloseDelimited: only the end of the connection ends the content.
    package static func decideForGet(
        post request: RequestFacts, status: Int, fields: HTTPFields, policy: StoragePolicy,
        scheme: String, authority: String, target: String, requestTime: EpochSeconds,
        responseTime: EpochSeconds, isCloseDelimited: Bool = false
    ) -> Result<StoragePlan, NoStoreReason> {
        // RFC 10008 §2: the answer to a QUERY says nothing about what a GET would get
        guard request.method == .post else { return .failure(.method) }
        // RFC 9110 §8.7: Content-Location has this meaning in a 2xx; a GET would have got a 200
        guard status == 200 else { return .failure(.status) }
        // RFC 9110 §9.3.3: the same value as the POST's target URI
        guard
            names(
                target: target, scheme: scheme, authority: authority,
                in: fields[values: .contentLocation])
        else { return .failure(.method) }
        // RFC 9110 §9.3.3: explicit freshness
        guard hasExplicitFreshness(fields) else { return .failure(.noLifetime) }
        var get = request
        get.method = .get
        get.hasContent = false
        get.hasRange = false
        var policy = policy
        policy.isDeclared = false
        return decide(
            request: get, status: status, fields: fields, policy: policy, requestTime: requestTime,
            responseTime: responseTime, isCloseDelimited: isCloseDelimited)
    }

    private static func names(
        target: String, scheme: String, authority: String, in lines: [String]
    ) -> Bool {
        // RFC 9110 §8.7: absolute-URI / partial-URI, neither of which is empty or has a fragment
        guard let reference = FieldSyntax.singleton(lines), !reference.isEmpty,
            !reference.utf8.contains(0x23)
        else { return false }
        let base = TargetReference.Base(scheme: scheme, authority: authority, target: target)
        return TargetReference.targets(of: reference, base: base).contains {
            $0.utf8.elementsEqual(target.utf8)
        }
    }
}
