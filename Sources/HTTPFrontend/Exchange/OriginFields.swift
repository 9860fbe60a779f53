import CacheEngine
import HTTPCaching
import HTTPTypes
import NIOHTTP1

/// Field lines as the origin sees them: an answer varies by what was sent to it, not by what the
/// client said and we replaced.
struct HeaderLines: FieldLines {
    let headers: HTTPHeaders

    func lines(named name: String) -> [String] {
        switch name {
        // The client's address differs with every client: a value that no key can be made of, so
        // that what varies by it is not stored.
        case "x-forwarded-for": ["\u{FFFD}"]
        // The same for all that share a key.
        default: OriginFields.isReplaced(name) ? [] : headers[name]
        }
    }
}

/// Which of a client's fields reach the origin (RFC 9110 §7.6.1 and our own strictness).
enum OriginFields {
    /// Fields that would make an origin answer for another URL, host or client than the key says.
    private static let overriding: Set<String> = [
        "forwarded", "x-original-url", "x-original-host", "x-rewrite-url", "x-http-method-override",
        "x-http-method", "x-method-override", "x-host", "x-real-ip", "x-forwarded",
        "x-original-uri", "x-http-host-override",
    ]
    /// The front end frames messages anew and answers expectations itself.
    private static let framing: Set<String> = ["host", "content-length", "expect"]
    /// A fill asks for the whole, current answer.
    private static let directives: Set<String> = [
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
        "range",
    ]

    struct Options {
        var keepsPreconditions: Bool
        var keepsDirectives: Bool
        var clientAddress: String?
        var viaName: String
        /// Names that decide who an answer is for, or which; see `KeyFieldTable.guarded`.
        var guarded: Set<String> = []
    }

    static func fields(of head: GatedHead, options: Options) -> HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count + 4)
        for (name, value) in head.headers {
            guard let fieldName = HTTPField.Name(name) else { continue }
            let canonical = fieldName.canonicalName
            guard isForwarded(canonical, options: options) else { continue }
            fields.append(HTTPField(name: fieldName, value: value))
        }
        if let forwardedHost, !head.authority.isEmpty {
            fields.append(HTTPField(name: forwardedHost, value: head.authority))
        }
        if let forwardedFor, let address = options.clientAddress {
            fields.append(HTTPField(name: forwardedFor, value: address))
        }
        if let forwardedProto { fields.append(HTTPField(name: forwardedProto, value: "http")) }
        fields.append(
            HTTPField(
                name: .via,
                value: Via.member(pseudonym: options.viaName, isHTTP10: head.isHTTP10)))
        return fields
    }

    private static func isForwarded(_ name: String, options: Options) -> Bool {
        if isReplaced(name) || isDisguised(name, guarded: options.guarded) { return false }
        if directives.contains(name) { return options.keepsPreconditions }
        if name == "cache-control" || name == "pragma" { return options.keepsDirectives }
        return true
    }

    /// Whether a client's field never reaches the origin as the client sent it.
    static func isReplaced(_ name: String) -> Bool {
        HopByHop.isHopByHop(name) || framing.contains(name) || overriding.contains(name)
            || name.hasPrefix("x-forwarded-")
    }

    /// Origins behind CGI and its kin take an underscore for a hyphen: such a spelling of a field
    /// that we replace, key on or look at would reach them past the key.
    private static func isDisguised(_ name: String, guarded: Set<String>) -> Bool {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return false }
        let hyphenated = String(name.map { $0 == "_" ? "-" : $0 })
        return isReplaced(hyphenated) || guarded.contains(hyphenated)
            || directives.contains(hyphenated) || hyphenated == "cache-control"
    }

    private static let forwardedHost = HTTPField.Name("X-Forwarded-Host")
    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")
    private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")
}

extension HTTPRequest.Method {
    /// The decoder knows only methods that are tokens; anything else would be refused before.
    init(_ method: HTTPMethod) {
        self = HTTPRequest.Method(method.token) ?? .get
    }
}

extension HTTPMethod {
    /// The method as it goes on the wire (RFC 9110 §9.1); NIO spells one of them otherwise.
    var token: String { self == .MSEARCH ? "M-SEARCH" : rawValue }
}
