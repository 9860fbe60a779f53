import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOCore

/// A put: takes the content apart as it comes, stores the response when all of it is here.
///
/// What is not to be stored is taken to its end all the same: the workers' runtime looks at the
/// answer only then. Confined to its connection's loop.
final class PutExchange: AnswerSource {
    private enum Phase {
        case head(PutPayload, Key)
        case content(CachePut, PayloadHead)
        case refused(NoStoreReason, detail: String?)
        case ended
    }

    /// What the response is put under, and when.
    private struct Key {
        var request: CacheKeyRequest
        var identity: EntryIdentity
        var start: CachePut.Start
    }

    private let responder: CacheAPIResponder
    private weak var answer: Answer?
    private var phase: Phase
    private var received: Int64 = 0
    /// For a head that is not whole yet.
    private let charge: BudgetCharge

    init(
        responder: CacheAPIResponder,
        request: Result<(CacheKeyRequest, EntryIdentity), CacheKeyRequest.Unkeyed>, answer: Answer
    ) {
        self.responder = responder
        self.answer = answer
        charge = BudgetCharge(responder.engine.budget)
        switch request {
        case .success(let (request, identity)):
            // A deletion from here on is newer, although nothing of the response has come.
            let start = CachePut.Start(identity, on: responder.engine)
            phase = .head(PutPayload(), Key(request: request, identity: identity, start: start))
        case .failure(let why):
            phase = .refused(.unkeyed, detail: why.rawValue)
        }
    }

    func write(_ part: ByteBuffer) -> Bool {
        switch phase {
        case .head(var payload, let key):
            phase = .ended
            let step = payload.append(part)
            charge.set(0)
            switch step {
            case .more where responder.engine.budget.level == .noReading:
                phase = .refused(.overload, detail: nil)
            case .more:
                charge.set(payload.byteCount)
                phase = .head(payload, key)
            case .malformed: phase = .refused(.malformed, detail: Self.noResponse)
            case .head(let head, let rest): return begin(head, rest, key)
            }
            return true
        case .content(let put, _):
            received += Int64(part.readableBytes)
            return put.write(part)
        case .refused, .ended: return true
        }
    }

    private static let noResponse = "the content does not begin with the head of an HTTP/1 response"

    private func begin(_ head: PayloadHead, _ rest: ByteBuffer, _ key: Key) -> Bool {
        let request = key.request
        let decision = PutRules.decide(
            status: head.status.code, fields: head.fields,
            hasAuthorization: request.hasAuthorization, overrides: request.overrides,
            policy: responder.settings.policy, now: responder.engine.now)
        switch decision {
        case .failure(let reason):
            phase = .refused(reason, detail: nil)
            return true
        case .success(let plan):
            let put = CachePut(
                engine: responder.engine,
                head: .init(identity: key.identity, status: head.status, plan: plan),
                start: key.start, announced: head.announcedLength, loop: responder.loop)
            put.onRoom = { [weak self] in self?.answer?.answerWantsRequestBody() }
            phase = .content(put, head)
            guard rest.readableBytes > 0 else { return true }
            received = Int64(rest.readableBytes)
            return put.write(rest)
        }
    }

    func finishRequestBody() {
        let ended = phase
        phase = .ended
        switch ended {
        case .ended: break
        case .head: reply(.refused(.malformed), detail: "the content ends within a response's head")
        case .refused(let reason, let detail): reply(.refused(reason), detail: detail)
        case .content(let put, let head):
            if let why = contradiction(in: head) {
                put.cancel(because: .malformed)
                return reply(.refused(.malformed), detail: why)
            }
            put.finish { [weak self] in self?.reply($0, detail: nil) }
        }
    }

    /// Why the content cannot be that of the head.
    private func contradiction(in head: PayloadHead) -> String? {
        if head.isLengthAmbiguous { return "the response's Content-Length is not one number" }
        if let announced = head.announcedLength, announced != received {
            return "the response announces \(announced) bytes, and \(received) came"
        }
        // RFC 9110 §15.3.5, §15.3.6
        if head.status.code == 204 || head.status.code == 205, received > 0 {
            return "a \(head.status.code) has no content"
        }
        return nil
    }

    private func reply(_ result: CachePutResult, detail: String?) {
        answer?.reply(.put(result, detail: detail))
    }

    /// Before the end: what was stored before stays.
    func leave() {
        answer = nil
        if case .content(let put, _) = phase { put.cancel() }
        phase = .ended
    }
}
