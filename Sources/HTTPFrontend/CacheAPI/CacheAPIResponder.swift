import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Decides what answers a request of the Cache API: the wire protocol of the workers' runtime, and
/// beside it what that has no words for.
///
/// One per event loop.
struct CacheAPIResponder {
    /// What to do with a request once its head is here.
    enum Plan {
        /// It has no content of interest: answered when it is complete.
        case atEnd
        /// Its content goes to a source as it comes.
        case streamed((Answer) -> any AnswerSource)
        case refuse(RequestError)
    }

    /// What answers a complete request.
    enum Outcome {
        case stored(StoredResponse, StoredSelection)
        case reply(CacheReply)
        case source((Answer) -> any AnswerSource)
    }

    let loop: any EventLoop
    let engine: Engine
    let settings: CacheAPISettings
    let hasher: KeyHasher

    static let tokenField = "larder-token"
    static let allowedMethods = "GET, HEAD, PUT, PURGE, POST"

    /// Whether the caller may do anything at all.
    func admits(_ head: GatedHead) -> Bool {
        guard let token = settings.token else { return true }
        let given = head.headers[Self.tokenField]
        guard given.count == 1, let text = given.first else { return false }
        return token.matches(text)
    }

    func plan(_ head: GatedHead) -> Plan {
        switch head.method {
        case .GET, .HEAD, .PURGE: return .atEnd
        case .PUT:
            let request = Result { () throws(CacheKeyRequest.Unkeyed) in
                let request = try CacheKeyRequest(head)
                return (request, try identity(of: request))
            }
            return .streamed { PutExchange(responder: self, request: request, answer: $0) }
        case .POST:
            return .streamed { NativeExchange(responder: self, head: head, answer: $0) }
        default: return .refuse(.methodNotAllowed)
        }
    }

    private func identity(
        of request: CacheKeyRequest
    ) throws(CacheKeyRequest.Unkeyed) -> EntryIdentity {
        let identity = engine.cacheIdentity(
            of: request.url, in: request.cacheName, hasher: hasher)
        guard let identity else { throw .repaired }
        return identity
    }

    func respond(_ head: GatedHead, now: EpochSeconds) -> Outcome {
        do {
            let request = try CacheKeyRequest(head)
            guard head.method != .PURGE else {
                let identity = try identity(of: request)
                return .source { PurgeExchange(responder: self, identity: identity, answer: $0) }
            }
            return try match(head, request, now: now)
        } catch {
            // Nothing can be stored there.
            return head.method == .PURGE
                ? .reply(.purge(.success(false)))
                : .reply(.miss(.bypass, detail: error.rawValue))
        }
    }

    private func match(
        _ head: GatedHead, _ request: CacheKeyRequest, now: EpochSeconds
    ) throws(CacheKeyRequest.Unkeyed) -> Outcome {
        // The runtime would take an upgrade for more than it is.
        if head.stopsDecoder { return .reply(.miss(.request, detail: "upgrade")) }
        guard let key = request.url.primaryKey(in: request.cacheName, hasher: hasher) else {
            throw .repaired
        }
        switch engine.cachedInMemory(key, now: now) {
        case .stale: return .reply(.miss(.stale))
        case .unknown:
            let identity = try identity(of: request)
            return .source { MatchExchange(self, identity, answer: $0) }
        case .fresh(let stored):
            // Nearly all hits.
            if head.conditions.isEmpty, stored.wholeBody != nil { return .stored(stored, .full) }
            let selection = Self.selection(of: stored, for: head)
            if selection.isAtHand(in: stored, for: head.kind) { return .stored(stored, selection) }
            return .source { MatchExchange(self, stored, answer: $0) }
        }
    }

    /// What a stored response becomes under the conditions and the range of the key's request.
    static func selection(of stored: StoredResponse, for head: GatedHead) -> StoredSelection {
        if head.conditions.isEmpty { return .full }
        let answer = MatchAnswer.evaluate(
            conditions: head.conditions, status: stored.entry.status.code,
            stored: stored.entry.fields, storedAt: stored.terms.dateValue,
            length: stored.entry.body.length)
        return StoredSelection(answer, of: stored.entry)
    }
}
