import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// An exchange that goes through uncached: its request body is a stream, its answer is never
/// stored.
///
/// When it is an unsafe request that succeeds, what is stored of its URI is invalidated before the
/// client can see that it did. Confined to its loop.
final class Passthrough: AnswerSource {
    private let engine: Engine
    private let request: PassRequest
    private let loop: any EventLoop
    private var client: (any AnswerReceiver)?
    private var exchange: (any OriginExchange)?
    private var hasHead = false
    private var isDone = false
    private var requestTime: EpochSeconds = 0
    /// What a later GET would be stored under, as things stood when the request went out.
    private var laterKey: LaterAnswer.Key?
    /// The answer on its way into the store, for later GETs.
    private var later: LaterAnswer?

    init(engine: Engine, request: PassRequest, loop: any EventLoop, client: any AnswerReceiver) {
        self.engine = engine
        self.request = request
        self.loop = loop
        self.client = client
    }

    func start() {
        guard let origin = engine.origin else {
            return loop.assumeIsolated().execute { self.fail(.noOrigin) }
        }
        requestTime = engine.clock.now()
        laterKey = LaterAnswer.Key(engine: engine, request: request)
        exchange = origin.start(request.origin, on: loop, receiver: self)
    }

    func pause() { exchange?.pauseReading() }

    func resume() { exchange?.resumeReading() }

    func leave() {
        guard !isDone else { return }
        invalidateIfUnknown()
        exchange?.cancel()
        end()
    }

    func write(_ part: ByteBuffer) -> Bool { exchange?.write(part) ?? true }

    func finishRequestBody() { exchange?.finishBody() }

    private func fail(_ failure: AnswerFailure) {
        let client = client
        end()
        client?.answerFailed(failure)
    }

    private func end() {
        isDone = true
        client = nil
        exchange = nil
        later = nil
    }

    /// The origin may have acted on an unsafe request although no answer says so.
    private func invalidateIfUnknown() {
        guard !hasHead, exchange != nil,
            Invalidation.applies(
                method: request.facts.method, isDeclared: request.isDeclared, status: 200)
        else { return }
        engine.invalidate(
            surface: request.surface, scheme: request.scheme, authority: request.authority,
            targets: [request.origin.target])
    }

    private func invalidateIfNeeded(_ head: HTTPResponse) {
        guard
            Invalidation.applies(
                method: request.facts.method, isDeclared: request.isDeclared,
                status: head.status.code)
        else { return }
        let related = Invalidation.relatedTargets(
            scheme: request.scheme, authority: request.authority, target: request.origin.target,
            fields: head.headerFields)
        engine.invalidate(
            surface: request.surface, scheme: request.scheme, authority: request.authority,
            targets: [request.origin.target] + related)
        engine.invalidateGroups(
            scheme: request.scheme, authority: request.authority,
            names: CacheGroups.invalidated(
                by: request.facts.method, isDeclared: request.isDeclared, fields: head.headerFields)
        )
    }
}

extension Passthrough: OriginReceiver {
    func originInformational(_ head: HTTPResponse) {
        client?.answer(informational: head.withoutHopByHop)
    }

    func originHead(_ head: HTTPResponse, framing: OriginFraming) {
        hasHead = true
        // An invalidation since is newer than this answer; its own is not to take it.
        let isNewest = laterKey?.isCurrent(engine) ?? false
        invalidateIfNeeded(head)
        if isNewest, let laterKey {
            later = LaterAnswer(
                engine: engine, request: request, key: laterKey, head: head, framing: framing,
                requestTime: requestTime)
        }
        client?.answer(
            head: head.forwarded(
                via: engine.configuration.viaName, receivedAt: engine.clock.now()),
            framing: framing,
            status: CacheStatus(
                result: .forwarded(request.reason), forwardStatus: head.status.code,
                isStored: later != nil, detail: request.detail))
    }

    func originBody(_ part: ByteBuffer) {
        if later?.append(part) == false { later = nil }
        client?.answer(body: part)
    }

    func originTrailers(_ trailers: HTTPFields) {
        client?.answer(trailers: trailers)
    }

    func originEnd() {
        later?.store()
        let client = client
        end()
        client?.answerEnd()
    }

    func originFailed(_ error: OriginError) {
        engine.originFailures.note(error, now: engine.clock.now(), logger: engine.logger)
        invalidateIfUnknown()
        fail(.origin(error))
    }

    func originWritabilityChanged(_ isWritable: Bool) {
        if isWritable { client?.answerWantsRequestBody() }
    }
}
