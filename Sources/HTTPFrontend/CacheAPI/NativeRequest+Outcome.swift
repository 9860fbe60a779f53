import CacheEngine
import CacheKeys
import HTTPCaching
import HTTPTypes

/// Carrying out native requests; safe from any task.
extension NativeRequest {
    /// What answers a request.
    enum Outcome: Sendable {
        case reply(CacheReply)
        case stored(StoredResponse)
        /// The first page, and the walk to the others.
        case all([CacheRow], Engine.Walk)
    }

    func outcome(on engine: Engine) async -> Outcome {
        do throws(CacheFailure) {
            return try await run(on: engine)
        } catch {
            return .reply(.failure(error))
        }
    }

    private func run(on engine: Engine) async throws(CacheFailure) -> Outcome {
        switch operation {
        case .caches: return .reply(.json(NativeJSON.caches(try await engine.caches())))
        case .keys: return .reply(.json(try await keys(on: engine)))
        case .match:
            guard let query, let stored = try await engine.match(query) else {
                return .reply(.miss(.uriMiss))
            }
            return .stored(stored)
        case .matchAll:
            try await engine.flush()
            var walk =
                if let query { try engine.walk(through: query) } else {
                    engine.walk(of: cacheName)
                }
            return .all(try await engine.turn(&walk) ?? [], walk)
        case .delete:
            var wasThere = false
            if let query { wasThere = try await engine.delete(query) }
            return .reply(.json(NativeJSON.deleted(wasThere)))
        case .deleteTagged:
            try await engine.deleteTagged(tags)
            return .reply(.json(NativeJSON.deleted(true)))
        case .deleteCache:
            let existed = try await engine.deleteCache(cacheName)
            return .reply(.json(NativeJSON.deleted(existed)))
        }
    }

    private func keys(on engine: Engine) async throws(CacheFailure) -> JSONValue {
        if let query {
            return NativeJSON.keys(
                try await engine.rows(matching: query, after: after, limit: limit))
        }
        try await engine.flush()
        return NativeJSON.keys(
            try await engine.cacheRows(in: cacheName, after: after, limit: limit))
    }
}

/// The answers of native operations.
enum NativeJSON {
    static func caches(_ caches: [CacheSummary]) -> JSONValue {
        .object([
            (
                "caches",
                .array(
                    caches.map {
                        .object([
                            ("name", .string($0.name)), ("entries", .number($0.entries)),
                            ("bytes", .number($0.bytes)),
                        ])
                    })
            )
        ])
    }

    /// `next` is what `after` has to be for the next page; null at the end.
    static func keys(_ page: CachePage) -> JSONValue {
        .object([
            ("keys", .array(page.rows.map(key))),
            ("next", page.next.map { .number($0.id) } ?? .null),
        ])
    }

    private static func key(_ row: CacheRow) -> JSONValue {
        .object([
            (row.url.isOwnKey ? "key" : "url", .string(row.url.text)),
            ("status", .number(row.status)), ("size", .number(row.size)),
            ("storedAt", .number(row.storedAt)), ("freshUntil", .number(row.freshUntil)),
            ("vary", .array(row.vary.map { .string($0) })),
            (
                "headers",
                .object(row.requestFields.map { ($0.name.rawName, .string($0.value)) })
            ),
        ])
    }

    static func deleted(_ wasThere: Bool) -> JSONValue { .object([("deleted", .bool(wasThere))]) }
}
