import CacheKeys
import HTTPCaching
import Logging

/// Filling the memory of which keys the file holds.
extension Engine {
    private static let pageSize = 2048
    /// Room for what will be put, so that the filter is not full at once.
    private static let spareResponses = 250_000

    /// What a durable lookup could find; begins to learn it when nothing is known.
    func expectation(of identity: EntryIdentity) -> StoredKeys.Expectation {
        let expectation = storedKeys.expectation(of: identity.primaryKey, uri: identity.uriKey)
        if storedKeys.beginIfDue(now: clock.now()) { loadKeys() }
        return expectation
    }

    /// Reads all keys of the file in short reads on the reader threads, other reads in between.
    private func loadKeys() {
        submitRead { [self] in
            do {
                let count = try store.roughCount()
                let (half, _) = count.dividedReportingOverflow(by: 2)
                let filter = storedKeys.begin(
                    capacity: 2 * (min(count, 1 << 26) + max(half, Self.spareResponses)))
                // What was queued before the filter was there and may be committed behind the read.
                for name in writes.pendingNames { storedKeys.add(name) }
                loadPage(after: nil, into: filter)
            } catch {
                giveUpLoading(error)
            }
        }
    }

    private func loadPage(after start: EntryName?, into filter: KeyFilter) {
        submitRead { [self] in
            guard storedKeys.isLoading(filter) else { return }
            do {
                let page = try store.names(after: start, limit: Self.pageSize)
                for name in page.names {
                    filter.insert(name.primaryKey)
                    filter.insert(name.uriKey)
                }
                if let next = page.next {
                    loadPage(after: next, into: filter)
                } else {
                    storedKeys.finish(filter)
                }
            } catch {
                giveUpLoading(error)
            }
        }
    }

    private func giveUpLoading(_ error: any Error) {
        storedKeys.forget()
        logger.warning("the file's keys could not be read", metadata: ["error": "\(error)"])
    }
}
