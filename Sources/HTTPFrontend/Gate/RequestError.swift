package import HTTPTypes

/// Why a request is refused at the edge, with the one mapping to a status.
package enum RequestError: Error, Sendable, Equatable {
    /// Framing, syntax or fields that two HTTP parsers could read differently.
    case malformed(Reason)
    case headTimeout
    case bodyTimeout
    case contentTooLarge
    case targetTooLong
    case expectationFailed
    /// The authority is not one that is served here.
    case misdirected
    case headTooLarge
    case methodNotAllowed
    /// The token of this listener is missing or another.
    case forbidden
    /// A method the decoder does not know, or a transfer coding other than chunked.
    case notImplemented
    case versionNotSupported
    /// It has been here before, or at too many proxies.
    case loopDetected

    /// What exactly was wrong with a malformed request.
    package enum Reason: String, Sendable {
        case syntax = "the message is not valid HTTP/1"
        case transferEncoding = "Transfer-Encoding is not exactly one \"chunked\""
        case contentLength = "Content-Length is not a plain number"
        case host = "Host is missing, repeated or not an authority"
        case target = "the request target is not valid"
        case authorityMismatch = "the request target names another host than Host"
        case connection = "Connection names a field that must reach the origin"
        case upgradeWithContent = "an upgrade request has content"
        case repaired = "a field that is part of the key has bytes that are not UTF-8"
    }

    package var status: HTTPResponse.Status {
        switch self {
        case .malformed: .badRequest
        case .headTimeout, .bodyTimeout: .requestTimeout
        case .methodNotAllowed: .methodNotAllowed
        case .forbidden: .forbidden
        case .contentTooLarge: .contentTooLarge
        case .targetTooLong: .uriTooLong
        case .expectationFailed: .expectationFailed
        case .misdirected: .misdirectedRequest
        case .headTooLarge: .requestHeaderFieldsTooLarge
        case .notImplemented: .notImplemented
        case .versionNotSupported: .httpVersionNotSupported
        // RFC 5842 §7.2
        case .loopDetected: .init(code: 508, reasonPhrase: "Loop Detected")
        }
    }

    /// The text of the problem document's `detail`.
    package var detail: String {
        switch self {
        case .malformed(let reason): reason.rawValue
        case .headTimeout: "the request head did not arrive in time"
        case .bodyTimeout: "the request content did not arrive in time"
        case .methodNotAllowed: "the method is not served here"
        case .forbidden: "Larder-Token is missing or is not the token of this listener"
        case .contentTooLarge: "the content is too large"
        case .targetTooLong: "the request target is too long"
        case .expectationFailed: "the only expectation known is 100-continue"
        case .misdirected: "this host is not served here"
        case .headTooLarge: "the request head is too large"
        case .notImplemented: "the method or transfer coding is not known"
        case .versionNotSupported: "only HTTP/1.0 and HTTP/1.1 are spoken"
        case .loopDetected: "the request goes in circles"
        }
    }
}
