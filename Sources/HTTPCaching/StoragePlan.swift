package import HTTPTypes

/// How an answer is stored.
package struct StoragePlan: Sendable, Equatable {
    package var terms: ReuseTerms
    /// The status to store: that of the answer, or 200 for a 206 that brings the whole.
    package var status: Int
    /// The fields to keep, lines and order as received.
    ///
    /// None that end at a hop, none that the answer itself keeps from stores, Set-Cookie as the
    /// route says; those of a 206 are without Content-Range and Content-Length.
    package var fields: HTTPFields
    /// Lower-cased, sorted, unique names; empty without Vary.
    package var vary: [String]
    /// Which bytes of the representation the content is; nil for all of them.
    ///
    /// The content must have exactly its length.
    package var part: RepresentationPart?
    /// The names of the groups it is invalidated with; RFC 9875.
    package var groups: [String]

    package init(
        terms: ReuseTerms, status: Int, fields: HTTPFields, vary: [String],
        part: RepresentationPart? = nil, groups: [String] = []
    ) {
        self.terms = terms
        self.status = status
        self.fields = fields
        self.vary = vary
        self.part = part
        self.groups = groups
    }
}
