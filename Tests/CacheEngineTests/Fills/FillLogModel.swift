import CacheTestKit
import NIOCore

@testable import CacheEngine

/// One log with an origin, a writer and clients that do at every turn what a seed says.
///
/// It checks after every turn what must always be true; `faults` says what was not.
struct FillLogModel {
    struct Client {
        var reader: LogReader
        /// Turns that it does nothing.
        var pause = 0
        var hasLeft = false
        var last = ""
    }

    private enum Fate: CaseIterable { case whole, rows, growsIntoRows, nothing }

    private(set) var log: FillLogState
    private(set) var faults: [String] = []
    private(set) var clients: [Client] = []
    private var random: SeededGenerator
    private let fate: Fate
    private let length: Int
    private let chunk: Int
    private let partLimit: Int
    /// The origin fails here, if anywhere.
    private let failsAt: Int?
    /// The writer fails at this chunk, if at any.
    private let writerFailsAt: Int?
    private var sent = 0
    private var isPaused = false
    /// Handed out and not committed, in order.
    private var underway: [FillLogState.Chunk] = []
    /// What the file holds: it stays although storing was given up.
    private var rows: [ByteBuffer] = []
    private var written = ByteBuffer()
    private var isStoring = false
    private var hasStored = false

    private static let share = 3
    private static let inlineLimit = 40

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        chunk = Int.random(in: 1...24, using: &random)
        partLimit = Int.random(in: 1...60, using: &random)
        length = Int.random(in: 0...400, using: &random)
        failsAt = Int.random(in: 0..<5, using: &random) == 0 ? length / 2 : nil
        writerFailsAt =
            Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0...9, using: &random) : nil
        fate = Fate.allCases.randomElement(using: &random) ?? .rows
        log = FillLogState(
            chunk: chunk, window: Int.random(in: 0...100, using: &random),
            pacing: Int.random(in: 1...60, using: &random))
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            clients.append(Client(reader: LogReader(&log)))
        }
        self.random = random
    }

    mutating func run() {
        _ = log.open(.head(fillHead()))
        switch fate {
        case .nothing: break
        case .rows: beginRows()
        case .whole, .growsIntoRows: log.keep(.whole)
        }
        for _ in 0..<Int.random(in: 0...300, using: &random) { turn() }
        // Everybody goes on as fast as he can, and all must end.
        for index in clients.indices { clients[index].pause = 0 }
        var turns = 0
        while !isFinished, turns < 5_000 {
            originTurn()
            writerTurn(mayRest: false)
            for index in clients.indices { clientTurn(index) }
            check()
            turns += 1
        }
        if !isFinished { faults.append("it does not end: \(log.windowBytes) in the window") }
        checkEnd()
    }

    private var isFinished: Bool {
        log.isOver && underway.isEmpty && clients.allSatisfy { $0.hasLeft || $0.reader.isOver }
    }

    private mutating func turn() {
        switch Int.random(in: 0..<12, using: &random) {
        case 0...2: originTurn()
        case 3...4: writerTurn(mayRest: true)
        case 5 where clients.count < 12 && log.isReadableFromStart:
            clients.append(Client(reader: LogReader(&log)))
        case 6:
            if log.mustPace, Bool.random(using: &random) { _ = log.cutSlowest() }
        default:
            guard let index = clients.indices.randomElement(using: &random) else { return }
            if clients[index].pause > 0 {
                clients[index].pause -= 1
            } else if Int.random(in: 0..<40, using: &random) == 0 {
                leave(index)
            } else {
                if Int.random(in: 0..<6, using: &random) == 0 {
                    clients[index].pause = Int.random(in: 1...20, using: &random)
                }
                clientTurn(index)
            }
        }
        check()
    }

    // MARK: Who does what

    private mutating func originTurn() {
        isPaused = log.mustPace || (isStoring && underway.count >= Self.share)
        guard !log.isOver, !isPaused else { return }
        if sent == failsAt {
            if isStoring { giveUp() }
            _ = log.end(.failed(.origin(.closed)))
            return
        }
        if sent == length { return end() }
        let limit = failsAt.map { $0 > sent ? $0 : length } ?? length
        let count = min(Int.random(in: 0...partLimit, using: &random), limit - sent)
        _ = log.append(patterned(sent..<sent + count))
        sent += count
        if fate == .growsIntoRows, log.keeping == .whole, sent > Self.inlineLimit { beginRows() }
        take(log.takeChunks())
    }

    private mutating func end() {
        if log.keeping == .whole, log.whole() != patterned(0..<length) {
            faults.append("the whole is not the body")
        }
        take(log.takeChunks(isLast: true))
        hasStored = isStoring
        _ = log.end(.complete)
    }

    private mutating func beginRows() {
        isStoring = true
        log.keep(.rows, body: BodyID(rawValue: 1))
    }

    private mutating func take(_ chunks: [FillLogState.Chunk]) {
        for chunk in chunks {
            let isLast = chunk.bytes.readableBytes < self.chunk
            if isLast && sent < length { faults.append("a short chunk in mid-body") }
            if chunk.sequence * self.chunk != written.readableBytes {
                faults.append("chunk \(chunk.sequence) is out of order")
            }
            written.writeImmutableBuffer(chunk.bytes)
            underway.append(chunk)
        }
    }

    /// Commits are in order, several of them at once.
    private mutating func writerTurn(mayRest: Bool) {
        for _ in 0..<Int.random(in: 1...2, using: &random) where !underway.isEmpty {
            if mayRest, Bool.random(using: &random) { return }
            let chunk = underway.removeFirst()
            if chunk.sequence == writerFailsAt, !log.isOver { return giveUp() }
            rows.append(chunk.bytes)
            log.committed(chunk.sequence)
        }
    }

    private mutating func giveUp() {
        isStoring = false
        underway = []
        log.giveUpStoring()
    }

    private mutating func clientTurn(_ index: Int) {
        guard !clients[index].hasLeft, !clients[index].reader.isOver else { return }
        let text = clients[index].reader.step(&log)
        clients[index].last = text
        if text.hasPrefix("row ") {
            let parts = text.dropFirst(4).split(separator: "+").compactMap { Int($0) }
            guard parts.count == 2, rows.indices.contains(parts[0]),
                let bytes = rows[parts[0]].getSlice(
                    at: parts[1], length: rows[parts[0]].readableBytes - parts[1])
            else { return faults.append("client \(index) is sent to \(text), which is not there") }
            clients[index].reader.takeRow(bytes, &log)
        }
        if clients[index].reader.isOver { log.leave(clients[index].reader.number) }
    }

    private mutating func leave(_ index: Int) {
        guard !clients[index].hasLeft, !clients[index].reader.isOver else { return }
        clients[index].hasLeft = true
        log.leave(clients[index].reader.number)
    }

    // MARK: What must be true

    private mutating func check() {
        let inHand = underway.reduce(0) { $0 + $1.bytes.readableBytes }
        let bound =
            switch log.keeping {
            case .whole: fate == .whole ? length : Self.inlineLimit + partLimit
            case .rows: log.limits.windowBytes + inHand + 2 * chunk + partLimit
            // What was in the window when storing was given up waits for whoever is behind it.
            case .nothing:
                log.limits.pacingBytes + partLimit + (fate == .nothing ? 0 : leftBound)
            }
        if log.windowBytes > bound { faults.append("\(log.windowBytes) bytes, bound \(bound)") }
        if log.windowStart > log.windowEnd || log.windowBytes < 0 { faults.append("no window") }
        let running = clients.count { !$0.hasLeft && !$0.reader.isOver }
        if log.cursorCount != running { faults.append("\(log.cursorCount) cursors of \(running)") }
    }

    private var leftBound: Int {
        log.limits.windowBytes + (Self.share + 2) * chunk + 2 * partLimit + Self.inlineLimit
    }

    private mutating func checkEnd() {
        for (index, client) in clients.enumerated() {
            faults += client.reader.faults.map { "client \(index): \($0)" }
            if client.last == "end", client.reader.position != length {
                faults.append("client \(index) ended at \(client.reader.position) of \(length)")
            }
            if client.reader.position > sent { faults.append("client \(index) got too much") }
        }
        if log.ending == .complete, hasStored, written != patterned(0..<length) {
            faults.append("the chunks are not the body")
        }
        if log.keeping != .whole, log.windowBytes > 0 {
            faults.append("\(log.windowBytes) bytes stay")
        }
    }
}
