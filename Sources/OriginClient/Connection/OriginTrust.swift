import NIOCore
import NIOSSL

/// Why the certificates to trust could not be read; the text is for the operator.
package enum OriginTrustError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreadable(file: String)
    case empty(file: String)
    case tls(String)

    package var description: String {
        switch self {
        case .unreadable(let file): "\(file) cannot be read as PEM certificates"
        case .empty(let file): "\(file) holds no certificate"
        case .tls(let text): "TLS cannot be set up: \(text)"
        }
    }
}

/// How an https origin is verified.
enum OriginTrust {
    /// TLS 1.2 or newer, certificate and name verified, no ALPN: HTTP/1.1 is all we speak.
    static func context(
        _ configuration: OriginClientConfiguration
    ) throws(OriginTrustError) -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.certificateVerification = .fullVerification
        tls.applicationProtocols = []
        // A connection that is given up need not linger for an answer to its close_notify.
        tls.shutdownTimeout = .seconds(1)
        if let file = configuration.trustRootsFile {
            tls.trustRoots = .certificates(try certificates(in: file))
        }
        do {
            return try NIOSSLContext(configuration: tls)
        } catch {
            throw .tls("\(error)")
        }
    }

    private static func certificates(
        in file: String
    ) throws(OriginTrustError) -> [NIOSSLCertificate] {
        let certificates: [NIOSSLCertificate]
        do {
            certificates = try NIOSSLCertificate.fromPEMFile(file)
        } catch {
            throw .unreadable(file: file)
        }
        if certificates.isEmpty { throw .empty(file: file) }
        return certificates
    }
}
