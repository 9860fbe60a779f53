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

    init(_ error: RequestError) {
        status = error.status
        detail = error.detail
        if error == .loopDetected { proxyError = .proxyLoopDetected }
    }

    init(_ failure: AnswerFailure) {
        switch failure {
        case .onlyIfCached:
            status = .gatewayTimeout
            detail = "only-if-cached, and nothing usable is stored"
        case .noOrigin:
            status = .badGateway
            detail = "there is no origin to ask"
            proxyError = .destinationUnavailable
        case .origin(.connectTimeout), .origin(.firstByteTimeout), .origin(.betweenBytesTimeout):
            status = .gatewayTimeout
            detail = "the origin did not answer in time"
        case .origin:
            status = .badGateway
            detail = "the origin could not be reached or gave no valid answer"
        case .unreadable, .tooSlow, .abandoned:
            status = .internalServerError
            detail = "the stored answer could not be read"
        }
        if case .origin(let error) = failure { proxyError = Self.proxyError(error) }
    }

    private static func proxyError(_ error: OriginError) -> ProxyError {
        switch error {
        case .connectFailed: .destinationUnavailable
        case .closed: .connectionTerminated
        case .malformed: .httpProtocolError
        case .shuttingDown, .contentUnreadable: .proxyInternalError
        case .connectTimeout: .connectionTimeout
        case .firstByteTimeout: .httpResponseTimeout
        case .betweenBytesTimeout: .connectionReadTimeout
        }
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
