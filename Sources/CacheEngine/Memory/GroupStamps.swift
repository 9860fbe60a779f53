import Synchronization

/// When each cache group was last invalidated (RFC 9875), in a table of fixed size.
///
/// A stored response remembers the stamp of the moment its fill or durable read began; it is current
/// if none of its groups was invalidated since. Groups that share a slot are invalidated together in
/// memory, which costs a read of the file. Wait-free; callable from any thread.
package final class GroupStamps: Sendable {
    private static let slotCount = 4_096
    private let clock = Atomic<UInt64>(1)
    private let slots = InlineArray<4_096, Atomic<UInt64>> { _ in Atomic(0) }

    package init() {}

    /// Now.
    var stamp: UInt64 { clock.load(ordering: .acquiring) }

    func invalidate(_ group: String) {
        let now = clock.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue
        slots[Self.slot(of: group)].store(now, ordering: .releasing)
    }

    /// Whether none of the groups was invalidated after `stamp`.
    func areCurrent(_ groups: [String], since stamp: UInt64) -> Bool {
        groups.allSatisfy { slots[Self.slot(of: $0)].load(ordering: .acquiring) <= stamp }
    }

    /// FNV-1a: the names are an origin's, which may collide its own groups if it likes.
    private static func slot(of group: String) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in group.utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return Int(truncatingIfNeeded: hash & UInt64(slotCount - 1))
    }
}
