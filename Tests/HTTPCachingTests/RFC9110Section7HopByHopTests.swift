import HTTPCaching
import HTTPTypes
import Testing

@Suite("RFC 9110 §7.6.1 Connection")
struct RFC9110Section7HopByHopTests {
    @Test(
        "fields that end at the hop",
        arguments: [
            "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
            "Proxy-Authentication-Info", "Proxy-Authorization", "TE", "Trailer",
            "Transfer-Encoding", "Upgrade",
        ])
    func known(name: String) {
        let fields = makeFields([name: "x", "Content-Type": "text/plain", name.uppercased(): "y"])
        #expect(linesOf(HopByHop.removed(from: fields)) == ["Content-Type: text/plain"])
        #expect(HopByHop.isHopByHop(name.lowercased()))
    }

    @Test("others travel on", arguments: ["proxy-status", "via", "te2", "cache-control", ""])
    func endToEnd(name: String) {
        #expect(!HopByHop.isHopByHop(name))
    }

    @Test("what Connection names goes, in any case, from any line")
    func nominated() {
        let fields = makeFields([
            "A": "1", "Connection": "close, b", "B": "2", "connection": "\tC ,,", "c": "3",
            "b": "4",
            "a": "5",
        ])
        #expect(linesOf(HopByHop.removed(from: fields)) == ["A: 1", "a: 5"])
    }

    @Test(
        "what is for all recipients stays, whatever Connection says",
        arguments: [
            "Cache-Control", "Content-Type", "Content-Encoding", "Vary", "ETag", "Set-Cookie",
            "Age", "Date", "Expires", "Last-Modified", "CDN-Cache-Control", "Via", "Accept-Ranges",
            "Host", "Authorization", "Cookie", "Range", "If-None-Match", "X-Forwarded-For",
        ])
    func protected(name: String) {
        #expect(!HopByHop.mayBeNominated(name.lowercased()))
        let fields = makeFields([name: "x", "Connection": "close, " + name])
        #expect(linesOf(HopByHop.removed(from: fields)) == [name + ": x"])
    }

    @Test("options of Connection lines")
    func options() {
        #expect(HopByHop.connectionOptions([]) == [])
        #expect(
            HopByHop.connectionOptions(["Close, X-A", ",\tKEEP-ALIVE ,", ""])
                == ["close", "x-a", "keep-alive"])
        #expect(HopByHop.mayBeNominated("x-a"))
        #expect(HopByHop.mayBeNominated("keep-alive"))
    }

    @Test("order, case and duplicates of the others stay")
    func order() {
        let fields = makeFields(["X-b": "1", "x-A": "2", "X-B": "3"])
        #expect(linesOf(HopByHop.removed(from: fields)) == ["X-b: 1", "x-A: 2", "X-B: 3"])
    }
}
