/// Makes keys from the parts of a request, one after the other in the same memory.
///
/// Each event loop owns one: it is not to be shared. After its first calls it allocates nothing of
/// its own for `getKey`, `uriKey` and `primaryKey` (libcrypto 3.0 allocates its state at each
/// digest). Every function answers nil where a key cannot be computed (bytes repaired by the HTTP
/// decoder, a failing libcrypto); such a request is forwarded and its response is not stored.
package final class KeyHasher {
    private let hash: SHA256
    /// Apart from `other`, so that `lastMaterial` outlives the making of other keys.
    private var primary = Preimage()
    private var other = Preimage()

    /// Takes a context from libcrypto, which the object gives back when it goes.
    package init() throws(KeyError) {
        hash = try SHA256()
    }

    /// The key of a request described part by part.
    package func primaryKey(_ parts: KeyParts) -> CacheKey? {
        primary.beginPrimary(
            surface: parts.surface, cacheName: parts.cacheName, recipe: parts.recipe,
            method: parts.method)
        primary.appendTarget(
            scheme: parts.scheme, authority: parts.authority, target: parts.target)
        primary.appendContent(parts.content)
        primary.append(parts.credentials)
        return finish(&primary)
    }

    /// The key of a GET to the proxy, or of another method without content in its key.
    ///
    /// Equal to `primaryKey` of a `KeyParts` made from the same four values, without making one.
    package func getKey(
        scheme: String, authority: String, target: String, method: String = "GET"
    ) -> CacheKey? {
        primary.beginPrimary(
            surface: .proxy, cacheName: KeyParts.defaultCacheName, recipe: .raw, method: method)
        primary.appendTarget(scheme: scheme, authority: authority, target: target)
        primary.appendContent(nil)
        primary.appendAbsent()
        return finish(&primary)
    }

    /// The bytes the last primary key was made of, by `primaryKey` or `getKey`, to keep beside it.
    ///
    /// Empty when there was no key. The layout is described at `Preimage`. Each call makes a copy.
    package var lastMaterial: [UInt8] { primary.withBytes { [UInt8]($0) } }

    /// The key of a URI, under which purge and invalidation find every stored response of it.
    package func uriKey(
        surface: Surface = .proxy, cacheName: String = KeyParts.defaultCacheName,
        scheme: String, authority: String, target: String
    ) -> URIKey? {
        other.begin(.uri)
        other.append(surface.rawValue)
        other.append(cacheName)
        other.appendTarget(scheme: scheme, authority: authority, target: target)
        return finish(&other)
    }

    /// The key of a variant: what the request says in the fields that Vary names.
    ///
    /// `names` are lower-case and in a fixed order; a nil value means that the field was not sent.
    /// Values of credential fields, the standard ones and `extraCredentialFields`, enter as HMAC
    /// under `secret`. Nil also when there are not as many values as names.
    package func variantKey(
        names: [String], values: [String?], secret: CredentialSecret,
        extraCredentialFields: [String] = []
    ) -> Digest? {
        guard names.count == values.count, let count = UInt32(exactly: names.count) else {
            return nil
        }
        other.begin(.variant)
        other.append(count)
        for (name, value) in zip(names, values) {
            other.append(name)
            if let value, CredentialFields.isCredential(name, extra: extraCredentialFields) {
                let digest = secret.digest(fields: [(name: name, value: value)])
                other.append(keyed: digest ?? .uncomputable)
            } else {
                other.append(value)
            }
        }
        return finish(&other)
    }

    private func finish(_ preimage: inout Preimage) -> Digest? {
        let digest = preimage.isUsable ? preimage.withBytes { hash.digest(of: $0) } : nil
        if digest == nil { preimage.discard() }
        return digest
    }
}

@available(*, unavailable)
extension KeyHasher: Sendable {}

/// The parts of keys, in the order they are written; a change of it raises `Preimage.version`.
extension Preimage {
    fileprivate mutating func beginPrimary(
        surface: Surface, cacheName: String, recipe: KeyRecipe, method: String
    ) {
        begin(.primary)
        append(surface.rawValue)
        append(cacheName)
        append(recipe.rawValue)
        append(method)
    }

    fileprivate mutating func appendTarget(scheme: String, authority: String, target: String) {
        append(scheme)
        append(authority)
        append(target)
    }

    fileprivate mutating func appendContent(_ content: ContentParts?) {
        guard let content else {
            appendAbsent()
            return
        }
        append(content.length)
        append(content.digest)
        // Fewer values than names could make two requests equal.
        guard content.names.count == content.values.count else { return discard() }
        append(UInt32(clamping: content.names.count))
        for (name, value) in zip(content.names, content.values) {
            append(name)
            append(value)
        }
    }
}
