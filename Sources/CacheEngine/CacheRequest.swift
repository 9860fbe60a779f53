package import CacheKeys
package import HTTPCaching
package import HTTPTypes
package import NIOCore

/// Field lines of a request by name, without a copy of them all.
package protocol FieldLines: Sendable {
    /// The values of every line of a field, in order; `name` is lower-case.
    func lines(named name: String) -> [String]
}

/// What a lookup must know of a request: its key and the few facts that decide about reuse.
package struct CacheRequest: Sendable {
    package var primaryKey: CacheKey
    package var facts: RequestFacts
    package var fields: any FieldLines

    package init(primaryKey: CacheKey, facts: RequestFacts, fields: any FieldLines) {
        self.primaryKey = primaryKey
        self.facts = facts
        self.fields = fields
    }
}

/// What a lookup in memory says.
package enum Lookup {
    /// Fresh: answer with it.
    case hit(StoredResponse)
    /// Stale, and its response allows that it is served while it is revalidated (RFC 5861 §3).
    case staleHit(StoredResponse)
    /// `resolve` must find or fetch it. The candidate is stale or must be validated.
    case unresolved(candidate: StoredResponse?, ForwardReason)
    /// only-if-cached, and what is in memory is not usable; the file may still have it.
    case onlyIfCached(candidate: StoredResponse?)
}

/// A request on its way out, self-contained: everything a fill needs after the client has gone.
package struct FillRequest: Sendable {
    package var identity: EntryIdentity
    package var facts: RequestFacts
    package var route: Route
    package var fields: any FieldLines
    /// End-to-end fields to forward, without the client's preconditions, range and cache
    /// directives unless `isExclusive`.
    package var origin: OriginRequest
    /// The client's own preconditions or directives travel with the request, so that its answer
    /// may be for this client only.
    package var isExclusive: Bool
    /// What is stored does not do for it: the origin is asked without looking.
    package var asksOrigin = false
    package var requestContent: RequestContent?
    /// For the content that is in memory, as long as the request is.
    package var contentCharge: BudgetCharge?

    package init(
        identity: EntryIdentity, facts: RequestFacts, route: Route, fields: any FieldLines,
        origin: OriginRequest, isExclusive: Bool, requestContent: RequestContent?,
        contentCharge: BudgetCharge? = nil
    ) {
        self.identity = identity
        self.facts = facts
        self.route = route
        self.fields = fields
        self.origin = origin
        self.isExclusive = isExclusive
        self.requestContent = requestContent
        self.contentCharge = contentCharge
    }
}

/// A request that goes through uncached, its body as a stream.
package struct PassRequest: Sendable {
    package var origin: OriginRequest
    package var facts: RequestFacts
    package var isDeclared: Bool
    package var scheme: String
    package var authority: String
    package var surface: Surface
    /// Why nothing was looked up, or nothing is stored.
    package var reason: ForwardReason
    package var detail: String?
    /// What its answer may be stored for, where it is what a later GET would get.
    package var later: LaterGet?

    /// What a GET of the same target would be stored by (RFC 9110 §9.3.3).
    package struct LaterGet: Sendable {
        package var policy: StoragePolicy
        package var fields: any FieldLines

        package init(policy: StoragePolicy, fields: any FieldLines) {
            self.policy = policy
            self.fields = fields
        }
    }

    package init(
        origin: OriginRequest, facts: RequestFacts, isDeclared: Bool, scheme: String,
        authority: String, surface: Surface, reason: ForwardReason, detail: String?,
        later: LaterGet? = nil
    ) {
        self.origin = origin
        self.facts = facts
        self.isDeclared = isDeclared
        self.scheme = scheme
        self.authority = authority
        self.surface = surface
        self.reason = reason
        self.detail = detail
        self.later = later
    }
}

/// Who receives an answer: the exchange with one client.
///
/// Called on its loop, never re-entrantly from within the call that started the answer.
package protocol AnswerReceiver: AnyObject {
    /// What the answer from this stored response consists of; asked before each of the next two.
    func use(of stored: StoredResponse) -> StoredUse
    /// The whole answer is made of this stored response, whose body is in memory or not wanted.
    func answer(stored: StoredResponse, status: CacheStatus)
    /// The head of an answer made of a stored response, whose pieces follow.
    func answer(headOf stored: StoredResponse, status: CacheStatus)
    func answer(informational head: HTTPResponse)
    /// A head whose body follows; `length` is what the origin said, `nil` if it did not.
    func answer(head: HTTPResponse, framing: OriginFraming, status: CacheStatus)
    func answer(body: ByteBuffer)
    /// Trailer fields as the origin sent them; `answerEnd` follows at once.
    func answer(trailers: HTTPFields)
    func answerEnd()
    /// Before the head: an error is to be made; after it: the connection must be cut.
    func answerFailed(_ failure: AnswerFailure)
    /// A streamed request body may go on.
    func answerWantsRequestBody()
}

extension AnswerReceiver {
    package func answer(trailers: HTTPFields) {}
}

/// Why there is no (whole) answer; mapped to a status in one place, at the edge.
package enum AnswerFailure: Error, Sendable, Equatable {
    /// only-if-cached and nothing usable is stored (RFC 9111 §5.2.1.7).
    case onlyIfCached
    /// There is no origin to ask.
    case noOrigin
    case origin(OriginError)
    /// A part of the body cannot be read any more.
    case unreadable
    /// The fetch it waited for was given up, because nobody else wanted it any more.
    case abandoned
    /// This client was too slow for an answer that others wait for.
    case tooSlow
}

/// A source that gives all at once, or asks for no content of the request.
extension AnswerSource {
    package func pause() {}
    package func resume() {}
    package func write(_ part: ByteBuffer) -> Bool { true }
    package func finishRequestBody() {}
}

/// The running answer, as its receiver controls it.
package protocol AnswerSource: AnyObject {
    func pause()
    func resume()
    /// The client is gone. A fill that is storable goes on without it.
    func leave()
    /// A part of a streamed request body; `false`: wait for `answerWantsRequestBody`.
    func write(_ part: ByteBuffer) -> Bool
    func finishRequestBody()
}
