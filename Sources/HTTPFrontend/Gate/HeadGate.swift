import CacheEngine
import CacheKeys
import HTTPCaching
import NIOHTTP1

/// The rules on top of NIO's decoder: a total function from a decoded head to one that can be
/// keyed and forwarded without two parsers reading it differently, or to a refusal.
struct HeadGate: Sendable {
    struct Limits: Sendable, Equatable {
        var targetBytes = 8 << 10
        var headBytes = 32 << 10
        var fields = 100
    }

    /// What stands behind the gate.
    enum Door: Sendable {
        /// The proxy, whose origin must read the request as we do.
        case proxy
        /// The Cache API: nothing is forwarded, and the target is a name.
        case cacheAPI
    }

    var door = Door.proxy
    let limits: Limits
    /// Authorities in normal form; empty serves every one.
    let hosts: Set<String>
    let fieldTable: FieldTable
    let scheme: String
    /// Lower-case names of fields that are part of keys or carry credentials.
    let guarded: Set<String>
    /// Ours in Via.
    let pseudonym: String

    /// What one pass over the lines collects.
    private struct Lines {
        var host = Single()
        var transferEncoding = Single()
        var contentLength = Single()
        var expectation = Single()
        var connections: [String] = []
        var cacheControl: [String] = []
        var pragma: [String] = []
        var via: [String] = []
        var isUpgrade = false
        var bytes = 0
    }

    /// A field that may come once: kept without an array for the usual case.
    private struct Single {
        private(set) var value: String?
        private(set) var count = 0

        mutating func add(_ line: String) {
            if count == 0 { value = line }
            count += 1
        }
    }

    func check(_ head: HTTPRequestHead) -> Result<GatedHead, RequestError> {
        do {
            return .success(try gated(head))
        } catch {
            return .failure(error)
        }
    }

    private func gated(_ head: HTTPRequestHead) throws(RequestError) -> GatedHead {
        // G6
        guard head.version == .http1_1 || head.version == .http1_0 else {
            throw .versionNotSupported
        }
        if door == .proxy { try checkMethod(head.method) }
        // G4
        guard head.uri.utf8.count <= limits.targetBytes else { throw .targetTooLong }
        // G9
        guard head.headers.count <= limits.fields else { throw .headTooLarge }
        var gated = GatedHead(
            method: head.method, kind: MethodKind(head.method), target: head.uri, authority: "",
            headers: head.headers)
        gated.isHTTP10 = head.version == .http1_0
        let lines = collect(&gated)
        guard lines.bytes + head.uri.utf8.count <= limits.headBytes else { throw .headTooLarge }
        gated.content = try content(of: lines, isHTTP10: gated.isHTTP10)
        switch door {
        case .proxy:
            if Via.isLoop(lines.via, pseudonym: pseudonym) { throw .loopDetected }
            try resolveAuthority(&gated, lines: lines)
        case .cacheAPI:
            // Whether that names something is looked at with the key.
            gated.authority = lines.host.count == 1 ? lines.host.value ?? "" : ""
        }
        try applyConnection(&gated, lines: lines)
        gated.expectsContinue = try expectsContinue(lines, isHTTP10: gated.isHTTP10)
        if !lines.cacheControl.isEmpty || !lines.pragma.isEmpty {
            gated.directives = RequestCacheControl(
                cacheControl: lines.cacheControl, pragma: lines.pragma)
        }
        return gated
    }

    private func checkMethod(_ method: HTTPMethod) throws(RequestError) {
        switch method {
        case .CONNECT, .TRACE, .PURGE: throw .methodNotAllowed
        case .RAW(let name) where name != "QUERY": throw .notImplemented
        case .SOURCE: throw .notImplemented
        default: break
        }
    }

    private func collect(_ gated: inout GatedHead) -> Lines {
        var lines = Lines()
        for (name, value) in gated.headers {
            lines.bytes += name.utf8.count + value.utf8.count + 4
            switch fieldTable.field(named: name) {
            case nil: break
            case .te where Trailers.isAccepted(te: [value]): gated.acceptsTrailers = true
            case .te: break
            case .via: lines.via.append(value)
            case .host: lines.host.add(value)
            case .transferEncoding: lines.transferEncoding.add(value)
            case .contentLength: lines.contentLength.add(value)
            case .connection: lines.connections.append(value)
            case .upgrade: lines.isUpgrade = true
            case .expect: lines.expectation.add(value)
            case .cacheControl: lines.cacheControl.append(value)
            case .pragma: lines.pragma.append(value)
            case .cookie: gated.hasCookie = true
            case .credential: gated.hasCredentials = true
            case .range: gated.conditions.range.append(value)
            case .ifRange: gated.conditions.ifRange.append(value)
            case .ifMatch: gated.conditions.ifMatch.append(value)
            case .ifNoneMatch: gated.conditions.ifNoneMatch.append(value)
            case .ifModifiedSince: gated.conditions.ifModifiedSince.append(value)
            case .ifUnmodifiedSince: gated.conditions.ifUnmodifiedSince.append(value)
            }
        }
        return lines
    }

    /// G1 and G2 (RFC 9112 §6.3).
    private func content(
        of lines: Lines, isHTTP10: Bool
    ) throws(RequestError) -> GatedHead.Content {
        if let coding = lines.transferEncoding.value {
            guard lines.contentLength.count == 0, !isHTTP10 else {
                throw .malformed(.transferEncoding)
            }
            guard lines.transferEncoding.count == 1, coding.equalsIgnoringCase("chunked") else {
                // A coding we do not know is 501 (RFC 9112 §6.1); what hides chunked is an attack.
                let isUnknownCoding = !coding.utf8.isEmpty && lines.transferEncoding.count == 1
                throw isUnknownCoding && !coding.lowercased().contains("chunked")
                    ? .notImplemented : .malformed(.transferEncoding)
            }
            return .chunked
        }
        guard let length = lines.contentLength.value else { return .none }
        guard lines.contentLength.count == 1, let value = Self.length(length) else {
            throw .malformed(.contentLength)
        }
        return .length(value)
    }

    /// Digits only, at most 19, no leading zero unless it is the only digit.
    private static func length(_ text: String) -> Int64? {
        let digits = text.utf8
        guard (1...19).contains(digits.count) else { return nil }
        if digits.count > 1, digits.first == UInt8(ascii: "0") { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// G3, G4 and G5: one Host, a valid target, and no second opinion about the authority.
    private func resolveAuthority(
        _ gated: inout GatedHead, lines: Lines
    ) throws(RequestError) {
        guard lines.host.count == 1 || (gated.isHTTP10 && lines.host.count == 0) else {
            throw .malformed(.host)
        }
        if let host = lines.host.value {
            guard let authority = Authority.normalized(host, scheme: scheme) else {
                throw .malformed(.host)
            }
            gated.authority = authority
        }
        if gated.target.utf8.first != UInt8(ascii: "/") {
            try resolveOtherForm(&gated)
        }
        guard TargetSyntax.isValid(gated.target) else { throw .malformed(.target) }
        guard hosts.isEmpty || hosts.contains(gated.authority) else { throw .misdirected }
    }

    private func resolveOtherForm(_ gated: inout GatedHead) throws(RequestError) {
        if gated.target == "*" {
            guard gated.method == .OPTIONS else { throw .malformed(.target) }
            return
        }
        guard let absolute = TargetSyntax.absoluteForm(gated.target) else {
            throw .malformed(.target)
        }
        guard absolute.scheme == scheme else { throw .misdirected }
        guard let authority = Authority.normalized(String(absolute.authority), scheme: scheme)
        else { throw .malformed(.target) }
        guard gated.authority.isEmpty || gated.authority == authority else {
            throw .malformed(.authorityMismatch)
        }
        gated.authority = authority
        gated.target = absolute.path
    }

    /// Keep-alive, G7 and G8.
    private func applyConnection(
        _ gated: inout GatedHead, lines: Lines
    ) throws(RequestError) {
        gated.keepsAlive = !gated.isHTTP10
        var named: Set<String> = []
        for line in lines.connections {
            for option in line.listMembers {
                let name = option.lowercased()
                switch name {
                case "close": gated.keepsAlive = false
                case "keep-alive": if gated.isHTTP10 { gated.keepsAlive = true }
                default:
                    try refuseEndToEnd(name)
                    named.insert(name)
                }
            }
        }
        if !named.isEmpty {
            // Here, so that no key or variant holds what the origin does not see.
            gated.headers = HTTPHeaders(
                gated.headers.compactMap { name, value in
                    named.contains(name.lowercased()) ? nil : (name, value)
                })
        }
        if lines.connections.contains(where: { $0.lowercased().contains("close") }) {
            gated.keepsAlive = false
        }
        guard lines.isUpgrade else { return }
        // G8: NIO's decoder may have stopped parsing: this answer is the connection's last.
        gated.keepsAlive = false
        gated.stopsDecoder = true
        if gated.hasContent { throw .malformed(.upgradeWithContent) }
    }

    /// A client must not have fields removed that the key, the framing or the origin relies on.
    private func refuseEndToEnd(_ name: String) throws(RequestError) {
        if let field = fieldTable.field(named: name), field != .upgrade, field != .te {
            throw .malformed(.connection)
        }
        guard HopByHop.mayBeNominated(name), !guarded.contains(name) else {
            throw .malformed(.connection)
        }
    }

    private func expectsContinue(
        _ lines: Lines, isHTTP10: Bool
    ) throws(RequestError) -> Bool {
        guard let expectation = lines.expectation.value else { return false }
        guard lines.expectation.count == 1, expectation.equalsIgnoringCase("100-continue") else {
            // A worker may have copied it from its client into a key.
            if door == .cacheAPI { return false }
            throw .expectationFailed
        }
        return !isHTTP10
    }
}

extension String {
    /// The members of a list (RFC 9110 §5.6.1), without spaces and tabs at their ends.
    ///
    /// By bytes: a combining character behind a comma does not hide the comma.
    var listMembers: [Substring] {
        let isBlank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return utf8.split(separator: UInt8(ascii: ",")).compactMap { member in
            guard let first = member.firstIndex(where: { !isBlank($0) }),
                let last = member.lastIndex(where: { !isBlank($0) })
            else { return nil }
            return Substring(member[first...last])
        }
    }
}

extension MethodKind {
    init(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .HEAD: self = .head
        case .POST: self = .post
        case .OPTIONS, .TRACE, .PROPFIND, .REPORT, .SEARCH: self = .otherSafe
        default: self = method.rawValue == "QUERY" ? .query : .unsafe
        }
    }
}
