/// A URI reference resolved against the request's URI (RFC 3986 §5), as far as it stays on its
/// origin.
enum TargetReference {
    struct Base {
        let scheme: String
        let authority: String
        let target: String
    }

    /// The origin-form targets a reference names; none when it leaves the origin or is no
    /// reference.
    static func targets(of reference: String, base: Base) -> [String] {
        var rest = Array(reference.utf8)[...]
        guard rest.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return [] }
        if let hash = rest.firstIndex(of: 0x23) { rest = rest[..<hash] }
        if let scheme = scheme(of: rest) {
            // RFC 3986 §3.1: schemes ignore case
            guard FieldSyntax.lowercased(scheme) == FieldSyntax.lowercased(base.scheme) else {
                return []
            }
            rest = rest[(scheme.endIndex + 1)...]
            guard rest.starts(with: [0x2F, 0x2F]) else { return [] }
        }
        if rest.starts(with: [0x2F, 0x2F]) {
            let afterSlashes = rest.dropFirst(2)
            let authority = afterSlashes.prefix { $0 != 0x2F && $0 != 0x3F }
            let mine = Array(base.authority.utf8)[...]
            guard
                normalized(authority, scheme: base.scheme) == normalized(mine, scheme: base.scheme)
            else { return [] }
            rest = afterSlashes[authority.endIndex...]
            if rest.first != 0x2F { rest = ([0x2F] + Array(rest))[...] }
        }
        return resolved(Array(rest), base: Array(base.target.utf8))
    }

    // RFC 3986 §5.2.2, for references without an authority
    private static func resolved(_ reference: [UInt8], base: [UInt8]) -> [String] {
        let basePath = base.first == 0x2F ? Array(base.prefix { $0 != 0x3F }) : [0x2F]
        let path = Array(reference.prefix { $0 != 0x3F })
        let query = Array(reference.dropFirst(path.count))
        let merged: [UInt8]
        if path.isEmpty {
            if query.isEmpty { return [text(base)] }
            merged = basePath
        } else if path.first == 0x2F {
            merged = path
        } else {
            // RFC 3986 §5.2.3
            let slash = basePath.lastIndex(of: 0x2F) ?? 0
            merged = Array(basePath[...slash]) + path
        }
        let clean = withoutDotSegments(merged)
        return clean == merged
            ? [text(merged + query)] : [text(clean + query), text(merged + query)]
    }

    // RFC 3986 §3.1; a colon behind a slash or a question mark belongs to path or query
    private static func scheme(of reference: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let name = reference.prefix { $0 != 0x3A && $0 != 0x2F && $0 != 0x3F }
        guard name.endIndex < reference.endIndex, reference[name.endIndex] == 0x3A else {
            return nil
        }
        return name
    }

    // RFC 3986 §5.2.4
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        var output: [ArraySlice<UInt8>] = []
        let segments = path.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment.elementsEqual([0x2E]) {
                if isLast { output.append([]) }
            } else if segment.elementsEqual([0x2E, 0x2E]) {
                if !output.isEmpty { output.removeLast() }
                if isLast { output.append([]) }
            } else {
                output.append(segment)
            }
        }
        return [0x2F] + Array(output.joined(separator: [0x2F]))
    }

    // RFC 9110 §4.2.3: case, the default port and one trailing dot do not tell origins apart
    static func normalized(_ authority: ArraySlice<UInt8>, scheme: String) -> String {
        var text = authority
        let port = text.lastIndex(of: 0x3A).map { text[($0 + 1)...] }
        if let port, port.allSatisfy(FieldSyntax.isDigit) {
            let standard = FieldSyntax.lowercased(scheme) == "https" ? "443" : "80"
            let significant = port.drop { $0 == 0x30 }
            if port.isEmpty || significant.elementsEqual(standard.utf8) {
                text = text[..<(port.startIndex - 1)]
            } else if !significant.isEmpty {
                text = (Array(text[..<port.startIndex]) + Array(significant))[...]
            }
        }
        if let colon = text.lastIndex(of: 0x3A), text[..<colon].last == 0x2E, text.first != 0x5B {
            return FieldSyntax.lowercased(Array(text[..<colon].dropLast()) + Array(text[colon...]))
        }
        if text.last == 0x2E { text.removeLast() }
        return FieldSyntax.lowercased(text)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
