package import CacheKeys
package import HTTPCaching
package import NIOCore
import NIOPosix

/// Finding what a program put: in memory, in the queue, in the file; never at an origin.
extension Engine {
    /// What is in memory of a key, in one lock.
    package enum CachedInMemory {
        /// It may be answered with.
        case fresh(StoredResponse)
        /// It is past its lifetime, which is as good as not there.
        case stale
        /// The file, or the queue before it, knows.
        case unknown
    }

    /// Looks in memory only, for what varies by nothing.
    package func cachedInMemory(_ key: CacheKey, now: EpochSeconds) -> CachedInMemory {
        guard let stored = memory.only(key), stored.variant.key == nil, isCurrent(stored) else {
            return .unknown
        }
        return stored.terms.isFresh(at: now) ? .fresh(stored) : .stale
    }

    /// What a look behind memory found.
    package enum CacheFinding: Sendable {
        case fresh(StoredResponse)
        /// `.stale` where something is stored that is past its lifetime.
        case nothing(ForwardReason)
        case unreadable
    }

    /// Looks everywhere.
    ///
    /// - Parameters:
    ///   - choice: among the variants of the key.
    ///   - fields: of the request, for what varies by them.
    ///   - done: called on `loop`, not before this has returned.
    package func findCached(
        _ identity: EntryIdentity, choice: EntryQuery.Choice, fields: any FieldLines,
        on loop: any EventLoop, done: @escaping @Sendable (CacheFinding) -> Void
    ) {
        let now = clock.now()
        lookForCached(identity, choice: choice, freshAt: now, fields: fields, on: loop) { finding in
            switch finding {
            case .response(let stored):
                done(stored.terms.isFresh(at: now) ? .fresh(stored) : .nothing(.stale))
            case .none(.varyMiss) where choice == .any: done(.nothing(.stale))
            case .none(let reason): done(.nothing(reason))
            case .unreadable: done(.unreadable)
            }
        }
    }

    /// The same; stale responses, too, where `freshAt` is nil.
    private func lookForCached(
        _ identity: EntryIdentity, choice: EntryQuery.Choice, freshAt: EpochSeconds?,
        fields: any FieldLines, on loop: any EventLoop,
        done: @escaping @Sendable (DurableFinding) -> Void
    ) {
        let pending = writes.pending(identity.primaryKey).filter { stored in
            freshAt.map { stored.terms.isFresh(at: $0) } ?? true
        }
        if let newest = pending.chosen(choice, by: { variantKey(of: fields, names: $0) }) {
            return loop.execute { done(.response(newest)) }
        }
        guard !writes.hasPendingInvalidation(of: identity.uriKey),
            expectation(of: identity) == .response
        else { return loop.execute { done(.none(.uriMiss)) } }
        var query = EntryQuery(
            primaryKey: identity.primaryKey, uriKey: identity.uriKey, material: identity.material,
            variantKey: { [self] in variantKey(of: fields, names: $0) })
        query.choice = choice
        query.freshAt = freshAt
        read(query, attemptsLeft: Self.readAttempts, on: loop, done: done)
    }

    private static let readAttempts = 8

    /// Reads the file, again where something was invalidated meanwhile: it may have been something
    /// else, and there is no origin to ask instead.
    private func read(
        _ query: EntryQuery, attemptsLeft: Int, on loop: any EventLoop,
        done: @escaping @Sendable (DurableFinding) -> Void
    ) {
        let before = (generation(of: query.uriKey), groups.stamp)
        readDurably(query, on: loop) { [self] finding in
            switch finding {
            case .response(let stored): done(.response(promote(stored)))
            case .none
            where attemptsLeft > 0
                && before != (generation(of: query.uriKey), groups.stamp):
                read(query, attemptsLeft: attemptsLeft - 1, on: loop, done: done)
            case .none, .unreadable: done(finding)
            }
        }
    }

    /// The same for who waits for it.
    func lookForCached(
        _ identity: EntryIdentity, choice: EntryQuery.Choice, freshAt: EpochSeconds? = nil,
        fields: any FieldLines
    ) async throws(CacheFailure) -> StoredResponse? {
        func isWanted(_ stored: StoredResponse) -> Bool {
            freshAt.map { stored.terms.isFresh(at: $0) } ?? true
        }
        if choice == .any {
            // The file may have lost what memory has.
            let inMemory = memory.responses(for: identity.primaryKey).last {
                isCurrent($0) && isWanted($0)
            }
            if let inMemory { return inMemory }
        }
        if choice == .selected {
            let inMemory = memory.response(for: identity.primaryKey) {
                variantKey(of: fields, names: $0)
            }
            if let inMemory, isCurrent(inMemory), isWanted(inMemory) { return inMemory }
        }
        let loop = NIOSingletons.posixEventLoopGroup.next()
        let finding = await withCheckedContinuation { continuation in
            lookForCached(identity, choice: choice, freshAt: freshAt, fields: fields, on: loop) {
                continuation.resume(returning: $0)
            }
        }
        switch finding {
        // The row may be about to be replaced by what it was not looked for.
        case .response(let stored): return isWanted(stored) ? stored : nil
        case .none: return nil
        case .unreadable: throw .unreadable
        }
    }

    /// Sends pieces of a stored response whose body is read from the file.
    ///
    /// Call on `loop`; `receiver` hears on it: `.unreadable` before the head where the body is gone.
    package func read(
        _ stored: StoredResponse, chunks: ChunkedBody, segments: [BodySegment],
        on loop: any EventLoop, receiver: any AnswerReceiver
    ) -> any AnswerSource {
        let reader = StoredBodyReader(
            engine: self, stored: stored, chunks: chunks, segments: segments,
            status: CacheStatus(result: .hit), loop: loop, client: receiver)
        reader.start()
        return reader
    }
}

extension StoredBodyReader: AnswerSource {}

extension [StoredResponse] {
    func chosen(
        _ choice: EntryQuery.Choice, by variantKey: ([String]) -> Digest?
    ) -> StoredResponse? {
        switch choice {
        case .selected: selected(by: variantKey)
        case .any: last
        case .exactly(let key): last { $0.variant.key == key }
        }
    }
}
