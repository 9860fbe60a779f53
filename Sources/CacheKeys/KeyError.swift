/// What can go wrong while the means of hashing are set up.
///
/// None of these depends on a request: libcrypto lacks an algorithm, memory or entropy.
package enum KeyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// libcrypto offers no SHA-256, or could not make a context for it.
    case digestUnavailable
    /// libcrypto offers no HMAC-SHA-256, or could not make a context for it.
    case macUnavailable
    /// The system's random generator failed.
    case randomUnavailable

    /// One line for a log or for standard error.
    package var description: String {
        switch self {
        case .digestUnavailable: "libcrypto cannot compute SHA-256"
        case .macUnavailable: "libcrypto cannot compute HMAC-SHA-256"
        case .randomUnavailable: "libcrypto cannot produce random bytes"
        }
    }
}
