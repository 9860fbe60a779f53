import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import NIOHTTP1

/// Takes a native request's content, carries it out and answers.
///
/// Confined to its connection's loop; what it has begun goes on when the client leaves.
final class NativeExchange: AnswerSource {
    private let responder: CacheAPIResponder
    private weak var answer: Answer?
    private let target: String
    private let refusal: CacheReply?
    private var content = ByteBuffer()
    private var isTooLong = false
    private let charge: BudgetCharge
    /// Sends stored responses, once they are found.
    private var sending: (any AnswerSource)?
    private var isPaused = false

    private static let contentBytesMax = 128 << 10

    init(responder: CacheAPIResponder, head: GatedHead, answer: Answer) {
        self.responder = responder
        self.answer = answer
        charge = BudgetCharge(responder.engine.budget)
        target = head.target
        refusal = Self.refusal(of: head)
    }

    /// Programs send neither of the fields by which a browser says which page asks; and a page of
    /// another site cannot send JSON without asking before.
    private static func refusal(of head: GatedHead) -> CacheReply? {
        if head.headers.contains(name: "origin") || head.headers.contains(name: "sec-fetch-site") {
            return .problem(.forbidden, "this is not for pages in a browser")
        }
        let type = head.headers["content-type"].first?.split(separator: ";").first ?? ""
        guard type.lowercased().filter({ $0 != " " }) == "application/json" else {
            return .problem(.unsupportedMediaType, "Content-Type is not application/json")
        }
        return nil
    }

    func write(_ part: ByteBuffer) -> Bool {
        isTooLong = isTooLong || content.readableBytes + part.readableBytes > Self.contentBytesMax
        if isTooLong { content = ByteBuffer() } else { content.writeImmutableBuffer(part) }
        charge.set(content.storageCapacity)
        return true
    }

    func finishRequestBody() {
        if let refusal { return reply(refusal) }
        guard !isTooLong else {
            return reply(.problem(.contentTooLarge, "the content is longer than 128 KiB"))
        }
        do {
            carryOut(try NativeRequest(target: target, content: content.readableBytesView))
        } catch {
            reply(.problem(.badRequest, error.detail))
        }
    }

    private func carryOut(_ request: NativeRequest) {
        let (engine, loop) = (responder.engine, responder.loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        Task {
            let outcome = await request.outcome(on: engine)
            loop.execute { bound.value.end(outcome) }
        }
    }

    private func reply(_ reply: CacheReply) {
        answer?.reply(reply)
    }

    private func end(_ outcome: NativeRequest.Outcome) {
        guard let answer else { return }
        let sending: any AnswerSource
        switch outcome {
        case .reply(let reply): return self.reply(reply)
        case .stored(let stored): sending = MatchExchange(responder, stored, answer: answer)
        case .all(let rows, let walk):
            sending = MatchAllExchange(responder, rows, walk, answer: answer)
        }
        self.sending = sending
        if isPaused { sending.pause() }
    }

    func pause() {
        isPaused = true
        sending?.pause()
    }

    func resume() {
        isPaused = false
        sending?.resume()
    }

    func leave() {
        answer = nil
        sending?.leave()
    }
}
