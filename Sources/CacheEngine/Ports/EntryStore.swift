package import CacheKeys
package import HTTPCaching

/// The durable tier as the engine sees it: blocking calls, never made on an event loop.
///
/// `find` may be called from several reader threads at once. `commit`, `tend` and `close` are
/// called by the one writer thread only, never at the same time.
package protocol EntryStore: Sendable {
    /// Reads the stored response that answers a request, body included, in one short read.
    func find(_ query: EntryQuery) throws(StoreError) -> EntryFinding

    /// The names of at most `limit` stored responses behind `start`, in one short read.
    func names(after start: EntryName?, limit: Int) throws(StoreError) -> KeyPage

    /// An upper bound of how many responses are stored, without counting them.
    func roughCount() throws(StoreError) -> Int

    /// One chunk of a large body, verified, in one short read.
    func chunk(_ sequence: Int, of body: BodyID) throws(StoreError) -> ChunkFinding

    /// The rows of a named cache in the order in which they were put, in one short read.
    func cacheRows(_ selection: CacheSelection) throws(StoreError) -> CachePage

    /// The names of the named caches in the order of their creation, in one short read.
    func cacheNames() throws(StoreError) -> [String]

    /// The named caches in the order of their creation, and the default one if it has entries; counts
    /// every row of theirs.
    func caches() throws(StoreError) -> [CacheSummary]

    /// A name that no body in the file has or had; callable from any thread.
    func makeBodyID() -> BodyID

    /// Applies a batch in order, in one transaction: all of it or, when it throws, nothing.
    func commit(_ batch: [Mutation]) throws(StoreError)

    /// Looks after the file between batches and at least once a second: checkpoints, foreign
    /// commits, its size; in steps short enough that no batch waits long for them.
    ///
    /// - Parameters:
    ///   - isIdle: no mutation waits.
    ///   - pins: bodies whose chunks stay, whatever became of their responses.
    func tend(isIdle: Bool, pins: BodyPins) throws(StoreError) -> StoreNews

    /// Checkpoints, marks the file as cleanly closed and closes every connection.
    func close() throws(StoreError)
}

/// What a durable lookup needs to know.
package struct EntryQuery: Sendable {
    package var primaryKey: CacheKey
    package var uriKey: URIKey
    /// The preimage of `primaryKey`; a row whose own differs is damaged, never an answer.
    package var material: [UInt8]
    /// The key of the variant that this request selects among rows that vary by `names`
    /// (RFC 9111 §4.1); `nil` when it cannot be computed, which matches no row.
    package var variantKey: @Sendable (_ names: [String]) -> Digest?
    package var choice = Choice.selected
    /// Only those that are fresh then; nil: all.
    package var freshAt: EpochSeconds?

    /// Which of the rows of a key will do.
    package enum Choice: Sendable, Equatable {
        /// Those whose variant the request selects.
        case selected
        /// Every one.
        case any
        /// The one of this variant.
        case exactly(Digest?)
    }

    package init(
        primaryKey: CacheKey, uriKey: URIKey, material: [UInt8],
        variantKey: @escaping @Sendable ([String]) -> Digest?
    ) {
        self.primaryKey = primaryKey
        self.uriKey = uriKey
        self.material = material
        self.variantKey = variantKey
    }
}

/// What a durable lookup found; the newest by Date when several variants match.
package enum EntryFinding: Sendable {
    case entry(StoredEntry)
    /// The key is stored, but for other values of the fields its answers vary by.
    case varyMiss
    /// The URI is stored, but under another key: another body, credential or method.
    case miss
    case uriMiss
    /// The row, or one that had to be judged first, failed its checks and must be deleted.
    case damaged(EntryName, RowMark)
}

/// What tells a stored response from another that was put in its place.
package enum RowMark: Sendable, Hashable {
    /// Its large body.
    case body(BodyID)
    /// What its row says of its head and of its body, true or not.
    case checksums(head: Int64, body: Int64)
}

/// The stored responses of a key that another one takes the place of, because a request for which
/// that was put selects them, too.
package struct Supersession: Sendable {
    /// What was put.
    package var name: EntryName
    /// Whether another variant goes.
    package var selects: @Sendable (Variant) -> Bool

    package init(by name: EntryName, selects: @escaping @Sendable (Variant) -> Bool) {
        self.name = name
        self.selects = selects
    }

    /// Whether a stored response goes.
    package func covers(_ variant: Variant) -> Bool {
        variant.key != name.variantKey && selects(variant)
    }
}

/// Names one stored response.
package struct EntryName: Sendable, Hashable {
    package var uriKey: URIKey
    package var primaryKey: CacheKey
    package var variantKey: Digest?

    package init(uriKey: URIKey, primaryKey: CacheKey, variantKey: Digest?) {
        self.uriKey = uriKey
        self.primaryKey = primaryKey
        self.variantKey = variantKey
    }

    // The URI follows from the primary key.
    package static func == (left: EntryName, right: EntryName) -> Bool {
        left.primaryKey == right.primaryKey && left.variantKey == right.variantKey
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(primaryKey)
        hasher.combine(variantKey)
    }
}

/// A page of the keys that the file holds.
package struct KeyPage: Sendable {
    package var names: [EntryName]
    /// Where the next page begins; `nil` at the end.
    package var next: EntryName?

    package init(names: [EntryName], next: EntryName?) {
        self.names = names
        self.next = next
    }
}

/// What the writer learned while it looked after the file.
package struct StoreNews: Sendable, Equatable {
    /// Another process committed to the file since the last call, or the file was replaced.
    package var foreignCommit: Bool
    /// Stored responses that were removed since the last call, to keep the file's size or because
    /// nothing could be done with them any more.
    package var evicted: Int
    /// More of that work is due: `tend` wants to be called again soon.
    package var hasMoreWork: Bool

    package init(foreignCommit: Bool = false, evicted: Int = 0, hasMoreWork: Bool = false) {
        self.foreignCommit = foreignCommit
        self.evicted = evicted
        self.hasMoreWork = hasMoreWork
    }
}

/// One change of the durable tier.
///
/// Order in the queue is order in the file.
package enum Mutation: Sendable {
    /// Stores a response, replacing the row of the same primary key and variant.
    case put(StoredResponse)
    /// New fields and times for a stored response whose body stays (RFC 9111 §4.3.4).
    case freshen(StoredResponse)
    /// Removes one stored response.
    case delete(EntryName)
    /// Removes one stored response that no answer can be made of, unless another has taken its
    /// place.
    case deleteUnreadable(EntryName, RowMark)
    /// Removes those that a put before it has taken the place of.
    case supersede(Supersession)
    /// Makes a named cache, if there is none of that name.
    case openCache(String, at: EpochSeconds)
    /// Removes every stored response of these groups (`StoredEntry.groups`; RFC 9875), and the named
    /// caches that are meant by them.
    case invalidateGroups([String], at: EpochSeconds)
    /// A part of a large body, hidden until a put names the body.
    case chunk(BodyChunk)
    /// Removes the chunks of a large body that no put will name.
    case dropBody(BodyID)
    /// Notes the last use of stored responses, for eviction.
    case touch([EntryName], at: EpochSeconds)
    /// Removes every stored response of a URI and notes it in the durable log (RFC 9111 §4.4).
    case invalidate(URIKey, at: EpochSeconds)
}

/// Why the durable tier could not do as asked.
///
/// Nothing stored before is lost by it.
package enum StoreError: Error, Sendable, Equatable {
    /// The disk or the page budget is full (SQLITE_FULL).
    case full
    /// The write-ahead log is past its hard limit because a reader pins it: puts are refused.
    case logTooLong
    /// The file is locked by another process past the busy timeout (SQLITE_BUSY).
    case busy
    /// The file was damaged and has been moved aside; a fresh one is in use from now on.
    case replaced
    /// The store is closed.
    case closed
    /// Any other failure: SQLite's extended result code and message, never values.
    case failed(code: Int32, message: String)
}
