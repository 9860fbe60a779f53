import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// The answer to a POST that says it is what a GET of its URI would get, on its way into the store
/// under that GET's key (RFC 9110 §9.3.3).
///
/// Confined to its exchange's loop. Only what is stored in one piece: larger answers go by.
struct LaterAnswer {
    /// Under what it would be stored, and what was current when the request went out.
    struct Key {
        let identity: EntryIdentity
        let generation: UInt64
        let groupStamp: UInt64

        /// Nil for requests whose answers make no such claim.
        init?(engine: Engine, request: PassRequest) {
            guard request.later != nil, request.facts.method == .post,
                let identity = engine.getIdentity(of: request)
            else { return nil }
            self.identity = identity
            generation = engine.generation(of: identity.uriKey)
            groupStamp = engine.groups.stamp
        }

        /// Whether nothing of the URI was invalidated since.
        func isCurrent(_ engine: Engine) -> Bool {
            engine.generation(of: identity.uriKey) == generation
        }
    }

    private let engine: Engine
    private let identity: EntryIdentity
    private let variant: Variant
    private let plan: StoragePlan
    private let status: HTTPResponse.Status
    private let generation: UInt64
    private let groupStamp: UInt64
    private let requestTime: EpochSeconds
    private let responseTime: EpochSeconds
    private var body = ByteBuffer()

    /// Nil when the answer makes no such claim, or may not be stored.
    ///
    /// After the invalidation that the POST causes: what it brings is newer.
    init?(
        engine: Engine, request: PassRequest, key: Key, head: HTTPResponse,
        framing: OriginFraming, requestTime: EpochSeconds
    ) {
        guard let later = request.later, engine.budget.level < .noStores else { return nil }
        if case .length(let length) = framing, length > Int64(engine.inlineLimit) { return nil }
        let now = engine.clock.now()
        let decision = Storability.decideForGet(
            post: request.facts, status: head.status.code, fields: head.headerFields,
            policy: later.policy, scheme: request.scheme, authority: request.authority,
            target: request.origin.target, requestTime: requestTime, responseTime: now,
            isCloseDelimited: framing == .closeDelimited)
        guard case .success(let plan) = decision else { return nil }
        let variantKey = engine.variantKey(of: later.fields, names: plan.vary)
        guard plan.vary.isEmpty || variantKey != nil else { return nil }
        self.engine = engine
        identity = key.identity
        self.plan = plan
        variant = plan.vary.isEmpty ? .none : Variant(names: plan.vary, key: variantKey)
        status = head.status
        generation = engine.generation(of: identity.uriKey)
        groupStamp = key.groupStamp
        self.requestTime = requestTime
        responseTime = now
    }

    /// False when it has become too large.
    mutating func append(_ part: ByteBuffer) -> Bool {
        guard body.readableBytes + part.readableBytes <= engine.inlineLimit else { return false }
        body.writeImmutableBuffer(part)
        return true
    }

    /// All of it has come.
    func store() {
        let entry = StoredEntry(
            identity: identity, variant: variant, status: status,
            fields: plan.fields.forwarded(
                via: engine.configuration.viaName, receivedAt: responseTime),
            body: .whole(body), terms: plan.terms, requestTime: requestTime,
            responseTime: responseTime)
        let response = engine.makeResponse(
            entry, generation: generation, groupStamp: groupStamp, epoch: engine.currentEpoch)
        _ = engine.store(response, isFreshen: false, replacesRow: true)
    }
}

extension Engine {
    /// What a GET of a request's target is stored under.
    fileprivate func getIdentity(of request: PassRequest) -> EntryIdentity? {
        guard let hasher = try? KeyHasher(),
            let key = hasher.getKey(
                scheme: request.scheme, authority: request.authority,
                target: request.origin.target)
        else { return nil }
        let material = hasher.lastMaterial
        guard
            let uri = hasher.uriKey(
                surface: request.surface, scheme: request.scheme, authority: request.authority,
                target: request.origin.target)
        else { return nil }
        return EntryIdentity(
            primaryKey: key, uriKey: uri, material: material, surface: request.surface,
            cacheName: KeyParts.defaultCacheName, recipe: .raw, method: "GET",
            scheme: request.scheme, authority: request.authority, target: request.origin.target)
    }
}
