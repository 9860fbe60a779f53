/// An entity tag compared by bytes (RFC 9110 §8.8.3); one without quotes is kept as it came.
struct EntityTag: Equatable {
    /// Quotes included.
    let opaque: [UInt8]
    let isWeak: Bool

    init(_ bytes: ArraySlice<UInt8>) {
        // RFC 9110 §8.8.3: W is case-sensitive
        isWeak = bytes.starts(with: [0x57, 0x2F, 0x22])
        opaque = Array(isWeak ? bytes.dropFirst(2) : bytes)
    }

    init(_ text: String) { self.init(FieldSyntax.trimmed(Array(text.utf8)[...])) }

    // RFC 9110 §8.8.3: opaque-tag = DQUOTE *etagc DQUOTE
    /// Quoted as it has to be.
    var isWellFormed: Bool {
        opaque.count >= 2 && opaque.first == 0x22 && opaque.last == 0x22
            && !opaque.dropFirst().dropLast().contains(0x22)
    }

    var isStrong: Bool { !isWeak && isWellFormed }

    /// The members of If-None-Match lines.
    static func list(_ lines: [String]) -> [EntityTag] {
        lines.flatMap { FieldSyntax.members(of: $0.utf8, hasEscapes: false).map(EntityTag.init) }
    }

    // RFC 9110 §8.8.3.2
    func matchesWeakly(_ other: EntityTag) -> Bool { opaque == other.opaque }

    // RFC 9110 §8.8.3.2
    func matchesStrongly(_ other: EntityTag) -> Bool {
        !isWeak && !other.isWeak && opaque == other.opaque
    }
}
