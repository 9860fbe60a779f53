import CacheTestKit
import Testing

/// No answer crosses credentials unless the response or the route says so.
@Suite(.drivesProcesses)
struct CredentialTests {
    struct Row: CustomTestStringConvertible {
        let field: String
        let method: String
        let control: String
        /// The response itself allows everybody to have it.
        let isShared: Bool
        /// A caller gets their own answer again.
        let isKept: Bool

        var testDescription: String { "\(method) \(field) \(control)" }
    }

    // RFC 9111 §3.5 speaks of Authorization only; keys of APIs are held to it too. A Cookie forbids
    // heuristic lifetimes, not explicit ones.
    static let rows: [Row] = ["Authorization", "Cookie", "X-Api-Key"].flatMap { field in
        [
            Row(
                field: field, method: "GET", control: "max-age=600", isShared: field == "Cookie",
                isKept: field == "Cookie"),
            Row(
                field: field, method: "GET", control: "public, max-age=600", isShared: true,
                isKept: true),
            Row(
                field: field, method: "GET", control: "private, max-age=600", isShared: false,
                isKept: false),
            Row(
                field: field, method: "POST", control: "max-age=600", isShared: false, isKept: true),
            Row(
                field: field, method: "POST", control: "public, max-age=600", isShared: false,
                isKept: true),
            Row(
                field: field, method: "POST", control: "private, max-age=600", isShared: false,
                isKept: false),
        ]
    }

    private func ask(_ stand: Stand, _ row: Row, as user: String?) throws -> RawAnswer {
        var fields: WireFields = [:]
        if let user { fields.add(row.field, user) }
        let body = row.method == "POST" ? Array("q".utf8) : nil
        return try stand.exchange(row.method, "/me", fields, body: body)
    }

    private func marking(_ stand: Stand, _ row: Row) {
        stand.origin.on("/me") { request in
            .text(request.fields[row.field] ?? "nobody", ["Cache-Control": row.control])
        }
    }

    @Test(arguments: rows)
    func matrix(row: Row) async throws {
        try await withStand(["--cache-post", "/me"]) { stand in
            marking(stand, row)
            #expect(try ask(stand, row, as: "user-A").text == "user-A")
            let again = try ask(stand, row, as: "user-A")
            #expect(again.text == "user-A")
            #expect(again.isHit == row.isKept)
            for user in ["user-B", nil] {
                let answer = try ask(stand, row, as: user)
                #expect(answer.text == (row.isShared ? "user-A" : user ?? "nobody"))
                #expect(answer.isHit == row.isShared)
            }
            // What was stored for nobody in particular may be given to A as well; B's may not.
            #expect(try ask(stand, row, as: "user-A").text != "user-B")
        }
    }

    @Test func aHeuristicLifetimeIsNotForCookies() async throws {
        try await withStand { stand in
            stand.origin.on("/me") { request in
                .text(
                    request.fields["Cookie"] ?? "nobody",
                    ["Date": WireDate.now(), "Last-Modified": WireDate.now(-86_400 * 10)])
            }
            for user in ["a=1", "a=2", "a=1"] {
                let answer = try stand.get("/me", ["Cookie": user])
                #expect(answer.text == user)
                #expect(!answer.isHit)
            }
        }
    }

    @Test func ignoredCredentialsAreShared() async throws {
        try await withStand(["--cache-post", "/me", "--ignore-credentials"]) { stand in
            stand.origin.on("/me") { .text($0.fields["Authorization"] ?? "nobody") }
            #expect(try stand.post("/me", "q", ["Authorization": "user-A"]).xCache == "MISS")
            for fields: WireFields in [["Authorization": "user-B"], ["Cookie": "c"], [:]] {
                let hit = try stand.post("/me", "q", fields)
                #expect(hit.isHit)
                #expect(hit.text == "user-A")
            }
        }
    }

    @Test func anotherFieldCanBeACredential() async throws {
        let flags = ["--cache-post", "/me", "--credential-header", "X-Session"]
        try await withStand(flags) { stand throws in
            stand.origin.on("/me") { .text($0.fields["X-Session"] ?? "nobody", fresh()) }
            for method in ["GET", "POST"] {
                let body = method == "POST" ? Array("q".utf8) : nil
                for user in ["A", "B", "A"] {
                    let fields: WireFields = ["X-Session": user]
                    #expect(try stand.exchange(method, "/me", fields, body: body).text == user)
                }
            }
        }
    }

    @Test(arguments: [
        "Api-Key", "X-Auth-Token", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key",
        "X-Amz-Security-Token", "CF-Access-Jwt-Assertion",
    ])
    func otherCredentialFieldsPartitionToo(field: String) async throws {
        try await withStand(["--cache-post", "/me"]) { stand in
            stand.origin.on("/me") { .text($0.fields[field] ?? "nobody", fresh()) }
            for user in ["A", "B", "A"] {
                #expect(try stand.get("/me", [field: user]).text == user)
            }
            for (user, result) in [("A", "MISS"), ("B", "MISS"), ("A", "HIT")] {
                let answer = try stand.post("/me", "q", [field: user])
                #expect(answer.text == user)
                #expect(answer.xCache == result)
            }
        }
    }

    @Test func credentialsAreNowhereInTheFilesOrTheLog() async throws {
        let marker = "zebra-token-5150"
        try await withStand(["--cache-post", "/**", "--log-level", "trace"]) { stand in
            stand.origin.onOther { request in
                var fields: WireFields = ["Cache-Control": "public, max-age=600"]
                if request.path == "/vary" { fields.add("Vary", "Cookie, X-Api-Key") }
                return .text("x", fields)
            }
            let credentials: WireFields = [
                "Authorization": "Bearer \(marker)", "Cookie": "session=\(marker)",
                "X-Api-Key": marker, "Proxy-Authorization": "Basic \(marker)",
            ]
            for path in ["/plain", "/vary"] {
                _ = try stand.get(path, credentials)
                #expect(try stand.get(path, credentials).isHit)
                _ = try stand.post(path, "q", credentials)
                #expect(try stand.post(path, "q", credentials).isHit)
            }
            try await stand.waitForEntries(4)
            let running = stand.directory.names()
            #expect(running.contains("cache.db"))
            for name in running {
                #expect(!contains(stand.directory.bytes(of: name), marker), "\(name)")
            }
            try stand.stop()
            for name in stand.directory.names() {
                #expect(!contains(stand.directory.bytes(of: name), marker), "\(name)")
            }
        }
    }

    private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return bytes.indices.contains { start in
            bytes[start] == wanted[0] && bytes[start...].starts(with: wanted)
        }
    }
}
