import CacheEngine
import NIOCore
import NIOHTTP1
import NIOPosix

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
        case let error as NIOConnectionError: self = .connectFailed(Self.text(of: error))
        default: self = .connectFailed("\(error)")
        }
    }

    private static func text(of error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first { return "\(first.error)" }
        if let cause = error.dnsAError ?? error.dnsAAAAError { return "\(error.host): \(cause)" }
        return "\(error)"
    }
}
