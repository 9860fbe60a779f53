/// What went wrong between here and the origin (RFC 9209 §2.3); the raw value is the token on the
/// wire.
package enum ProxyError: String, Sendable, CaseIterable {
    case dnsTimeout = "dns_timeout"
    case dnsError = "dns_error"
    case destinationNotFound = "destination_not_found"
    case destinationUnavailable = "destination_unavailable"
    case destinationIPProhibited = "destination_ip_prohibited"
    case destinationIPUnroutable = "destination_ip_unroutable"
    case connectionRefused = "connection_refused"
    case connectionTerminated = "connection_terminated"
    case connectionTimeout = "connection_timeout"
    case connectionReadTimeout = "connection_read_timeout"
    case connectionWriteTimeout = "connection_write_timeout"
    case connectionLimitReached = "connection_limit_reached"
    case tlsProtocolError = "tls_protocol_error"
    case tlsCertificateError = "tls_certificate_error"
    case tlsAlertReceived = "tls_alert_received"
    case httpRequestError = "http_request_error"
    case httpRequestDenied = "http_request_denied"
    case httpResponseIncomplete = "http_response_incomplete"
    case httpResponseHeaderSectionSize = "http_response_header_section_size"
    case httpResponseHeaderSize = "http_response_header_size"
    case httpResponseBodySize = "http_response_body_size"
    case httpResponseTrailerSectionSize = "http_response_trailer_section_size"
    case httpResponseTrailerSize = "http_response_trailer_size"
    case httpResponseTransferCoding = "http_response_transfer_coding"
    case httpResponseContentCoding = "http_response_content_coding"
    case httpResponseTimeout = "http_response_timeout"
    case httpUpgradeFailed = "http_upgrade_failed"
    case httpProtocolError = "http_protocol_error"
    case proxyInternalResponse = "proxy_internal_response"
    case proxyInternalError = "proxy_internal_error"
    case proxyConfigurationError = "proxy_configuration_error"
    case proxyLoopDetected = "proxy_loop_detected"

    /// The status of the answer made here in place of the origin's. RFC 9209 §2.3
    package var status: Int {
        switch self {
        case .dnsTimeout, .connectionTimeout, .connectionReadTimeout, .connectionWriteTimeout,
            .httpResponseTimeout:
            504
        case .destinationNotFound, .proxyInternalResponse, .proxyInternalError,
            .proxyConfigurationError:
            500
        case .destinationUnavailable, .connectionLimitReached: 503
        case .httpRequestError: 400
        case .httpRequestDenied: 403
        // RFC 5842 §7.2, where RFC 9209 recommends 502
        case .proxyLoopDetected: 508
        default: 502
        }
    }
}

/// Our member of the Proxy-Status field (RFC 9209 §2).
package struct ProxyStatus: Sendable, Equatable {
    /// Nil on an answer that came from the origin.
    package var error: ProxyError?
    /// The status the origin gave, where the client got another one.
    package var receivedStatus: Int?
    /// The name of who was asked; never an address the operator keeps to himself.
    package var nextHop: String?
    /// As in ALPN, `http/1.1`.
    package var nextProtocol: String?
    /// For people; no internal text.
    package var details: String?

    package init(
        error: ProxyError? = nil, receivedStatus: Int? = nil, nextHop: String? = nil,
        nextProtocol: String? = nil, details: String? = nil
    ) {
        self.error = error
        self.receivedStatus = receivedStatus
        self.nextHop = nextHop
        self.nextProtocol = nextProtocol
        self.details = details
    }

    /// The member as it goes on the wire; the field's earlier members stand before it.
    package func serialized() -> String {
        var text = "larder"
        // RFC 9209 §2.1.1
        if let error { text += "; error=" + error.rawValue }
        // RFC 9209 §2.1.2
        if let nextHop { text += "; next-hop=" + StructuredText.tokenOrString(nextHop) }
        // RFC 9209 §2.1.3
        if let nextProtocol {
            text += "; next-protocol=" + StructuredText.tokenOrString(nextProtocol)
        }
        // RFC 9209 §2.1.4
        if let receivedStatus { text += "; received-status=" + String(receivedStatus) }
        // RFC 9209 §2.1.5
        if let details { text += "; details=" + StructuredText.string(details) }
        return text
    }
}
