import CacheEngine
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension OriginError {
    /// What an error caught on an open connection means.
    init(onConnection error: any Error) {
        switch error {
        case let error as OriginError: self = error
        case HTTPParserError.invalidEOFState: self = .closed
        case let error as HTTPParserError: self = .malformed("\(error)")
        case let error as NIOHTTPDecoderError: self = .malformed("\(error)")
        // Reset, broken pipe, and with TLS an end without close_notify.
        default: self = .closed
        }
    }

    /// What an error before the connection was usable means.
    init(onOpening error: any Error) {
        switch error {
        case let error as OriginError: self = error
        case ChannelError.connectTimeout: self = .connectTimeout
        case let error as NIOConnectionError: self.init(error)
        default: self = .connectFailed(ConnectFailure(error), "\(error)")
        }
    }

    /// Of all addresses of a name, the first one's failure counts.
    private init(_ error: NIOConnectionError) {
        if let first = error.connectionErrors.first {
            self.init(onOpening: first.error)
        } else if let cause = error.dnsAError ?? error.dnsAAAAError {
            self = .connectFailed(.name, "\(error.host): \(cause)")
        } else {
            self = .connectFailed(.other, "\(error)")
        }
    }
}

extension ConnectFailure {
    fileprivate init(_ error: any Error) {
        switch error {
        case let error as IOError:
            switch error.errnoCode {
            case ECONNREFUSED: self = .refused
            case ECONNRESET, EPIPE: self = .closed
            default: self = .other
            }
        case let error as NIOSSLError:
            // BoringSSL says it in words only.
            self = "\(error)".contains("CERTIFICATE_VERIFY_FAILED") ? .certificate : .tls
        case let error as NIOSSLExtraError:
            self = error == .failedToValidateHostname ? .certificate : .tls
        case is BoringSSLError: self = .tls
        default: self = .other
        }
    }
}
