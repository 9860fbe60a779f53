import CacheKeys
import CacheTestKit

@testable import CacheEngine

/// The real queue beside a plain list of everything that was asked for.
struct QueueModel {
    struct Name: Hashable {
        var key: Int
        var variant: Int?
    }
    enum Change {
        case put(StoredResponse, Name, replacesRow: Bool)
        case delete(Name)
        case invalidate(Int)
    }

    var state = WriteQueueState(
        limits: .init(entries: 12, bytes: 1 << 20, batchEntries: 5, batchBytes: 6000))
    var file: [Name: StoredResponse] = [:]
    /// What was asked for and is not in the file, in order.
    var changes: [Change] = []

    static let names = (1...3).flatMap { key in
        [nil, 1, 2].map { Name(key: key, variant: $0) }
    }
    static func uri(of name: Name) -> Int { name.key % 2 }

    mutating func step(_ random: inout SeededGenerator) {
        let name = Self.names.randomElement(using: &random) ?? Self.names[0]
        switch Int.random(in: 0..<14, using: &random) {
        case 0..<6: put(name, &random)
        case 6, 7:
            state.delete(entryName(name.key, variant: name.variant.map { digest(5000 + $0) }))
            changes.append(.delete(name))
        case 8:
            state.invalidate(digest(1000 + Self.uri(of: name)), at: start)
            changes.append(.invalidate(Self.uri(of: name)))
        case 9, 10: _ = state.takeBatch()
        case 11, 12: finish()
        default: fail()
        }
    }

    private mutating func put(_ name: Name, _ random: inout SeededGenerator) {
        let new = response(
            name.key, variant: name.variant, uri: Self.uri(of: name),
            bytes: [100, 900, 3000].randomElement(using: &random) ?? 0)
        // The engine knows of any row that it replaces; it may also be wrong on the safe side.
        let replaces = truth()[name] != nil || Bool.random(using: &random)
        switch state.put(new, isFreshen: false, replacesRow: replaces) {
        case .accepted: changes.append(.put(new, name, replacesRow: replaces))
        case .shed: if replaces { changes.append(.delete(name)) }
        case .closed: break
        }
    }

    private mutating func finish() {
        let batch = state.committing.map(\.mutation)
        for mutation in batch { apply(mutation) }
        rebuild(without: state.committing)
        state.finishBatch()
    }

    /// Lost puts vanish, or become deletes where they replaced.
    private mutating func fail() {
        let lost = Set(
            state.committing.compactMap { item -> ObjectIdentifier? in
                switch item.mutation {
                case .put(let response), .freshen(let response): ObjectIdentifier(response)
                case .delete, .deleteUnreadable, .supersede, .invalidate, .chunk, .dropBody, .touch,
                    .invalidateGroups, .openCache:
                    nil
                }
            })
        changes = changes.compactMap { change in
            guard case .put(let response, let name, let replaces) = change,
                lost.contains(ObjectIdentifier(response))
            else { return change }
            return replaces ? .delete(name) : nil
        }
        _ = state.failBatch()
    }

    private mutating func apply(_ mutation: Mutation) {
        switch mutation {
        case .put(let response), .freshen(let response):
            file[Self.name(response)] = response
        case .delete(let theirs):
            file = file.filter { $0.value.name != theirs }
        case .invalidate(let uri, _):
            file = file.filter { $0.value.uriKey != uri }
        case .deleteUnreadable, .supersede, .chunk, .dropBody, .touch, .invalidateGroups,
            .openCache:
            break
        }
    }

    private static func name(_ response: StoredResponse) -> Name {
        let found = names.first {
            digest($0.key) == response.primaryKey
                && $0.variant.map { digest(5000 + $0) } == response.variant.key
        }
        return found ?? Name(key: 0, variant: nil)
    }

    /// Drops from the plain list what is in the file now; of equal deletes that nothing was put
    /// between, the queue keeps one.
    private mutating func rebuild(without committed: [WriteQueueState.Item]) {
        for item in committed {
            switch item.mutation {
            case .put(let theirs), .freshen(let theirs):
                changes.removeAll { change in
                    if case .put(let mine, _, _) = change { mine === theirs } else { false }
                }
            case .delete(let theirs):
                let (key, variant) = (theirs.primaryKey, theirs.variantKey)
                removeUntilPut { change in
                    switch change {
                    case .delete(let name): Self.matches(name, key, variant) ? .remove : .keep
                    case .put(_, let name, _): Self.matches(name, key, variant) ? .stop : .keep
                    case .invalidate: .keep
                    }
                }
            case .invalidate(let uri, _):
                removeUntilPut { change in
                    switch change {
                    case .invalidate(let mine): digest(1000 + mine) == uri ? .remove : .keep
                    case .put(let response, _, _): response.uriKey == uri ? .stop : .keep
                    case .delete: .keep
                    }
                }
            case .deleteUnreadable, .supersede, .chunk, .dropBody, .touch, .invalidateGroups,
                .openCache:
                break
            }
        }
    }

    private enum Verdict { case keep, remove, stop }

    private mutating func removeUntilPut(_ judge: (Change) -> Verdict) {
        var index = 0
        while index < changes.count {
            switch judge(changes[index]) {
            case .keep: index += 1
            case .stop: return
            case .remove: changes.remove(at: index)
            }
        }
    }

    private static func matches(_ name: Name, _ key: CacheKey, _ variant: Digest?) -> Bool {
        digest(name.key) == key && name.variant.map { digest(5000 + $0) } == variant
    }

    /// The file as it will be when all is written, by the plain list.
    func truth() -> [Name: StoredResponse] {
        var rows = file
        for change in changes {
            switch change {
            case .put(let response, let name, _): rows[name] = response
            case .delete(let name): rows[name] = nil
            case .invalidate(let uri): rows = rows.filter { Self.uri(of: $0.key) != uri }
            }
        }
        return rows
    }

    func disagreements() -> [Name] {
        let truth = truth()
        return Self.names.filter { name in
            let variant = name.variant.map { digest(5000 + $0) }
            let overlay = state.overlay(
                of: EntryName(
                    uriKey: digest(1000 + Self.uri(of: name)),
                    primaryKey: digest(name.key), variantKey: variant))
            let seen: StoredResponse? =
                switch overlay {
                case .none: file[name]
                case .deleted: nil
                case .put(let response): response
                }
            let pending = state.pending(digest(name.key)).filter { $0.variant.key == variant }
            return seen !== truth[name] || pending.count > 1
        }
    }

    func accountingError() -> String? {
        let items = Array(state.committing) + Array(state.waiting)
        let puts = items.filter { $0.bytes > 0 }
        if puts.count != state.putCount { return "count" }
        if puts.reduce(0, { $0 + $1.bytes }) != state.putBytes { return "bytes" }
        if state.putCount > 12 { return "bound" }
        if items.map(\.sequence) != items.map(\.sequence).sorted() { return "order" }
        return nil
    }
}
