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
    ///   that is no success, and what `fetch` throws.
    @discardableResult
    public func add(
        _ request: HTTPRequest, fetch: CacheFetch
    ) async throws -> PutResult {
        try await addAll([request], fetch: fetch).first ?? .refused(.overload)
    }

    /// Fetches all requests and puts all responses, or none of them.
    ///
    /// One after the other; bodies go to the file as they come and are found when the last one is
    /// whole.
    /// - Throws: as ``add(_:fetch:)``, and ``CacheError/duplicateRequests`` where two requests name one
    ///   response; then nothing is stored.
    @discardableResult
    public func addAll(
        _ requests: [HTTPRequest], fetch: CacheFetch
    ) async throws -> [PutResult] {
        var seen: Set<String> = []
        for request in requests {
            guard request.method == .get else {
                throw CacheError.methodNotCacheable(request.method.rawValue)
            }
            let url = try request.cacheURL()
            // Requests of one URL may differ by what their responses vary by.
            let fields = request.headerFields.map { "\($0.name.canonicalName): \($0.value)" }
            guard seen.insert(([url.text] + fields.sorted()).joined(separator: "\n")).inserted
            else {
                throw CacheError.duplicateRequests
            }
        }
        var begun: [RunningPut.Beginning] = []
        do {
            for request in requests {
                begun.append(try await fetchAndWrite(request, fetch))
            }
        } catch {
            for case .running(let put) in begun { await put.cancel() }
            throw error
        }
        var results: [PutResult] = []
        for beginning in begun {
            switch beginning {
            case .refused(let refusal): results.append(.refused(refusal))
            case .running(let put): results.append(await put.finish())
            }
        }
        return results
    }

    private func fetchAndWrite(
        _ request: HTTPRequest, _ fetch: CacheFetch
    ) async throws -> RunningPut.Beginning {
        let (response, body) = try await fetch(request)
        guard (200...299).contains(response.status.code) else {
            throw CacheError.badStatus(response.status.code)
        }
        let beginning = try await RunningPut.begin(
            request, response, length: body.length, options: PutOptions(), in: self)
        if case .running(let put) = beginning { try await put.write(body) }
        return beginning
    }
}
