import Logging
import NIOHTTP1
import Testing

@testable import larder

@Suite("Calendar of UTC")
struct CivilTimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.007Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "1994-11-06T08:49:37.007Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "2000-02-29T00:00:00.007Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_225_599, "2025-12-31T23:59:59.007Z", "Wed, 31 Dec 2025 23:59:59 GMT"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z", "Mon, 01 Mar 2100 00:00:00 GMT"),
            (-1, "1969-12-31T23:59:59.007Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
        ] as [(Int64, String, String)])
    func moments(seconds: Int64, timestamp: String, httpDate: String) {
        #expect(CivilTime(seconds).timestamp(milliseconds: 7) == timestamp)
        #expect(CivilTime(seconds).httpDate == httpDate)
    }
}

@Suite("Log lines")
struct LineLogHandlerTests {
    private func line(_ message: Logger.Message, _ metadata: Logger.Metadata?) -> String {
        var handler = LineLogHandler(level: .info) { _ in }
        handler[metadataKey: "part"] = "store"
        let event = LogEvent(
            level: .info, message: message, metadata: metadata, source: "larder", file: "",
            function: "", line: 0)
        return handler.line(event, time: "T")
    }

    @Test func metadataIsSortedAndQuotedWhereNeeded() {
        #expect(line("larder listens", nil) == "T info    larder listens part=store\n")
        #expect(
            line("stop", ["z": "1", "reason": "a \"b\" c", "empty": "", "part": "own"])
                == "T info    stop empty=\"\" part=own reason=\"a \\\"b\\\" c\" z=1\n")
    }

    @Test func noInputForgesALine() {
        let line = line("a\nb", ["target": "/x\r\nT error forged\u{1B}[0m\u{2028}\u{85}"])
        #expect(line.unicodeScalars.filter { $0.value < 0x20 }.count == 1)
        #expect(line.unicodeScalars.allSatisfy { !(0x7F...0x9F).contains($0.value) })
        #expect(!line.contains("\u{2028}"))
    }
}

@Suite("Pages of the demo origin")
struct DemoSiteTests {
    private let site = DemoSite()

    private func ask(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders = [:], _ content: String = ""
    ) -> (answer: DemoAnswer, text: String) {
        let answer = site.answer(
            DemoRequest(method: method, path: path, headers: headers, content: Array(content.utf8)),
            now: 784_111_777)
        return (answer, String(decoding: answer.content, as: UTF8.self))
    }

    @Test func searchesEchoAndCount() {
        for served in 1...2 {
            let (answer, text) = ask(.POST, "/search", [:], "{\"query\": \"c\\u00e4ts\"}")
            #expect(answer.status == .ok)
            #expect(text.contains("\"query\":\"c\u{E4}ts\""))
            #expect(text.contains("\"served\":\(served)"))
            #expect(answer.headers["cache-control"].isEmpty)
        }
        #expect(ask(.POST, "/search", [:], "{\"query\": 1").answer.status == .badRequest)
        #expect(
            ask(.POST, "/graphql", [:], "{\"query\": \"{a}\"}").text.contains("\"echo\":\"{a}\""))
        #expect(
            ask(.GET, "/count").text
                == "{\"GET /count\":1,\"POST /graphql\":1,\"POST /search\":3}\n")
    }

    @Test func articlesAndTimeValidate() {
        for path in ["/articles/7", "/time"] {
            let (full, _) = ask(.GET, path)
            let etag = full.headers.first(name: "etag") ?? ""
            #expect(full.status == .ok)
            #expect(!full.content.isEmpty)
            let (known, _) = ask(.GET, path, ["if-none-match": "\"other\", \(etag)"])
            #expect(known.status == .notModified)
            #expect(known.content.isEmpty)
            #expect(known.headers["etag"] == [etag])
            #expect(ask(.GET, path, ["if-none-match": "\"other\""]).answer.status == .ok)
            #expect(ask(.HEAD, path).answer.headers["etag"] == [etag])
        }
        #expect(
            ask(.GET, "/articles/1").answer.headers["last-modified"] == [
                "Thu, 01 Jan 2026 00:00:00 GMT"
            ])
        for path in ["/articles/0", "/articles/x", "/articles/01", "/articles/10001", "/articles/"]
        {
            #expect(ask(.GET, path).answer.status == .notFound)
        }
    }

    @Test func ordersPrivateAndTheRest() {
        #expect(ask(.GET, "/orders").text == "{\"orders\":0}\n")
        let order = ask(.POST, "/orders")
        #expect(order.answer.status == .created)
        #expect(order.answer.headers["location"] == ["/orders"])
        #expect(ask(.GET, "/orders").text == "{\"orders\":1}\n")
        #expect(ask(.GET, "/private").answer.status == .unauthorized)
        let personal = ask(.GET, "/private", ["authorization": "Bearer secret"])
        #expect(personal.answer.headers["cache-control"] == ["private, max-age=60"])
        #expect(!personal.text.contains("secret"))
        #expect(ask(.PUT, "/search").answer.status == .notFound)
        #expect(ask(.GET, "/").text == DemoSite.index)
    }

    @Test func countedPagesAreBounded() {
        for page in 1...1100 {
            _ = ask(.GET, "/x\(page)")
        }
        let text = ask(.GET, "/count").text
        #expect(text.contains("\"other\":101"))
        #expect(!text.contains("/x1001\""))
    }
}
