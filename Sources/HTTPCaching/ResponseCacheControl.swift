/// The directives of a response (RFC 9111 §5.2.2, RFC 5861, RFC 8246), parsed once.
package struct ResponseCacheControl: Sendable, Equatable {
    /// The directives without a value.
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let noStore = Flags(rawValue: 1 << 0)
        package static let noCache = Flags(rawValue: 1 << 1)
        package static let `private` = Flags(rawValue: 1 << 2)
        package static let `public` = Flags(rawValue: 1 << 3)
        package static let mustRevalidate = Flags(rawValue: 1 << 4)
        package static let proxyRevalidate = Flags(rawValue: 1 << 5)
        package static let mustUnderstand = Flags(rawValue: 1 << 6)
        package static let noTransform = Flags(rawValue: 1 << 7)
        package static let immutable = Flags(rawValue: 1 << 8)
    }

    package var flags: Flags = []
    /// Seconds, at most 2^31; 0 when junk or contradicting itself.
    package var maxAge: Int64?
    /// Seconds, at most 2^31; 0 when junk or contradicting itself.
    package var sMaxAge: Int64?
    /// Seconds, at most 2^31; 0 when junk or contradicting itself.
    package var staleWhileRevalidate: Int64?
    /// Seconds, at most 2^31; 0 when junk or contradicting itself.
    package var staleIfError: Int64?
    /// Lower-cased names of `private="..."`: fields that are not stored.
    package var privateFields: [String] = []
    /// Lower-cased names of `no-cache="..."`: fields that are not reused without validation.
    package var noCacheFields: [String] = []

    package init() {}

    /// Parses all Cache-Control lines of a response.
    package init(lines: [String]) {
        for directive in CacheDirective.all(in: lines) { apply(directive) }
    }

    private mutating func apply(_ directive: CacheDirective) {
        switch directive.name {
        // A restriction holds whatever stands behind it.
        case "no-store": flags.insert(.noStore)
        case "must-revalidate": flags.insert(.mustRevalidate)
        case "proxy-revalidate": flags.insert(.proxyRevalidate)
        case "no-transform": flags.insert(.noTransform)
        // A permission with an argument is not the permission.
        case "public": if directive.argument == .none { flags.insert(.public) }
        case "immutable": if directive.argument == .none { flags.insert(.immutable) }
        case "must-understand":
            if directive.argument == .none { flags.insert(.mustUnderstand) }
        // RFC 9111 §5.2.2.4, §5.2.2.7: the qualified forms
        case "no-cache": insert(directive, .noCache, \.noCacheFields)
        case "private": insert(directive, .private, \.privateFields)
        case "max-age": Self.merge(directive.seconds, into: &maxAge)
        case "s-maxage": Self.merge(directive.seconds, into: &sMaxAge)
        case "stale-while-revalidate": Self.merge(directive.seconds, into: &staleWhileRevalidate)
        case "stale-if-error": Self.merge(directive.seconds, into: &staleIfError)
        default: break
        }
    }

    /// Fields without which the stored bytes would mean something else: naming one of them in
    /// `private` or `no-cache` is read as the directive for the whole answer.
    private static let essentialFields: Set<String> = [
        "content-encoding", "content-language", "content-length", "content-range", "content-type",
        "transfer-encoding", "vary",
    ]

    mutating func insert(
        _ directive: CacheDirective, _ flag: Flags, _ fields: WritableKeyPath<Self, [String]>
    ) {
        guard let names = directive.fieldNames else {
            flags.insert(flag)
            return
        }
        insert(names, flag, fields)
    }

    mutating func insert(
        _ names: [String], _ flag: Flags, _ fields: WritableKeyPath<Self, [String]>
    ) {
        guard names.allSatisfy({ !Self.essentialFields.contains($0) }) else {
            flags.insert(flag)
            return
        }
        for name in names where !self[keyPath: fields].contains(name) {
            self[keyPath: fields].append(name)
        }
    }

    // RFC 9111 §4.2.1: duplicates that agree count once; anything else is stale.
    private static func merge(_ seconds: Int64?, into stored: inout Int64?) {
        let value = seconds ?? 0
        stored = stored.map { $0 == value ? value : 0 } ?? value
    }
}
