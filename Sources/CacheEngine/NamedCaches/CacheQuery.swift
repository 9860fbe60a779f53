package import CacheKeys

/// What a program looks for in a named cache.
package struct CacheQuery: Sendable {
    /// As in the W3C's `CacheQueryOptions`.
    package struct Options: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The query of the URL does not count.
        package static let ignoreSearch = Options(rawValue: 1 << 0)
        /// Another method than GET finds, too.
        package static let ignoreMethod = Options(rawValue: 1 << 1)
        /// What the stored response varies by does not count.
        package static let ignoreVary = Options(rawValue: 1 << 2)
    }

    /// Empty: the default cache.
    package var cacheName: String
    package var url: CacheURL
    package var isGet: Bool
    /// Of the request, for what varies by them.
    package var fields: any FieldLines
    package var options: Options

    package init(
        cacheName: String, url: CacheURL, isGet: Bool = true, fields: any FieldLines,
        options: Options = []
    ) {
        self.cacheName = cacheName
        self.url = url
        self.isGet = isGet
        self.fields = fields
        self.options = options
    }

    /// Nothing is found for it, whatever is stored.
    var findsNothing: Bool { !isGet && !options.contains(.ignoreMethod) }
}

/// Why an operation on a named cache could not be carried out.
package enum CacheFailure: Error, Sendable, Equatable {
    /// The file cannot be read.
    case unreadable
    /// What is decided is not in the file: that takes longer than it should, or a put was lost there.
    case notWritten
    /// No key can be made: libcrypto failed, or a part is not what was sent.
    case unkeyed
}

extension Engine {
    /// The identity of what is stored under a URL in a named cache; nil when it cannot be keyed.
    package func cacheIdentity(
        of url: CacheURL, in cacheName: String, hasher: KeyHasher
    ) -> EntryIdentity? {
        url.keys(in: cacheName, hasher: hasher).map {
            EntryIdentity(
                primaryKey: $0.primaryKey, uriKey: $0.uriKey, material: $0.material,
                surface: .cacheAPI, cacheName: cacheName, recipe: .raw, method: "GET",
                scheme: url.scheme, authority: url.authority, target: url.target)
        }
    }

    /// The same for who makes keys now and then.
    package func cacheIdentity(
        of url: CacheURL, in cacheName: String
    ) throws(CacheFailure) -> EntryIdentity {
        guard let hasher = try? KeyHasher(),
            let identity = cacheIdentity(of: url, in: cacheName, hasher: hasher)
        else { throw .unkeyed }
        return identity
    }

    /// Which variant a response that varies by `names` is for a request; nil when a value cannot be
    /// keyed.
    package func cacheVariant(of fields: any FieldLines, names: [String]) -> Variant? {
        guard !names.isEmpty else { return Variant.none }
        return variantKey(of: fields, names: names).map { Variant(names: names, key: $0) }
    }

    /// Whether a request finds a variant.
    package func selects(_ variant: Variant, fields: any FieldLines) -> Bool {
        variant.names.isEmpty || variantKey(of: fields, names: variant.names) == variant.key
    }

    /// The keyed digest of credentials; nil when there are none.
    package func credentialDigest(of fields: [(name: String, value: String)]) -> Digest? {
        secret.digest(fields: fields)
    }
}
