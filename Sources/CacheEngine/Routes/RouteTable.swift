package import CacheKeys
package import HTTPCaching

/// What the operator says about a set of URLs: what may be stored and what is in the key.
package struct Route: Sendable {
    /// `true` for POST and QUERY to a path that was declared cacheable: its content is in the key.
    package var storage: StoragePolicy
    package var recipe: KeyRecipe

    package init(storage: StoragePolicy, recipe: KeyRecipe = .raw) {
        self.storage = storage
        self.recipe = recipe
    }
}

/// The operator's routes, immutable; an exchange uses one snapshot from head to end.
package struct RouteTable: Sendable {
    private let declared: [PathGlob]
    private let declaredRoute: Route
    private let otherRoute: Route

    /// - Parameters:
    ///   - declared: paths whose POST (and QUERY) answers are cacheable by the operator's word.
    ///   - policy: storage settings; `isDeclared` is set by the table.
    package init(declared: [PathGlob], policy: StoragePolicy) {
        self.declared = declared
        var policy = policy
        policy.isDeclared = true
        declaredRoute = Route(storage: policy)
        policy.isDeclared = false
        policy.ttlOverride = nil
        otherRoute = Route(storage: policy)
    }

    /// The route of a request.
    ///
    /// Only POST and QUERY can be declared; `target` is matched byte for byte up to its query.
    package func route(for method: MethodKind, target: String) -> Route {
        guard method == .post || method == .query, !declared.isEmpty else { return otherRoute }
        return declared.contains { $0.matches(path: target) } ? declaredRoute : otherRoute
    }
}
