import CacheKeys
public import HTTPTypes

/// Gets the response to a request from wherever it comes.
public typealias CacheFetch = @Sendable (HTTPRequest) async throws -> (HTTPResponse, CacheBody)

extension Cache {
    /// Stores a response under a request's URL, in place of what a match for it finds.
    ///
    /// Returns when every match finds it; it is in the file a moment later (``CacheStorage/flush()``
    /// waits for that). Read the result: whether it was stored, and if not, why.
    ///
    /// - Throws: what the W3C's `put` rejects with: another method than GET, a 206, `Vary: *`, a URL
    ///   without a host; ``CacheError/bodyFailed(_:)`` when the body's sequence throws. What was
    ///   stored before is still there then.
    @discardableResult
    public func put(
        _ request: HTTPRequest, _ response: HTTPResponse, body: CacheBody = .empty,
        options: PutOptions = PutOptions()
    ) async throws(CacheError) -> PutResult {
        switch try await RunningPut.begin(
            request, response, length: body.length, options: options, in: self)
        {
        case .refused(let refusal): return .refused(refusal)
        case .running(let put):
            try await put.write(body)
            return await put.finish()
        }
    }

    /// Fetches a request and puts the response.
    ///
    /// - Throws: what ``put(_:_:body:options:)`` throws, ``CacheError/badStatus(_:)`` for a response
    ///   that is no success, ``CacheError/refused(_:)`` for one that is not stored, and what `fetch`
    ///   throws.
    public func add(_ request: HTTPRequest, fetch: CacheFetch) async throws {
        try await addAll([request], fetch: fetch)
    }

    /// Fetches all requests and puts all responses, or none of them.
    ///
    /// One after the other; what is stored is found when the last one is whole. Small bodies are in
    /// memory until then.
    /// - Throws: as ``add(_:fetch:)``, and ``CacheError/duplicateRequests`` where two requests name one
    ///   response; then nothing is stored. Where a put is refused at its very end
    ///   (``PutRefusal/invalidated``, ``PutRefusal/overload``), what those before it replaced is gone, too.
    public func addAll(_ requests: [HTTPRequest], fetch: CacheFetch) async throws {
        try checkDistinct(requests)
        var running: [RunningPut] = []
        do {
            for request in requests {
                let put = try await fetchAndWrite(request, fetch)
                running.append(put)
                // What its own response replaces at once is not stored at all.
                if running.dropLast().contains(where: { put.supersedes($0) }) {
                    throw CacheError.duplicateRequests
                }
            }
        } catch {
            for put in running { await put.cancel() }
            throw error
        }
        for (index, put) in running.enumerated() {
            guard case .refused(let why) = await put.finish() else { continue }
            for rest in running[(index + 1)...] { await rest.cancel() }
            // Those before it were stored a moment ago.
            for request in requests[..<index] { try await delete(request) }
            throw CacheError.refused(why)
        }
    }

    private func checkDistinct(_ requests: [HTTPRequest]) throws(CacheError) {
        var seen: Set<[UInt8]> = []
        for request in requests {
            guard request.method == .get else {
                throw .methodNotCacheable(request.method.rawValue)
            }
            // Requests of one URL may differ by what their responses vary by.
            let fields = request.headerFields.map { "\($0.name.canonicalName): \($0.value)" }
            let lines = [try request.cacheURL().text] + fields.sorted()
            guard seen.insert(Array(lines.joined(separator: "\n").utf8)).inserted else {
                throw .duplicateRequests
            }
        }
    }

    private func fetchAndWrite(
        _ request: HTTPRequest, _ fetch: CacheFetch
    ) async throws -> RunningPut {
        let (response, body) = try await fetch(request)
        guard (200...299).contains(response.status.code) else {
            throw CacheError.badStatus(response.status.code)
        }
        let beginning = try await RunningPut.begin(
            request, response, length: body.length, options: PutOptions(), in: self)
        switch beginning {
        case .refused(let refusal): throw CacheError.refused(refusal)
        case .running(let put):
            try await put.write(body)
            return put
        }
    }
}
