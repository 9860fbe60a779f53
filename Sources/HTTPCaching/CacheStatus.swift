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
    /// The key of the stored response; only where the operator wants it seen.
    package var key: String?
    /// Why the origin was asked although a response was stored: of `.revalidated` and
    /// `.staleOnError`, whose result does not say it.
    package var storedReason: ForwardReason

    package init(
        result: CacheResult, forwardStatus: Int? = nil, isStored: Bool = false,
        isCollapsed: Bool = false, ttl: Int64? = nil, detail: String? = nil, key: String? = nil,
        storedReason: ForwardReason = .stale
    ) {
        self.result = result
        self.forwardStatus = forwardStatus
        self.isStored = isStored
        self.isCollapsed = isCollapsed
        self.ttl = ttl
        self.detail = detail
        self.key = key
        self.storedReason = storedReason
    }

    /// Why the request went forward; nil when it did not. RFC 9211 §2.2
    package var forwardReason: ForwardReason? {
        switch result {
        case .hit: nil
        // A stale answer after an answer of the origin is one in its place.
        case .stale: forwardStatus == nil ? nil : storedReason
        case .staleOnError, .revalidated: storedReason
        case .forwarded(let reason): reason
        }
    }

    /// The member as it goes on the wire; the field's earlier members stand before it.
    package func serialized() -> String {
        var text = "larder"
        // RFC 9211 §2.1, §2.2: either hit or fwd
        if let forwardReason {
            text += "; fwd=" + forwardReason.rawValue
            // RFC 9211 §2.3
            let status = forwardStatus ?? (result == .revalidated ? 304 : nil)
            if let status { text += "; fwd-status=" + String(status) }
            // RFC 9211 §2.5, §2.6: only where the request went forward
            if isStored { text += "; stored" }
            if isCollapsed { text += "; collapsed" }
        } else {
            text += "; hit"
        }
        // RFC 9211 §2.4
        if let ttl { text += "; ttl=" + StructuredText.integer(ttl) }
        // RFC 9211 §2.7
        if let key { text += "; key=" + StructuredText.string(key) }
        // RFC 9211 §2.8
        if let detail { text += "; detail=" + StructuredText.tokenOrString(detail) }
        return text
    }
    /// The members of caches further up, to be kept before ours: all lines as they came, or none
    /// where they would make the whole field unreadable. RFC 9211 §2
    package static func upstream(_ lines: [String]) -> [String] {
        StructuredText.list(lines) == nil ? [] : lines
    }
}
