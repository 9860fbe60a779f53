/// What becomes of an informational answer of the origin (RFC 9110 §15.2).
package enum Informational: Sendable, Equatable {
    /// Sent on at once, without fields that end at the hop; never stored.
    case forward
    /// Kept from the client.
    case consume
    /// Not an answer to what was asked: the origin is to be cut off, 502.
    case refuse

    /// More than this before one final answer is an attack.
    package static let countMax = 10

    /// Decides about one.
    ///
    /// - Parameters:
    ///   - count: how many of this exchange came up to and with this one.
    ///   - isClientHTTP10: the client speaks HTTP/1.0, which has none.
    package static func handling(
        status: Int, count: Int, isClientHTTP10: Bool
    ) -> Informational {
        guard status >= 100, status <= 199, count <= countMax else { return .refuse }
        switch status {
        // RFC 9110 §10.1.1: expectations are met by each side for itself
        case 100: return .consume
        // RFC 9110 §15.2.2: nobody asked for another protocol
        case 101: return .refuse
        // RFC 9110 §15.2: a proxy must forward them, those it does not know, too
        default: return isClientHTTP10 ? .consume : .forward
        }
    }
}
