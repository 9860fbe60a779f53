import CacheKeys
import HTTPCaching
import Testing

@testable import CacheEngine

@Suite struct RouteTableTests {
    private func table(_ patterns: [String]) throws -> RouteTable {
        var policy = StoragePolicy(defaultTTL: 5, ttlOverride: 9, setCookie: .strip)
        policy.isDeclared = true
        return RouteTable(declared: try patterns.map { try PathGlob($0) }, policy: policy)
    }

    @Test(
        arguments: [
            (MethodKind.post, "/search", true), (.post, "/search?q=/x", true),
            (.query, "/search", true), (.post, "/v1/a", true), (.post, "/v1/a/b", false),
            (.post, "/other", false), (.get, "/search", false), (.head, "/search", false),
            (.unsafe, "/search", false), (.otherSafe, "/search", false),
            (.post, "/v1/%2e%2e", false),
        ])
    func onlyDeclaredPostAndQueryAreDeclared(method: MethodKind, target: String, isDeclared: Bool)
        throws
    {
        let route = try table(["/search", "/v1/*"]).route(for: method, target: target)
        #expect(route.storage.isDeclared == isDeclared)
        #expect(route.storage.ttlOverride == (isDeclared ? 9 : nil))
        #expect(route.storage.setCookie == .strip)
        #expect(route.recipe == .raw)
    }

    @Test func withoutDeclarationsNothingIsDeclared() throws {
        let route = try table([]).route(for: .post, target: "/search")
        #expect(!route.storage.isDeclared)
    }
}
