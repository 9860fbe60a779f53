import HTTPCaching
import NIOHTTP1

/// A request head that passed the gate: framing is unambiguous, authority and target are in the
/// one form that is keyed and forwarded.
struct GatedHead {
    /// The content's length as announced; `nil` for chunked.
    enum Content: Equatable {
        case none
        case length(Int64)
        case chunked
    }

    var method: HTTPMethod
    var kind: MethodKind
    /// Origin-form, byte for byte as received.
    var target: String
    /// Normal form.
    var authority: String
    var headers: HTTPHeaders
    var content = Content.none
    var isHTTP10 = false
    var keepsAlive = true
    var expectsContinue = false
    /// NIO's decoder parses nothing behind this head and keeps what comes: read no further.
    var stopsDecoder = false
    /// RFC 9110 §10.1.4.
    var acceptsTrailers = false
    var directives = RequestCacheControl.none
    var hasCredentials = false
    var hasCookie = false
    var conditions = RequestConditions.none

    /// If-Range alone means nothing (RFC 9110 §13.1.5).
    var hasRange: Bool { !conditions.range.isEmpty }

    var hasContent: Bool {
        switch content {
        case .none, .length(0): false
        case .length, .chunked: true
        }
    }

    var facts: RequestFacts {
        RequestFacts(
            method: kind, cacheControl: directives, hasCredentials: hasCredentials,
            hasCookie: hasCookie, hasRange: hasRange, hasContent: hasContent)
    }
}
