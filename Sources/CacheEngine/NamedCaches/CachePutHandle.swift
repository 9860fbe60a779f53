package import HTTPCaching
package import NIOCore
import NIOPosix

/// A put by a task: its content is written as fast as it can be kept, from wherever the task runs.
package struct CachePutHandle: Sendable {
    private let put: NIOLoopBound<CachePut>
    private let loop: any EventLoop

    /// Pieces that are written at a time, so that a large one does not claim memory at once.
    private static let pieceBytes = 128 << 10

    package init(
        engine: Engine, head: CachePut.Head, start: CachePut.Start, announced: Int64?
    ) async throws {
        let loop = NIOSingletons.posixEventLoopGroup.next()
        put = try await loop.submit {
            let put = CachePut(
                engine: engine, head: head, start: start, announced: announced, loop: loop)
            return NIOLoopBound(put, eventLoop: loop)
        }.get()
        self.loop = loop
    }

    /// Writes a part; returns when there is room for the next.
    package func write(_ part: ByteBuffer) async {
        var rest = part
        while let piece = rest.readSlice(length: min(rest.readableBytes, Self.pieceBytes)),
            piece.readableBytes > 0
        {
            await writePiece(piece)
        }
    }

    private func writePiece(_ part: ByteBuffer) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            loop.execute { [put] in
                let put = put.value
                guard !put.write(part) else { return continuation.resume() }
                put.onRoom = {
                    put.onRoom = nil
                    continuation.resume()
                }
            }
        }
    }

    /// All of the content has been written.
    package func finish() async -> CachePutResult {
        await withCheckedContinuation { continuation in
            loop.execute { [put] in
                put.value.finish { continuation.resume(returning: $0) }
            }
        }
    }

    /// Nothing is stored.
    package func cancel(because reason: NoStoreReason = .incomplete) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            loop.execute { [put] in
                put.value.cancel(because: reason)
                continuation.resume()
            }
        }
    }
}
