package import NIOCore
import NIOPosix

/// The rows of a stored body for who reads them one at a time: they stay as long as this does,
/// whatever becomes of their response.
package final class PinnedBody: Sendable {
    package let body: ChunkedBody
    private let stored: StoredResponse
    private let engine: Engine

    /// - Parameter body: of `stored`.
    package init(_ body: ChunkedBody, of stored: StoredResponse, engine: Engine) {
        self.body = body
        self.stored = stored
        self.engine = engine
        engine.pins.pin(body.id)
    }

    deinit { engine.pins.unpin(body.id) }

    /// One chunk, verified; nil when it cannot be read: the response is found no more if it is lost.
    package func chunk(_ sequence: Int) async -> ByteBuffer? {
        if let bytes = body.uncommitted?.chunk(sequence) { return bytes }
        let loop = NIOSingletons.posixEventLoopGroup.next()
        let finding = await withCheckedContinuation { continuation in
            engine.readChunk(sequence, of: body.id, on: loop) { continuation.resume(returning: $0) }
        }
        if case .bytes(let bytes) = finding,
            bytes.readableBytes == body.length(ofChunk: sequence)
        {
            return bytes
        }
        if finding != .unreadable { engine.discard(stored, lostBody: body.id) }
        return nil
    }
}
