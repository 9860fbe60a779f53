import CacheTestKit
import Testing

/// The small origin that comes with the binary.
@Suite(.drivesProcesses)
struct DemoOriginTests {
    @Test func itAnswersCountsAndCanBeCached() throws {
        let directory = try TemporaryDirectory()
        let demo = try LarderProcess(
            ["demo-origin", "--listen", "127.0.0.1:0", "--delay", "10ms"],
            directory: directory.path, outputName: "demo")
        let direct = try RawClient(port: demo.port)
        let before = try direct.exchange("GET", "/count")
        #expect(before.status == 200)
        #expect(before.text.contains { $0.isNumber })
        let larder = try LarderProcess(
            [
                "serve", "--listen", "127.0.0.1:0", "--origin", "http://127.0.0.1:\(demo.port)",
                "--cache-post", "/search",
            ], directory: directory.path)
        let client = try RawClient(port: larder.port)
        let query = Array("{\"query\": \"swift\"}".utf8)
        let type: WireFields = ["Content-Type": "application/json"]
        let miss = try client.exchange("POST", "/search", type, body: query)
        #expect(miss.status == 200)
        #expect(miss.xCache == "MISS")
        let counted = try direct.exchange("GET", "/count").text
        #expect(counted.contains("/search"))
        let hit = try client.exchange("POST", "/search", type, body: query)
        #expect(hit.isHit)
        #expect(hit.body == miss.body)
        #expect(try direct.exchange("POST", "/search", type, body: query).status == 200)
        withExtendedLifetime((demo, larder)) {}
    }
}
