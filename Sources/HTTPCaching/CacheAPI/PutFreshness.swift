internal import HTTPTypes

/// What the fields of a response that is put say about its lifetime, in the order in which edge
/// caches listen to them.
struct PutFreshness {
    let control: ResponseCacheControl
    private let expires: [String]
    private let fields: HTTPFields
    private let now: EpochSeconds

    // RFC 9213 §2.2: our own field first
    private static let targets = [
        "Larder-Cache-Control", "Cloudflare-CDN-Cache-Control", "CDN-Cache-Control",
    ].compactMap { HTTPField.Name($0) }
    private static let surrogateControl = HTTPField.Name("Surrogate-Control")
    private static let pragma = HTTPField.Name("Pragma")

    init(fields: HTTPFields, now: EpochSeconds) {
        self.fields = fields
        self.now = now
        if let targeted = TargetedCacheControl.directives(
            in: fields, targets: Self.targets, ignoresCase: true)
        {
            control = targeted
            expires = []
            return
        }
        expires = fields[values: .expires]
        if let name = Self.surrogateControl, fields.contains(name) {
            // Takes the place of Cache-Control, whatever is in it.
            control = ResponseCacheControl(lines: fields[values: name])
            return
        }
        var control = ResponseCacheControl(lines: fields[values: .cacheControl])
        if let name = Self.pragma, !fields.contains(.cacheControl), fields.contains(name),
            RequestCacheControl(cacheControl: [], pragma: fields[values: name]).flags
                .contains(.noCache)
        {
            control.flags.insert(.noCache)
        }
        self.control = control
    }

    /// Seconds from the birth of the response; nil when nothing is said.
    var explicitLifetime: Int64? {
        if let sMaxAge = control.sMaxAge { return sMaxAge }
        if let maxAge = control.maxAge { return maxAge }
        if expires.isEmpty { return nil }
        // RFC 9111 §5.3: an invalid date, "0" above all, is in the past
        guard let value = FieldSyntax.singleton(expires),
            let moment = HTTPDate.parse(value, now: now)
        else { return 0 }
        let lifetime = ReuseTerms.difference(moment, date ?? now)
        return min(max(0, lifetime), FieldSyntax.deltaSecondsMax)
    }

    // RFC 9111 §4.2.2
    /// Seconds, a tenth of the time since the last change; nil without one.
    var heuristicLifetime: Int64? {
        Freshness(fields: fields, requestTime: now, responseTime: now).heuristicLifetime
    }

    /// Seconds that the response has been in caches before.
    ///
    /// Age alone: a Date in the past says when a program fetched it, not how old it was then.
    var age: Int64 {
        guard let line = fields[values: .age].first else { return 0 }
        let first = Array(line.utf8).prefix { $0 != 0x2C }
        return FieldSyntax.deltaSeconds(FieldSyntax.trimmed(first)) ?? 0
    }

    private var date: EpochSeconds? {
        FieldSyntax.singleton(fields[values: .date]).flatMap { HTTPDate.parse($0, now: now) }
    }
}
