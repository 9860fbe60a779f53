import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes
import NIOCore

/// A put from its first byte to its result.
struct RunningPut {
    enum Beginning {
        case running(RunningPut)
        case refused(PutRefusal)
    }

    private let handle: CachePutHandle
    private let head: CachePut.Head
    private let mayHaveContent: Bool

    static func begin(
        _ request: HTTPRequest, _ response: HTTPResponse, length: Int64?, options: PutOptions,
        in cache: Cache
    ) async throws(CacheError) -> Beginning {
        guard request.method == .get else { throw .methodNotCacheable(request.method.rawValue) }
        guard response.status.code != 206 else { throw .partialContent }
        let url = try request.cacheURL()
        let engine = cache.storage.engine
        let fields = RequestFields(request.headerFields)
        let plan: PutPlan
        switch PutRules.decide(
            status: response.status.code, fields: response.headerFields,
            hasAuthorization: request.headerFields.contains(.authorization),
            overrides: options.overrides, policy: cache.storage.policy, now: engine.now)
        {
        case .success(let decided): plan = decided
        case .failure(.varyStar): throw .varyStar
        case .failure(let reason): return .refused(PutRefusal(reason))
        }
        let identity = try await translated { () throws(CacheFailure) in
            try engine.cacheIdentity(of: url, in: cache.name)
        }
        let start = CachePut.Start(identity, on: engine)
        guard let variant = engine.cacheVariant(of: fields, names: plan.vary) else {
            return .refused(.unkeyed)
        }
        let head = CachePut.Head(
            identity: identity, variant: variant,
            requestFields: requestFields(request, variant.names), status: response.status,
            plan: plan, supersedes: { engine.selects($0, fields: fields) })
        guard
            let handle = try? await CachePutHandle(
                engine: engine, head: head, start: start, announced: length)
        else { return .refused(.overload) }
        let code = response.status.code
        return .running(
            RunningPut(handle: handle, head: head, mayHaveContent: code != 204 && code != 205))
    }

    /// What a walk through the cache must know to match this response again.
    private static func requestFields(_ request: HTTPRequest, _ names: [String]) -> HTTPFields? {
        guard !names.isEmpty else { return nil }
        var kept = HTTPFields()
        for field in request.headerFields {
            let name = field.name.canonicalName
            guard names.contains(name), !CredentialFields.isCredential(name, extra: []) else {
                continue
            }
            kept.append(field)
        }
        return kept
    }

    /// Writes all of a body; when that throws, nothing is stored.
    func write(_ body: CacheBody) async throws(CacheError) {
        var received: Int64 = 0
        do {
            for try await piece in body {
                received += Int64(piece.readableBytes)
                await handle.write(piece)
            }
        } catch {
            await handle.cancel()
            throw (error as? CacheError) ?? .bodyFailed("\(error)")
        }
        let isWhole = body.length.map { $0 == received } ?? true
        if !isWhole || received > 0 && !mayHaveContent {
            await handle.cancel(because: .malformed)
        }
    }

    /// Whether its request finds what another one puts.
    func supersedes(_ other: RunningPut) -> Bool {
        head.identity.primaryKey == other.head.identity.primaryKey
            && head.supersedes(other.head.variant)
    }

    func cancel() async { await handle.cancel() }

    func finish() async -> PutResult {
        switch await handle.finish() {
        case .refused(let reason): .refused(PutRefusal(reason))
        case .stored(let seconds): .stored(lifetime: .seconds(seconds))
        }
    }
}

extension PutRefusal {
    init(_ reason: NoStoreReason) {
        self =
            switch reason {
            case .noStore, .requestNoStore: .noStore
            case .private: .private
            case .noCache: .noCache
            case .credentials: .credentials
            case .setCookie: .setCookie
            case .noLifetime: .noLifetime
            case .varyTooLarge: .varyTooLarge
            case .bodyLimit: .bodyLimit
            case .malformed, .incomplete, .upgrade, .trailers, .closeDelimited: .malformed
            case .generation: .invalidated
            case .unkeyed: .unkeyed
            case .overload: .overload
            case .status, .method, .partial, .varyStar, .requestContent, .knownUncacheable: .status
            }
    }
}
