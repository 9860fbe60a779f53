package import CacheKeys
import Synchronization

/// The generation of every URI, in a table of fixed size.
///
/// An invalidation or purge bumps the URI's slot. A stored response in memory remembers the
/// slot's value from when its fill or durable read began; a hit compares the two. URIs that
/// share a slot are re-read from the durable tier when a neighbour is invalidated, which is
/// slower once and never wrong. Wait-free; callable from any thread.
package final class Generations: Sendable {
    private static let slotCount = 16_384
    private let slots = InlineArray<16_384, Atomic<UInt64>> { _ in Atomic(0) }

    package init() {}

    package func current(of uri: URIKey) -> UInt64 {
        slots[Self.slot(of: uri)].load(ordering: .acquiring)
    }

    package func bump(_ uri: URIKey) {
        slots[Self.slot(of: uri)].wrappingAdd(1, ordering: .acquiringAndReleasing)
    }

    private static func slot(of uri: URIKey) -> Int {
        Int(truncatingIfNeeded: uri.firstWord) & (slotCount - 1)
    }
}
