import HTTPCaching
import HTTPTypes

/// Puts a response at `epoch`; one that says nothing of its lifetime has none.
func put(
    _ lines: KeyValuePairs<String, String>, status: Int = 200, hasAuthorization: Bool = false,
    overrides: PutOverrides = .none, policy: PutPolicy = .explicit
) -> Result<PutPlan, NoStoreReason> {
    PutRules.decide(
        status: status, fields: makeFields(lines), hasAuthorization: hasAuthorization,
        overrides: overrides, policy: policy, now: epoch)
}

/// The HTTP date so many seconds after `epoch`, within its hour.
func date(_ seconds: Int64) -> String {
    let minutes = 49 * 60 + 37 + seconds
    func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
    return "Sun, 06 Nov 1994 08:\(two(minutes / 60)):\(two(minutes % 60)) GMT"
}

extension PutPolicy {
    /// Lifetimes from the fields, guessed from Last-Modified at most.
    static let explicit = PutPolicy(.fromFields(.none))
    /// Cloudflare's table for what says nothing.
    static let zone = PutPolicy(.fromFields(.cloudflare))
    /// No lifetimes.
    static let unlimited = PutPolicy(.unlimited)

    init(_ lifetimes: Lifetimes, storesServerErrors: Bool = false, honoursVary: Bool = false) {
        self.init()
        self.lifetimes = lifetimes
        self.storesServerErrors = storesServerErrors
        self.honoursVary = honoursVary
    }
}

extension PutOverrides {
    init(
        ttl: Int64? = nil, byStatus: [(codes: ClosedRange<Int>, seconds: Int64)] = [],
        everything: Bool = false, tags: [String] = []
    ) {
        self.init()
        self.ttl = ttl
        ttlByStatus = byStatus.map { StatusTTL(codes: $0.codes, seconds: $0.seconds) }
        storesEverything = everything
        self.tags = tags
    }
}

/// Seconds of freshness, or why a put stores nothing.
typealias PutVerdict = Result<Int64, NoStoreReason>

extension Result where Success == PutPlan, Failure == NoStoreReason {
    /// Seconds of freshness at `epoch`, or why not.
    var verdict: PutVerdict { map { $0.terms.ttl(at: epoch) } }

    /// Why not; nil when stored.
    var refusal: NoStoreReason? {
        if case .failure(let reason) = self { return reason }
        return nil
    }

    /// `name: value` for each field that is kept; nil when not stored.
    var kept: [String]? { (try? get()).map { linesOf($0.fields) } }
}

/// The conditions and the range of a request, line by line.
func makeConditions(_ lines: KeyValuePairs<String, String>) -> RequestConditions {
    var conditions = RequestConditions()
    for (name, value) in lines {
        switch name {
        case "If-Match": conditions.ifMatch.append(value)
        case "If-None-Match": conditions.ifNoneMatch.append(value)
        case "If-Modified-Since": conditions.ifModifiedSince.append(value)
        case "If-Unmodified-Since": conditions.ifUnmodifiedSince.append(value)
        case "If-Range": conditions.ifRange.append(value)
        case "Range": conditions.range.append(value)
        default: break
        }
    }
    return conditions
}

/// What a match at a response of ten bytes, put at `epoch`, gets: `200`, `304`, `206 2-4`,
/// `416 */10`.
func answer(
    _ lines: KeyValuePairs<String, String>,
    stored: KeyValuePairs<String, String> = ["ETag": "\"a\""], status: Int = 200,
    length: Int64 = 10
) -> String {
    let answer = MatchAnswer.evaluate(
        conditions: makeConditions(lines), status: status, stored: makeFields(stored),
        storedAt: epoch, length: length)
    func text(_ range: ByteRange) -> String { "\(range.first)-\(range.last)" }
    return switch answer {
    case .full: "200"
    case .notModified: "304"
    case .part(let range): "206 " + text(range)
    case .parts(let ranges): "206 " + ranges.map { text($0) }.joined(separator: ",")
    case .rangeNotSatisfiable(let length): "416 */\(length)"
    case .forward: "forwarded"
    }
}
