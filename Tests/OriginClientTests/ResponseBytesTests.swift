import CacheEngine
import NIOCore
import Testing

@testable import OriginClient

@Suite("Checks on an answer's bytes")
struct ResponseBytesTests {
    @Test(
        "status lines, whole and byte by byte",
        arguments: [
            ("HTTP/1.1 200 OK\r\n", true), ("HTTP/1.0 599 \r\n", true), ("HTTP/1.1 200\r\n", true),
            ("HTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nRTSP", true),
            ("HTTP/1.1 100\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 204\r\n", true),
            ("HTTP/1.1 103 x\r\n\r\nRTSP/1.0 200 OK\r\n", false), ("HTTP/1.1 600 x", false),
            ("RTSP/1.0 200 OK\r\n", false), ("HTTP/1.2 200", false), ("HTTP/1.1 0200", false),
            ("HTTP/1.1 20", true), ("HTTP/1.1 2000", false), ("\r\nHTTP/1.1", false),
        ])
    func statusLines(wire: String, isAccepted: Bool) {
        var whole = StatusLineCheck()
        #expect(whole.accepts(ByteBuffer(string: wire)) == isAccepted)
        var sliced = StatusLineCheck()
        var accepted = true
        for byte in wire.utf8 where accepted {
            accepted = sliced.accepts(ByteBuffer(bytes: [byte]))
        }
        #expect(accepted == isAccepted)
    }

    @Test(
        "bytes behind the end",
        arguments: [
            (OriginFraming.length(2), "..\r\n\r\nhi", "hi", false),
            (.length(2), "..\r\n\r\nhi\n", "hi", true), (.length(2), "hi\r\n", "hi", true),
            (.length(12), "..\r\n\r\nhello, world", "hello, world", false),
            (.length(12), "..\r\n\r\nhello, world!", "hello, world", true),
            (.length(0), "..\r\n\r\n", "", false), (.length(0), "..\r\n\r\n\r", "", true),
            (.none, "..\r\n\r\n", "", false), (.none, "..\r\n\r\nHTTP/1.1", "", true),
            (.chunked, "2\r\nhi\r\n0\r\n\r\n", "hi", false),
            (.chunked, "2\r\nhi\r\n0\r\n\r\n\r\n", "hi", true),
            (.chunked, "2\r\nhi\r\n0\r\n\r\n\n", "hi", true),
        ])
    func surplus(framing: OriginFraming, wire: String, body: String, hasSurplus: Bool) {
        var whole = SurplusCheck()
        whole.received(ByteBuffer(string: wire))
        whole.decoded(ByteBuffer(string: body))
        #expect(whole.hasSurplus(framing) == hasSurplus)
        var sliced = SurplusCheck()
        for byte in wire.utf8 { sliced.received(ByteBuffer(bytes: [byte])) }
        for byte in body.utf8 { sliced.decoded(ByteBuffer(bytes: [byte])) }
        #expect(sliced.hasSurplus(framing) == hasSurplus)
    }
}
