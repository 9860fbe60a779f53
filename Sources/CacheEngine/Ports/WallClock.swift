package import HTTPCaching

/// Wall time, the only one in the engine.
///
/// Reads of it below the composition root go through here.
package protocol WallClock: Sendable {
    func now() -> EpochSeconds
}
