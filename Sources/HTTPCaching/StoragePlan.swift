package import HTTPTypes

/// How an answer is stored.
package struct StoragePlan: Sendable, Equatable {
    package var terms: ReuseTerms
    /// The fields to keep, lines and order as received: none that end at a hop, none that the
    /// answer itself keeps from stores, Set-Cookie as the route says.
    package var fields: HTTPFields
    /// Lower-cased, sorted, unique names; empty without Vary.
    package var vary: [String]

    package init(terms: ReuseTerms, fields: HTTPFields, vary: [String]) {
        self.terms = terms
        self.fields = fields
        self.vary = vary
    }
}
