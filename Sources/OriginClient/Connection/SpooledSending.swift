import CacheEngine
import NIOCore

/// Sends spooled content as the body of one request over one connection; a further attempt has one
/// of its own.
///
/// One part is in memory at a time: the next is read when the connection takes more. Confined to
/// the connection's loop.
final class SpooledSending {
    private let content: any SpooledContent
    private let loop: any EventLoop
    private var cursor: SpoolCursor
    /// `nil` when there is nothing more to send for it.
    private weak var connection: OriginConnection?

    init(_ content: any SpooledContent, over connection: OriginConnection, on loop: any EventLoop) {
        self.content = content
        self.connection = connection
        self.loop = loop
        cursor = SpoolCursor(length: content.length)
    }

    /// The answer is complete, or the connection gone.
    func stop() {
        connection = nil
    }

    func next(isWritable: Bool) {
        guard let connection else { return }
        switch cursor.next(isWritable: isWritable) {
        case .wait: break
        case .read(let offset, let count): read(at: offset, count: count)
        case .finished: connection.finishBody()
        case .failed: connection.loseBody()
        }
    }

    private func read(at offset: Int64, count: Int) {
        let bound = NIOLoopBound(self, eventLoop: loop)
        content.read(at: offset, count: count, on: loop) { bound.value.took($0) }
    }

    private func took(_ part: ByteBuffer?) {
        guard let connection else { return }
        let action = cursor.read(bytes: part?.readableBytes)
        guard action != .failed, let part else { return connection.loseBody() }
        next(isWritable: connection.write(part))
    }
}

@available(*, unavailable)
extension SpooledSending: Sendable {}
