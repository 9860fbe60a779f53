import CacheKeys
import HTTPCaching
import Synchronization

/// Names what requests must have in common to share one fetch.
struct FillKey: Hashable, Sendable {
    var primaryKey: CacheKey
    /// The variant, where it is known by which fields the answers vary.
    var variantKey: Digest?
    /// Of a GET with credentials or cookies: those wait for each other only.
    var isPersonal: Bool
}

/// The fills that run, by key, and the keys that proved uncacheable a short time ago.
///
/// The place is taken before anything is read: a stampede costs one look into the file and one
/// request. Callable from any thread.
final class FillTable: Sendable {
    struct Limits: Sendable {
        /// Readers of one fill; further requests go alone.
        var readersPerFill = 1_024
        /// Waiting and reading followers together.
        var followers = 16_384
        /// Seconds that an uncacheable key is remembered.
        var uncacheableSeconds: Int64 = 30
        /// Seconds without a byte after which nobody joins a fill any more.
        var stallSeconds: Int64 = 5
    }

    enum Place {
        /// The caller fetches; others may join it under the key.
        case lead
        case follow(FillLog, cursor: Int)
        /// The caller fetches for itself.
        case alone
    }

    private struct Shard {
        var running: [FillKey: FillLog] = [:]
        /// Seconds until which a key is not waited for.
        var uncacheable: [FillKey: EpochSeconds] = [:]
    }

    private final class Slot: Sendable {
        let shard = Mutex(Shard())
    }

    let limits: Limits
    private let slots: [Slot]
    private let followers = Atomic<Int>(0)
    private static let slotCount = 16
    private static let uncacheablePerSlot = 1_024

    init(limits: Limits = Limits()) {
        self.limits = limits
        slots = (0..<Self.slotCount).map { _ in Slot() }
    }

    /// Takes the place of a key or joins who has it.
    ///
    /// - Parameters:
    ///   - log: the caller's own, for others to join.
    ///   - generation: of the URI, now: what began before an invalidation is not joined after it.
    ///   - mayJoin: false where memory is short.
    func enter(
        _ key: FillKey, log: FillLog, cursor: FillCursor, generation: UInt64, mayJoin: Bool,
        now: EpochSeconds
    ) -> Place {
        let running = slot(of: key).shard.withLock { shard -> FillLog?? in
            if let running = shard.running[key], running.generation == generation {
                return .some(running)
            }
            if let until = shard.uncacheable[key] {
                if now < until { return .some(nil) }
                shard.uncacheable[key] = nil
            }
            shard.running[key] = log
            return nil
        }
        guard let running else { return .lead }
        guard let running, mayJoin,
            followers.load(ordering: .relaxed) < limits.followers,
            let number = running.attach(
                cursor, on: cursor.loop, limit: limits.readersPerFill, now: now,
                stall: limits.stallSeconds)
        else { return .alone }
        followers.wrappingAdd(1, ordering: .relaxed)
        return .follow(running, cursor: number)
    }

    /// Takes the place of a key if it is free, whatever is known of the key.
    func lead(_ key: FillKey, log: FillLog) -> Bool {
        slot(of: key).shard.withLock { shard in
            guard shard.running[key] == nil else { return false }
            shard.running[key] = log
            return true
        }
    }

    func isRunning(_ key: FillKey) -> Bool {
        slot(of: key).shard.withLock { $0.running[key] != nil }
    }

    /// Ends the joining of a fill.
    func leave(_ key: FillKey, log: FillLog) {
        slot(of: key).shard.withLock { shard in
            if shard.running[key] === log { shard.running[key] = nil }
        }
    }

    func followerLeft() { followers.wrappingSubtract(1, ordering: .relaxed) }

    /// Nobody waits for answers to this key until the time is over.
    func remember(uncacheable key: FillKey, now: EpochSeconds, seconds: Int64? = nil) {
        slot(of: key).shard.withLock { shard in
            if shard.uncacheable.count >= Self.uncacheablePerSlot {
                shard.uncacheable = shard.uncacheable.filter { $0.value > now }
            }
            // Still full: an attack, or a site where nothing is cacheable. Some may wait, then.
            if shard.uncacheable.count >= Self.uncacheablePerSlot {
                shard.uncacheable.removeAll(keepingCapacity: true)
            }
            shard.uncacheable[key] = now + (seconds ?? limits.uncacheableSeconds)
        }
    }

    func isUncacheable(_ key: FillKey, now: EpochSeconds) -> Bool {
        slot(of: key).shard.withLock { $0.uncacheable[key].map { now < $0 } ?? false }
    }

    private func slot(of key: FillKey) -> Slot {
        let word = key.primaryKey.firstWord
        return slots[Int(truncatingIfNeeded: word >> 8 & UInt64(Self.slotCount - 1))]
    }
}
