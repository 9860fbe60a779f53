import CacheEngine
import CacheKeys
import HTTPCaching
import NIOHTTP1

/// What a request of the workers' runtime names: a cache, a URL in it, and what the key says about
/// the response.
struct CacheKeyRequest {
    var cacheName: String
    var url: CacheURL
    var overrides: PutOverrides
    /// The key's request has Authorization.
    var hasAuthorization: Bool

    /// Why a request names nothing; the text of an answer's detail.
    enum Unkeyed: String, Error {
        case url = "the target is no absolute URL that names a host"
        case namespace = "CF-Cache-Namespace is not one percent-encoded name below 1024 bytes"
        case blob = "CF-Blob is not one JSON object with a usable cacheKey"
        case repaired = "the key has bytes that are not UTF-8"
    }

    init(_ head: GatedHead) throws(Unkeyed) {
        let blob = try CacheBlob(head.headers[CacheBlob.fieldName])
        cacheName = try Self.cacheName(head.headers["cf-cache-namespace"])
        let named = blob.cacheKey.map { CacheURL.custom($0) } ?? Self.url(of: head)
        guard let url = named else { throw .url }
        self.url = url
        overrides = blob.overrides
        hasAuthorization = head.headers.contains(name: "authorization")
    }

    /// In absolute-form the target itself, whatever Host says (RFC 9112 §3.2.2); in origin-form with
    /// Host, the scheme in X-Forwarded-Proto or http.
    private static func url(of head: GatedHead) -> CacheURL? {
        guard head.target.utf8.first == UInt8(ascii: "/") else { return CacheURL(head.target) }
        let schemes = head.headers["x-forwarded-proto"]
        guard schemes.count <= 1, !head.authority.isEmpty else { return nil }
        return CacheURL(
            scheme: schemes.first ?? "http", authority: head.authority, target: head.target)
    }

    /// The fields that a key is made of, beside Host; lower-case.
    static let fieldNames: Set<String> = [
        CacheBlob.fieldName, "cf-cache-namespace", "x-forwarded-proto",
    ]

    /// Names are shorter than this, in bytes.
    static let nameBytesMax = 1024

    /// An empty line counts as none.
    private static func cacheName(_ lines: [String]) throws(Unkeyed) -> String {
        guard let line = lines.first, !line.isEmpty else {
            guard lines.count <= 1 else { throw .namespace }
            return ""
        }
        guard lines.count == 1, let name = PercentEncoding.decoded(line),
            name.utf8.count < nameBytesMax, !name.utf8.contains(0)
        else { throw .namespace }
        return name
    }
}

/// Percent-encoding as `encodeURIComponent` writes it.
enum PercentEncoding {
    /// Nil when an escape is cut or the bytes are no UTF-8.
    static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit),
                let low = rest.popFirst().flatMap(digit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// `request.cf` of a key, as the runtime sends it where `cfBlobHeader` is set.
struct CacheBlob: Equatable {
    static let fieldName = "cf-blob"

    /// Takes the place of the URL.
    var cacheKey: String?
    var overrides = PutOverrides.none

    /// - Parameter lines: of the field; without any the key has no `cf`.
    init(_ lines: [String]) throws(CacheKeyRequest.Unkeyed) {
        guard let line = lines.first else { return }
        guard lines.count == 1, let blob = JSONValue(parsing: line.utf8), case .object = blob else {
            throw .blob
        }
        cacheKey = try Self.cacheKey(blob["cacheKey"])
        overrides.ttl = blob["cacheTtl"]?.integer
        overrides.storesEverything = blob["cacheEverything"]?.bool ?? false
        overrides.ttlByStatus =
            blob["cacheTtlByStatus"]?.members.compactMap { member in
                member.value.integer.flatMap {
                    PutOverrides.StatusTTL(codes: member.name, seconds: $0)
                }
            } ?? []
        overrides.tags = blob["cacheTags"]?.elements.compactMap(\.string) ?? []
    }

    /// As JavaScript makes a string of it; what counts as false there is no key.
    ///
    /// Lists and objects would name many things alike.
    private static func cacheKey(_ value: JSONValue?) throws(CacheKeyRequest.Unkeyed) -> String? {
        switch value {
        case nil, .null, .bool(false): return nil
        case .bool(true): return "true"
        case .number(let digits): return Double(digits) == 0 ? nil : digits
        case .string(let text): return text.isEmpty ? nil : text
        case .array, .object: throw .blob
        }
    }
}
