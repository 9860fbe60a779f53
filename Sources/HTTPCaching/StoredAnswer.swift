package import HTTPTypes

/// What a request gets from a stored response that may be reused for it: its preconditions and its
/// range, in the order of RFC 9110 §13.2.2 as far as it is a cache's (RFC 9111 §4.3.2).
package enum StoredAnswer: Sendable, Equatable {
    /// The stored response as it is; its head for HEAD.
    case full
    /// 304 with `Conditional.notModifiedFields`.
    case notModified
    /// 206 with `PartialContent.fields` and Content-Range.
    case part(ByteRange)
    /// 206 as multipart/byteranges.
    case parts([ByteRange])
    /// 416 with `Content-Range: bytes */` and this length.
    case rangeNotSatisfiable(completeLength: Int64)
    /// Ask the origin, with the request's conditions and range as they are: `.request` for
    /// conditions a cache does not evaluate, `.partial` for what the stored part does not have.
    case forward(ForwardReason)

    /// Evaluates one request; allocates nothing for one without conditions and range.
    ///
    /// - Parameters:
    ///   - method: the request's: GET, HEAD, QUERY or a declared POST.
    ///   - conditions: of the request.
    ///   - status: the stored response's.
    ///   - stored: the stored response's fields.
    ///   - storedDate: its `ReuseTerms.dateValue`.
    ///   - extent: what of the representation is stored.
    @inlinable package static func evaluate(
        method: MethodKind, conditions: RequestConditions, status: Int, stored: HTTPFields,
        storedDate: EpochSeconds, extent: StoredExtent
    ) -> StoredAnswer {
        // The path of nearly all hits.
        if conditions.isEmpty, case .whole = extent { return .full }
        return fullEvaluation(
            method: method, conditions: conditions, status: status, stored: stored,
            storedDate: storedDate, extent: extent)
    }

    @usableFromInline package static func fullEvaluation(
        method: MethodKind, conditions: RequestConditions, status: Int, stored: HTTPFields,
        storedDate: EpochSeconds, extent: StoredExtent
    ) -> StoredAnswer {
        switch method {
        case .get, .head, .query: break
        // A declared POST is answered whole, whatever it says.
        case .post, .otherSafe, .unsafe:
            if case .whole = extent { return .full }
            return .forward(.partial)
        }
        // RFC 9110 §13.2.2 steps 1, 2: RFC 9111 §4.3.2 leaves them to the origin
        if conditions.isForOrigin { return .forward(.request) }
        let selection = selection(
            method: method, conditions: conditions, status: status, stored: stored, extent: extent)
        if selection == .notHeld { return .forward(.partial) }
        // RFC 9110 §13.2.1: only where the answer would be a success
        if status >= 200, status <= 299 {
            // RFC 9110 §13.2.2 steps 3, 4
            let outcome = Conditional.evaluate(
                ifNoneMatch: conditions.ifNoneMatch, ifModifiedSince: conditions.ifModifiedSince,
                stored: stored, storedDate: storedDate)
            if outcome == .notModified { return .notModified }
        }
        switch selection {
        case .whole: return .full
        case .part(let range): return .part(range)
        case .parts(let ranges): return .parts(ranges)
        case .unsatisfiable(let length): return .rangeNotSatisfiable(completeLength: length)
        case .notHeld: return .forward(.partial)
        }
    }

    // RFC 9110 §13.2.2 steps 5, 6
    private static func selection(
        method: MethodKind, conditions: RequestConditions, status: Int, stored: HTTPFields,
        extent: StoredExtent
    ) -> RangeSelection {
        // RFC 9110 §14.2: for GET; RFC 10008 §2: and for QUERY; §13.1.5: without If-Range's
        // consent the range counts for nothing
        let isRanging =
            method != .head && (status == 200 || status == 206)
            && IfRange.holds(conditions.ifRange, stored: stored)
        return RangeSelection.select(
            isRanging ? RangeSpec.parse(conditions.range) : nil, from: extent)
    }
}
