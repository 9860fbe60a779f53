/// The fields that make a request conditional or ask for a part of the answer (RFC 9110 §13, §14):
/// all lines of each, in order.
package struct RequestConditions: Sendable, Equatable {
    package var ifMatch: [String] = []
    package var ifNoneMatch: [String] = []
    package var ifModifiedSince: [String] = []
    package var ifUnmodifiedSince: [String] = []
    package var ifRange: [String] = []
    package var range: [String] = []

    /// A request without any.
    package static let none = RequestConditions()

    package init() {}

    /// RFC 9111 §4.3.2: the conditions that are not for a cache.
    @inlinable package var isForOrigin: Bool { !(ifMatch.isEmpty && ifUnmodifiedSince.isEmpty) }

    /// If-Range alone means nothing. RFC 9110 §13.1.5
    @inlinable package var isEmpty: Bool {
        ifNoneMatch.isEmpty && range.isEmpty && ifModifiedSince.isEmpty && !isForOrigin
    }
}
