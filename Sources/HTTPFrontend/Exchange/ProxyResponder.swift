import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// Decides what answers a request, knowing no protocol: route, key, lookup, and the request that
/// goes out when the answer is not in memory.
///
/// One per event loop.
struct ProxyResponder {
    /// What to do with a request once its head is here.
    enum Plan {
        /// Look up when the request is complete; it has no content.
        case lookup
        /// Its content is part of the key: digest it, then look up.
        case keyed
        /// Send it through now, its content as a stream.
        case pass(ForwardReason, detail: String?)
    }

    /// What answers a complete request.
    enum Outcome {
        case stored(StoredResponse, CacheStatus, StoredSelection)
        case resolve(FillRequest, candidate: StoredResponse?, ForwardReason)
        /// A stored response whose body is read from the file.
        case stream(FillRequest, StoredResponse, CacheStatus)
        case failure(AnswerFailure)
        case refuse(RequestError)
    }

    let loop: any EventLoop
    let engine: Engine
    let configuration: FrontendConfiguration
    let hasher: KeyHasher
    let secret: CredentialSecret
    let keyFields: KeyFieldTable

    func plan(_ head: GatedHead) -> Plan {
        switch head.kind {
        case .get, .head:
            // What a GET's content means is not defined (RFC 9110 §9.3.1): forwarded whole.
            if head.hasContent { return .pass(.bypass, detail: "request-content") }
            if head.conditions.isForOrigin { return .pass(.request, detail: "precondition") }
            return .lookup
        case .query, .post:
            let route = configuration.routes.route(for: head.kind, target: head.target)
            guard head.kind == .query || route.storage.isDeclared else {
                return .pass(.method, detail: nil)
            }
            if head.kind == .query, head.conditions.isForOrigin {
                return .pass(.request, detail: "precondition")
            }
            if case .length(let length) = head.content,
                length > Int64(configuration.maxKeyBodyBytes)
            {
                return .pass(.bypass, detail: "body-limit")
            }
            return .keyed
        case .otherSafe, .unsafe:
            return .pass(.method, detail: nil)
        }
    }

    /// Answers a complete request.
    ///
    /// `keyed` is its content when the plan said so.
    func respond(
        _ head: GatedHead, keyed: WholeContent?, clientAddress: () -> String?, now: EpochSeconds
    ) -> Outcome {
        let contentParts = keyed.map { keyedParts(head, digest: $0.digest, length: $0.length) }
        guard let key = primaryKey(head, content: contentParts) else {
            return .refuse(.malformed(.repaired))
        }
        var facts = head.facts
        if !facts.cacheControl.isEmpty {
            let route = configuration.routes.route(for: head.kind, target: head.target)
            facts.cacheControl = route.storage.heard(facts.cacheControl)
        }
        let request = CacheRequest(
            primaryKey: key, facts: facts, fields: HeaderLines(headers: head.headers))
        let found = engine.lookup(request, variantKey: { variantKey(head, names: $0) }, now: now)
        switch found {
        case .hit(let stored):
            let status = CacheStatus(result: .hit, ttl: stored.terms.ttl(at: now))
            // Nearly all hits.
            if head.conditions.isEmpty, stored.wholeBody != nil {
                return .stored(stored, status, .full)
            }
            let selection = selection(of: stored, for: head)
            if selection.isAtHand(in: stored, for: head.kind) {
                return .stored(stored, status, selection)
            }
            return reuse(
                stored, selection, status,
                fillRequest(
                    head, key: key, facts: facts, content: keyed, reason: .miss,
                    clientAddress: clientAddress()))
        case .staleHit(let stored):
            let selection = selection(of: stored, for: head)
            let status = CacheStatus(result: .stale, ttl: stored.terms.ttl(at: now))
            // Otherwise it is the client that takes it stale, which is no reason to ask the origin.
            let isBehind = now < stored.terms.staleWhileRevalidateUntil
            let isAtHand = selection.isAtHand(in: stored, for: head.kind)
            if isAtHand, !isBehind { return .stored(stored, status, selection) }
            let fill = fillRequest(
                head, key: key, facts: facts, content: keyed, reason: .stale,
                clientAddress: clientAddress())
            if isBehind, !selection.isForward { engine.revalidate(stored, on: loop) { fill } }
            return isAtHand
                ? .stored(stored, status, selection) : reuse(stored, selection, status, fill)
        case .onlyIfCached(.some):
            return .failure(.onlyIfCached)
        case .onlyIfCached(nil):
            return resolve(head, key, facts, keyed, nil, .uriMiss, clientAddress())
        case .unresolved(let candidate, let reason):
            return resolve(head, key, facts, keyed, candidate, reason, clientAddress())
        }
    }

    /// A stored response whose content is not at hand: read from the file, or asked for after all.
    private func reuse(
        _ stored: StoredResponse, _ selection: StoredSelection, _ status: CacheStatus,
        _ fill: FillRequest?
    ) -> Outcome {
        guard var fill else { return .refuse(.malformed(.repaired)) }
        guard case .forward(let reason) = selection else { return .stream(fill, stored, status) }
        fill.asksOrigin = true
        fill.isExclusive = true
        // What a stored part lacks may be all that is asked for.
        return .resolve(fill, candidate: reason == .partial ? stored : nil, reason)
    }

    /// What a stored answer that may be reused becomes under the client's own conditions.
    func selection(of stored: StoredResponse, for head: GatedHead) -> StoredSelection {
        let answer = StoredAnswer.evaluate(
            method: head.kind, conditions: head.conditions, status: stored.entry.status.code,
            stored: stored.entry.fields, storedDate: stored.terms.dateValue,
            extent: stored.entry.extent)
        if case .full = answer { return .full }
        return StoredSelection(answer, of: stored.entry)
    }

    private func resolve(
        _ head: GatedHead, _ key: CacheKey, _ facts: RequestFacts, _ content: WholeContent?,
        _ candidate: StoredResponse?, _ reason: ForwardReason, _ clientAddress: String?
    ) -> Outcome {
        guard
            let fill = fillRequest(
                head, key: key, facts: facts, content: content, reason: reason,
                clientAddress: clientAddress)
        else { return .refuse(.malformed(.repaired)) }
        return .resolve(fill, candidate: candidate, reason)
    }
}
