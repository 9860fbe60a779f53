import CacheEngine
import CacheKeys
import HTTPCaching
public import HTTPTypes
public import NIOCore

extension Cache {
    /// The key of a request whose content decides its answer: a GET of a URL that nobody can fetch, its
    /// scheme being `keyed+https` or the like.
    ///
    /// Equal only for the same method, URL, content, and Content-Type, Content-Encoding,
    /// Content-Language, Accept, Accept-Language, Accept-Encoding and Origin; credentials (Authorization,
    /// Cookie, API keys) go in under the file's secret, so that no caller's answer is another's. The
    /// request's other fields are left out: none of them can make the answer a partial one, or a 304.
    ///
    /// - Throws: ``CacheError/invalidURL(_:)``, ``CacheError/unkeyable``.
    public func key(
        for request: HTTPRequest, content: ByteBuffer
    ) throws(CacheError) -> HTTPRequest {
        let url = try request.cacheURL()
        guard let digest = digest(of: request, url, content) else { throw .unkeyable }
        let key = HTTPRequest(
            method: .get, scheme: "keyed+\(url.scheme)", authority: url.authority,
            path: "/\(digest.hexadecimal)\(url.target)")
        _ = try key.cacheURL()
        return key
    }

    private func digest(
        of request: HTTPRequest, _ url: CacheURL, _ content: ByteBuffer
    ) -> Digest? {
        guard let hasher = try? KeyHasher(), let digester = try? BodyDigester() else { return nil }
        content.withUnsafeReadableBytes { digester.update($0) }
        guard let body = digester.finish() else { return nil }
        let fields = RequestFields(request.headerFields)
        let values = KeyFields.standard.map { name in
            Vary.normalizedValue(name: name, lines: fields.lines(named: name))
        }
        let credentials = request.headerFields.compactMap {
            field -> (name: String, value: String)? in
            let name = field.name.canonicalName
            return CredentialFields.isCredential(name, extra: []) ? (name, field.value) : nil
        }
        return hasher.primaryKey(
            KeyParts(
                surface: .cacheAPI, cacheName: name, method: request.method.rawValue,
                scheme: url.scheme, authority: url.authority, target: url.target,
                content: ContentParts(
                    length: body.length, digest: body.digest, names: KeyFields.standard,
                    values: values),
                credentials: storage.engine.credentialDigest(of: credentials)))
    }
}
