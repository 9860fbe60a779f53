/// Our member of the Cache-Status field (RFC 9211).
package struct CacheStatus: Sendable, Equatable {
    package var result: CacheResult
    /// The status the origin answered with.
    package var forwardStatus: Int?
    /// The answer went into the store.
    package var isStored: Bool
    /// The request waited for another one's answer.
    package var isCollapsed: Bool
    /// Seconds of freshness left; negative is stale.
    package var ttl: Int64?
    /// What the tokens cannot say.
    package var detail: String?

    package init(
        result: CacheResult, forwardStatus: Int? = nil, isStored: Bool = false,
        isCollapsed: Bool = false, ttl: Int64? = nil, detail: String? = nil
    ) {
        self.result = result
        self.forwardStatus = forwardStatus
        self.isStored = isStored
        self.isCollapsed = isCollapsed
        self.ttl = ttl
        self.detail = detail
    }

    /// The member as it goes on the wire; the field's earlier members stand before it.
    package func serialized() -> String {
        var text = "larder"
        // RFC 9211 §2.1, §2.2: either hit or fwd
        switch result {
        case .hit, .stale: text += "; hit"
        case .revalidated: text += "; fwd=stale; fwd-status=" + String(forwardStatus ?? 304)
        case .forwarded(let reason):
            text += "; fwd=" + reason.rawValue
            // RFC 9211 §2.3
            if let forwardStatus { text += "; fwd-status=" + String(forwardStatus) }
        }
        let isForwarded = result != .hit && result != .stale
        // RFC 9211 §2.5, §2.6: only where the request went forward
        if isStored, isForwarded { text += "; stored" }
        if isCollapsed, isForwarded { text += "; collapsed" }
        // RFC 9211 §2.4
        if let ttl { text += "; ttl=" + String(Self.clamped(ttl)) }
        // RFC 9211 §2.8
        if let detail { text += "; detail=" + Self.tokenOrString(detail) }
        return text
    }

    // RFC 9651 §3.3.1: fifteen digits
    private static func clamped(_ value: Int64) -> Int64 {
        min(max(value, -999_999_999_999_999), 999_999_999_999_999)
    }

    // RFC 9651 §3.3.3, §3.3.4: what is no token is a string, without the bytes a string cannot hold
    private static func tokenOrString(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let starts = bytes.first.map { $0 == 0x2A || ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A }
        let isTokenByte = { (byte: UInt8) in
            FieldSyntax.isTokenByte(byte) || byte == 0x3A || byte == 0x2F
        }
        if starts == true, bytes.allSatisfy(isTokenByte) { return text }
        var quoted: [UInt8] = [0x22]
        for byte in bytes where byte >= 0x20 && byte < 0x7F {
            if byte == 0x22 || byte == 0x5C { quoted.append(0x5C) }
            quoted.append(byte)
        }
        return String(decoding: quoted + [0x22], as: UTF8.self)
    }
}
