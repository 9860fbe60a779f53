import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// An error answer made here: problem details (RFC 9457) without internal text, never stored.
struct ProblemDocument {
    var status: HTTPResponse.Status
    var detail: String
    /// For failures of the origin, and for circles.
    var proxyError: ProxyError?
    /// Of a listener that can say it (RFC 9110 §10.2.1).
    var allow: String?

    init(_ error: RequestError) {
        status = error.status
        detail = error.detail
        if error == .loopDetected { proxyError = .proxyLoopDetected }
    }

    init(_ failure: AnswerFailure) {
        switch failure {
        case .onlyIfCached:
            self.init(.gatewayTimeout, "only-if-cached, and nothing usable is stored")
        case .noOrigin: self.init(.destinationUnavailable)
        case .origin(let error): self.init(error.proxyError)
        case .unreadable, .tooSlow, .abandoned:
            self.init(.internalServerError, "the stored answer could not be read")
        }
    }

    private init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// RFC 9209 §2.3.
    private init(_ error: ProxyError) {
        switch error.status {
        case 504: self.init(.gatewayTimeout, "the origin did not answer in time")
        case 503: self.init(.serviceUnavailable, "the origin is not available at the moment")
        case 502:
            self.init(.badGateway, "the origin could not be reached or gave no valid answer")
        default: self.init(.internalServerError, "the request could not be passed on")
        }
        proxyError = error
    }

    /// The whole answer as HTTP/1.1 bytes.
    func rendered(keepsAlive: Bool, isHTTP10: Bool, isHead: Bool) -> ByteBuffer {
        // Both texts are ours and hold nothing that JSON must escape but quotes.
        let text = detail.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\\\"")
        let body =
            "{\"status\":\(status.code),\"title\":\"\(status.reasonPhrase)\",\"detail\":\"\(text)\"}\n"
        var buffer = ByteBufferAllocator().buffer(capacity: 384)
        buffer.writeStatusLine(status)
        buffer.writeField("Content-Type", "application/problem+json")
        buffer.writeField("Cache-Control", "no-store")
        if status == .methodNotAllowed, let allow { buffer.writeField("Allow", allow) }
        if let proxyError {
            buffer.writeField("Proxy-Status", ProxyStatus(error: proxyError).serialized())
        }
        buffer.writeField("Content-Length", String(body.utf8.count))
        buffer.writeConnection(keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        buffer.writeStaticString("\r\n")
        if !isHead { buffer.writeString(body) }
        return buffer
    }
}

extension OriginError {
    fileprivate var proxyError: ProxyError {
        switch self {
        case .connectFailed(.name, _): .dnsError
        case .connectFailed(.refused, _): .connectionRefused
        case .connectFailed(.tls, _): .tlsProtocolError
        case .connectFailed(.certificate, _): .tlsCertificateError
        case .connectFailed(.limit, _): .connectionLimitReached
        case .connectFailed(.other, _), .shuttingDown: .destinationUnavailable
        case .connectTimeout: .connectionTimeout
        case .closed, .connectFailed(.closed, _): .connectionTerminated
        case .firstByteTimeout: .httpResponseTimeout
        case .betweenBytesTimeout: .connectionReadTimeout
        case .malformed: .httpProtocolError
        case .contentUnreadable: .proxyInternalError
        }
    }
}
