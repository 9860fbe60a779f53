import NIOHTTP1

extension RequestError {
    /// What NIO's decoder refuses, by its meaning.
    init(_ error: HTTPParserError) {
        switch error {
        case .invalidVersion: self = .versionNotSupported
        case .invalidMethod: self = .notImplemented
        case .headerOverflow: self = .headTooLarge
        default: self = .malformed(.syntax)
        }
    }
}
