import CacheEngine
import CacheKeys
import NIOCore

/// A deletion of everything that is stored under one URL of a cache; answered when the file says so.
///
/// Confined to its connection's loop; it goes on when the client leaves.
final class PurgeExchange: AnswerSource {
    private weak var answer: Answer?

    init(responder: CacheAPIResponder, identity: EntryIdentity, answer: Answer) {
        self.answer = answer
        let (engine, loop) = (responder.engine, responder.loop)
        let bound = NIOLoopBound(self, eventLoop: loop)
        Task {
            let result: Result<Bool, CacheFailure>
            do throws(CacheFailure) {
                result = .success(try await engine.deleteAll(of: identity))
            } catch {
                result = .failure(error)
            }
            loop.execute { bound.value.answer?.reply(.purge(result)) }
        }
    }

    func leave() { answer = nil }
}
