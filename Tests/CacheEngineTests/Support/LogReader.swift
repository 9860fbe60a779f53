import HTTPCaching
import HTTPTypes
import NIOCore

@testable import CacheEngine

/// The bytes of a body in which every byte tells its place.
func patterned(_ range: Range<Int>) -> ByteBuffer {
    var buffer = ByteBufferAllocator().buffer(capacity: range.count)
    for place in range { buffer.writeInteger(patternByte(place)) }
    return buffer
}

func patternByte(_ place: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: (UInt64(place) &+ 1) &* 0x9E37_79B9_7F4A_7C15 >> 56)
}

/// Whether these are the bytes of that body at this place.
func isPatterned(_ bytes: ByteBuffer, from start: Int) -> Bool {
    bytes.readableBytesView.enumerated().allSatisfy { $0.element == patternByte(start + $0.offset) }
}

func fillHead(isShared: Bool = true) -> FillHead {
    FillHead(
        head: HTTPResponse(status: .ok), framing: .chunked,
        status: CacheStatus(result: .forwarded(.uriMiss)), isShared: isShared, variant: .none)
}

extension FillLogState {
    init(chunk: Int, window: Int = 0, pacing: Int = 1 << 20) {
        self.init(limits: Limits(chunkBytes: chunk, windowBytes: window, pacingBytes: pacing))
    }

    /// A log whose head has come.
    static func opened(chunk: Int = 4, window: Int = 0, pacing: Int = 1 << 20) -> FillLogState {
        var log = FillLogState(chunk: chunk, window: window, pacing: pacing)
        _ = log.open(.head(fillHead()))
        return log
    }

    /// The next so many bytes of the patterned body.
    @discardableResult
    mutating func grow(by count: Int) -> Woken {
        let end = Int(windowEnd)
        return append(patterned(end..<end + count))
    }

    mutating func grow(_ parts: [Int]) {
        for part in parts { grow(by: part) }
    }
}

/// A reader of a log that checks every byte against its place.
struct LogReader {
    let number: Int
    private(set) var position = 0
    /// Head, end or failure was seen.
    private(set) var hasHead = false
    private(set) var isOver = false
    private(set) var faults: [String] = []

    init(_ log: inout FillLogState, audience: Int = 0) {
        number = log.attach(audience: audience)
    }

    /// One step; a row is not read by it.
    mutating func step(_ log: inout FillLogState) -> String {
        let step = log.next(number)
        switch step {
        case .head:
            if hasHead { faults.append("a second head") }
            hasHead = true
        case .bytes(let bytes): take(bytes)
        case .end, .failed, .stored: isOver = true
        case .wait, .row: break
        }
        return Self.text(step, from: position)
    }

    /// Everything there is, joined; stops before a row.
    mutating func readOn(_ log: inout FillLogState) -> String {
        var all: [String] = []
        while true {
            let text = step(&log)
            if text == "wait" { break }
            all.append(text)
            if isOver || text.hasPrefix("row") { break }
        }
        return all.joined(separator: ", ")
    }

    /// Takes the bytes of a row that `next` named.
    mutating func takeRow(_ bytes: ByteBuffer, _ log: inout FillLogState) {
        log.passed(number, bytes: bytes.readableBytes)
        take(bytes)
    }

    private mutating func take(_ bytes: ByteBuffer) {
        if !hasHead { faults.append("bytes before the head") }
        if bytes.readableBytes == 0 { faults.append("no bytes at \(position)") }
        if !isPatterned(bytes, from: position) { faults.append("wrong bytes at \(position)") }
        position += bytes.readableBytes
    }

    private static func text(_ step: FillLogState.Step, from position: Int) -> String {
        switch step {
        case .wait: "wait"
        case .head: "head"
        case .stored: "stored"
        case .bytes(let bytes): "\(position - bytes.readableBytes)..<\(position)"
        case .row(_, let sequence, let skip): "row \(sequence)+\(skip)"
        case .end: "end"
        case .failed(let failure): "failed \(failure)"
        }
    }
}
