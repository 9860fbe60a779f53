import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore
import Testing

/// The time at which every test begins.
let start: EpochSeconds = 1_700_000_000

/// A digest that is easy to name.
func entryName(_ key: Int, variant: Digest?) -> EntryName {
    EntryName(uriKey: digest(1000), primaryKey: digest(key), variantKey: variant)
}

func digest(_ number: Int) -> Digest {
    var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
    withUnsafeBytes(of: UInt64(number).littleEndian) { number in
        for index in 0..<8 {
            bytes[index] = number[index]
            bytes[index + 8] = number[index]
        }
    }
    return Digest(bytes: bytes) ?? .uncomputable
}

/// The name of a row of the URI that `response(_:)` has by default.
func entryName(_ key: CacheKey, _ variant: Digest?) -> EntryName {
    EntryName(uriKey: digest(1000), primaryKey: key, variantKey: variant)
}

func terms(freshFor seconds: Int64 = 60, date: EpochSeconds = start) -> ReuseTerms {
    ReuseTerms(
        dateValue: date, bornAt: date, freshUntil: date + seconds,
        staleWhileRevalidateUntil: date + seconds, staleIfErrorUntil: date + seconds)
}

/// A stored response for the tests of tiers and queues, which never look inside.
func response(
    _ key: Int, variant: Int? = nil, uri: Int = 0, bytes: Int = 100, generation: UInt64 = 0,
    date: EpochSeconds = start
) -> StoredResponse {
    let identity = EntryIdentity(
        primaryKey: digest(key), uriKey: digest(1000 + uri), material: [], surface: .proxy,
        cacheName: "", recipe: .raw, method: "GET", scheme: "http", authority: "a", target: "/")
    let variant = Variant(
        names: variant == nil ? [] : ["accept"], key: variant.map { digest(5000 + $0) })
    return StoredResponse(
        entry: StoredEntry(
            identity: identity, variant: variant, status: .ok, fields: [:],
            body: .whole(ByteBuffer(repeating: 0x61, count: bytes)), terms: terms(date: date),
            requestTime: start, responseTime: start),
        rendering: ByteBuffer(), generation: generation, epoch: 0)
}

/// The lines of a request's fields.
struct Lines: FieldLines {
    var fields: [String: [String]] = [:]

    func lines(named name: String) -> [String] { fields[name] ?? [] }
}

/// A request as the front end would make it.
struct Ask {
    var method = HTTPRequest.Method.get
    var target = "/a"
    var lines: [String: [String]] = [:]
    /// What goes on to the origin.
    var forwarded: HTTPFields = [:]
    var cacheControl: [String] = []
    var isExclusive = false
    var hasCredentials = false
    var hasCookie = false
    var hasRange = false
    var policy = StoragePolicy()
    var content: RequestContent?

    static let authority = "example.com"

    var facts: RequestFacts {
        RequestFacts(
            method: MethodKind(method),
            cacheControl: RequestCacheControl(cacheControl: cacheControl),
            hasCredentials: hasCredentials, hasCookie: hasCookie, hasRange: hasRange)
    }

    func fillRequest() throws -> FillRequest {
        let hasher = try KeyHasher()
        let key = try #require(
            hasher.getKey(scheme: "http", authority: Self.authority, target: target))
        let material = hasher.lastMaterial
        let uri = try #require(
            hasher.uriKey(scheme: "http", authority: Self.authority, target: target))
        return FillRequest(
            identity: EntryIdentity(
                primaryKey: key, uriKey: uri, material: material, surface: .proxy, cacheName: "",
                recipe: .raw, method: "GET", scheme: "http", authority: Self.authority,
                target: target),
            facts: facts, route: Route(storage: policy), fields: Lines(fields: lines),
            origin: OriginRequest(
                method: method, target: target, clientAuthority: Self.authority,
                fields: forwarded, body: .none, isRetryable: true),
            isExclusive: isExclusive, requestContent: content)
    }

    func passRequest(isDeclared: Bool = false) -> PassRequest {
        PassRequest(
            origin: OriginRequest(
                method: method, target: target, clientAuthority: Self.authority,
                fields: forwarded, body: .streamed(length: nil), isRetryable: false),
            facts: facts, isDeclared: isDeclared, scheme: "http", authority: Self.authority,
            surface: .proxy, reason: .method, detail: "why")
    }
}

/// Waits for what another thread does.
func eventually(
    _ what: Comment, _ location: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while !condition() {
        try #require(ContinuousClock.now < deadline, what, sourceLocation: location)
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// A field of any name.
func field(_ name: String) -> HTTPField.Name {
    HTTPField.Name(name) ?? .accept
}

extension StoredEntry {
    /// The body as text; empty when it is not in memory.
    var text: String { String(buffer: body.bytes ?? ByteBuffer()) }
}
