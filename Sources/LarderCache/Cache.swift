import CacheEngine
import CacheKeys
import HTTPCaching
public import HTTPTypes

/// One cache of a ``CacheStorage``: stored responses by the URL they were put under.
///
/// A value that names the cache; it holds nothing and is usable from any task. Requests name a scheme,
/// an authority and a path; the fragment does not count.
public struct Cache: Sendable {
    let storage: CacheStorage
    /// Empty for the default cache.
    public let name: String

    /// A response that was put for a request and is still fresh.
    ///
    /// Where there are several: with options the first that was put, without the one put last.
    /// Nil for a request of another method than GET, unless the options say otherwise.
    public func match(
        _ request: HTTPRequest, options: CacheQueryOptions = CacheQueryOptions()
    ) async throws(CacheError) -> CachedResponse? {
        let query = try query(request, options)
        let stored = try await translated { () throws(CacheFailure) in
            try await storage.engine.match(query)
        }
        return stored.map { CachedResponse($0, engine: storage.engine) }
    }

    /// All responses that were put for a request, in the order in which they were; all of the cache
    /// for nil.
    ///
    /// Large bodies stay in the file until they are read.
    public func matchAll(
        _ request: HTTPRequest? = nil, options: CacheQueryOptions = CacheQueryOptions()
    ) async throws(CacheError) -> [CachedResponse] {
        var found: [CachedResponse] = []
        for row in try await rows(request, options) {
            let stored = try await translated { () throws(CacheFailure) in
                try await storage.engine.response(of: row, in: name)
            }
            if let stored { found.append(CachedResponse(stored, engine: storage.engine)) }
        }
        return found
    }

    /// The requests that something is stored for, in the order in which it was put; all of the cache
    /// for nil.
    ///
    /// They have the fields that their response varies by, credentials excepted, so that each of them
    /// matches what it names.
    public func keys(
        _ request: HTTPRequest? = nil, options: CacheQueryOptions = CacheQueryOptions()
    ) async throws(CacheError) -> [HTTPRequest] {
        try await rows(request, options).map { row in
            HTTPRequest(
                method: .get, scheme: row.url.scheme, authority: row.url.authority,
                path: row.url.target, headerFields: row.requestFields)
        }
    }

    /// Deletes all responses that a match would consider; they are gone from the file when this
    /// returns.
    ///
    /// - Returns: whether there was one that is still fresh.
    @discardableResult
    public func delete(
        _ request: HTTPRequest, options: CacheQueryOptions = CacheQueryOptions()
    ) async throws(CacheError) -> Bool {
        let query = try query(request, options)
        return try await translated { () throws(CacheFailure) in
            try await storage.engine.delete(query)
        }
    }

    private func rows(
        _ request: HTTPRequest?, _ options: CacheQueryOptions
    ) async throws(CacheError) -> [CacheRow] {
        guard let request else {
            return try await translated { () throws(CacheFailure) in
                try await storage.engine.allRows(of: name)
            }
        }
        let query = try query(request, options)
        return try await translated { () throws(CacheFailure) in
            try await storage.engine.rows(matching: query).rows
        }
    }

    private func query(
        _ request: HTTPRequest, _ options: CacheQueryOptions
    ) throws(CacheError) -> CacheQuery {
        CacheQuery(
            cacheName: name, url: try request.cacheURL(), isGet: request.method == .get,
            fields: RequestFields(request.headerFields), options: options.options)
    }
}

/// The fields of a request by name.
struct RequestFields: FieldLines {
    let fields: HTTPFields

    init(_ fields: HTTPFields) { self.fields = fields }

    func lines(named name: String) -> [String] {
        HTTPField.Name(name).map { fields[values: $0] } ?? []
    }
}

extension HTTPRequest {
    func cacheURL() throws(CacheError) -> CacheURL {
        // As a walk gives the key of what a worker put under a key of its own.
        if scheme == CacheURL.ownScheme, authority == "", let path, let key = CacheURL.custom(path)
        {
            return key
        }
        guard
            let url = CacheURL(
                scheme: scheme ?? "", authority: authority ?? "", target: path ?? "/")
        else {
            throw .invalidURL("\(scheme ?? "")://\(authority ?? "")\(path ?? "")")
        }
        return url
    }

    /// A GET of an absolute URL, as it is put and matched.
    ///
    /// - Throws: ``CacheError/invalidURL(_:)`` for anything else.
    public static func get(
        _ url: String, headerFields: HTTPFields = HTTPFields()
    ) throws(CacheError) -> HTTPRequest {
        guard let parsed = CacheURL(url) else { throw .invalidURL(url) }
        return HTTPRequest(
            method: .get, scheme: parsed.scheme, authority: parsed.authority, path: parsed.target,
            headerFields: headerFields)
    }
}
