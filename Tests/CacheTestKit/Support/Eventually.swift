/// A condition did not come true, or an operation did not end, within its deadline.
package struct DeadlineError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Asks again and again until `condition` is true.
///
/// - Throws: `DeadlineError` when it is still false after `limit`, and what `condition` throws.
package func eventually(
    _ what: String, within limit: Duration = .seconds(300), _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while true {
        if try await condition() { return }
        guard clock.now < deadline else { throw DeadlineError("not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
