internal import HTTPTypes

/// How long an answer is fresh and how old it is on receipt (RFC 9111 §4.2).
struct Freshness {
    /// Cache-Control, or what replaces it.
    let control: ResponseCacheControl
    private let expires: [String]
    private let ageLines: [String]
    private let lastModified: [String]
    /// Date as the origin said it, if it did.
    private let date: EpochSeconds?
    private let requestTime: EpochSeconds
    private let responseTime: EpochSeconds

    /// The longest guessed lifetime in seconds.
    static let heuristicMax: Int64 = 86_400

    init(fields: HTTPFields, requestTime: EpochSeconds, responseTime: EpochSeconds) {
        // RFC 9213 §2.2: a valid targeted field replaces Cache-Control and Expires
        if let targeted = TargetedCacheControl.directives(in: fields) {
            self.control = targeted
            self.expires = []
        } else {
            self.control = ResponseCacheControl(lines: fields[values: .cacheControl])
            self.expires = fields[values: .expires]
        }
        self.ageLines = fields[values: .age]
        self.lastModified = fields[values: .lastModified]
        self.date = FieldSyntax.singleton(fields[values: .date])
            .flatMap { HTTPDate.parse($0, now: responseTime) }
        self.requestTime = requestTime
        self.responseTime = responseTime
    }

    /// RFC 9111 §4.2.1: said, even if what was said means stale.
    var isExplicit: Bool {
        control.sMaxAge != nil || control.maxAge != nil || !expires.isEmpty
    }

    /// Seconds; nil when the origin gives none. RFC 9111 §4.2.1
    var explicitLifetime: Int64? {
        if let sMaxAge = control.sMaxAge { return sMaxAge }
        if let maxAge = control.maxAge { return maxAge }
        if expires.isEmpty { return nil }
        // RFC 9111 §5.3: an invalid date, "0" above all, is in the past
        guard let value = FieldSyntax.singleton(expires),
            let moment = HTTPDate.parse(value, now: responseTime)
        else { return 0 }
        let lifetime = ReuseTerms.difference(moment, date ?? responseTime)
        return min(max(0, lifetime), FieldSyntax.deltaSecondsMax)
    }

    /// Seconds, a tenth of the time since the last change; nil without one. RFC 9111 §4.2.2
    var heuristicLifetime: Int64? {
        guard let value = FieldSyntax.singleton(lastModified),
            let changed = HTTPDate.parse(value, now: responseTime)
        else { return nil }
        let tenth = ReuseTerms.difference(dateValue, changed) / 10
        return tenth > 0 ? min(tenth, Self.heuristicMax) : nil
    }

    /// Date, but no later than the receipt: a clock that runs ahead wins no comparison.
    var dateValue: EpochSeconds { min(date ?? responseTime, responseTime) }

    /// The corrected_initial_age in seconds. RFC 9111 §4.2.3
    var initialAge: Int64 {
        let apparentAge = max(0, ReuseTerms.difference(responseTime, date ?? responseTime))
        let responseDelay = max(0, ReuseTerms.difference(responseTime, requestTime))
        return max(apparentAge, ReuseTerms.sum(ageValue, responseDelay))
    }

    // RFC 9111 §5.1: the first member counts; if it is no number, the field does not
    private var ageValue: Int64 {
        guard let line = ageLines.first else { return 0 }
        let first = Array(line.utf8).prefix { $0 != 0x2C }
        return FieldSyntax.deltaSeconds(FieldSyntax.trimmed(first)) ?? 0
    }
}
