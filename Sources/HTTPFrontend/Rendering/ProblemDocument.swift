import CacheEngine
import HTTPTypes
import NIOCore

/// An error answer made here: problem details (RFC 9457) without internal text, never stored.
struct ProblemDocument {
    var status: HTTPResponse.Status
    var detail: String
    /// The error type of Proxy-Status (RFC 9209 §2.3), for failures of the origin.
    var proxyError: String?

    init(_ error: RequestError) {
        status = error.status
        detail = error.detail
    }

    init(_ failure: AnswerFailure) {
        switch failure {
        case .onlyIfCached:
            status = .gatewayTimeout
            detail = "only-if-cached, and nothing usable is stored"
        case .noOrigin:
            status = .badGateway
            detail = "there is no origin to ask"
            proxyError = "destination_unavailable"
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

    private static func proxyError(_ error: OriginError) -> String {
        switch error {
        case .connectFailed: "destination_unavailable"
        case .closed: "connection_terminated"
        case .malformed: "http_protocol_error"
        case .shuttingDown, .contentUnreadable: "proxy_internal_error"
        case .connectTimeout: "connection_timeout"
        case .firstByteTimeout: "http_response_timeout"
        case .betweenBytesTimeout: "connection_read_timeout"
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
        if let proxyError { buffer.writeField("Proxy-Status", "larder; error=\(proxyError)") }
        buffer.writeField("Content-Length", String(body.utf8.count))
        buffer.writeConnection(keepsAlive: keepsAlive, isHTTP10: isHTTP10)
        buffer.writeStaticString("\r\n")
        if !isHead { buffer.writeString(body) }
        return buffer
    }
}
