/// The SQL of named caches.
extension Statements {
    // The unique index of `caches`.
    static let openCache = """
        INSERT INTO caches (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING
        """

    // `responses_by_cache`.
    static let deleteCacheRows = "DELETE FROM responses WHERE surface = 2 AND cache_name = ?"

    // The unique index of `caches`.
    static let deleteCache = "DELETE FROM caches WHERE name = ?"

    // The rowid of `responses`.
    static let noteRequest = "UPDATE responses SET request_headers = ? WHERE id = ?"

    private static let rowColumns = """
        SELECT id, uri_key, primary_key, variant_key, scheme, authority, target, vary, status,
            body_size, response_time, fresh_until, request_headers
        FROM responses
        """

    // `responses_by_cache`, a range of rowids.
    static let cacheRows = """
        \(rowColumns)
        WHERE surface = 2 AND cache_name = ? AND id > ? AND fresh_until > ? ORDER BY id LIMIT ?
        """

    // `responses_by_cached_url`, in its order.
    static let cacheRowsByURL = """
        \(rowColumns)
        WHERE surface = 2 AND cache_name = ? AND (scheme, authority, target, id) > (?, ?, ?, ?)
            AND fresh_until > ? ORDER BY scheme, authority, target, id LIMIT ?
        """

    // `responses_by_name`, first column.
    static let cacheRowsOfURL = """
        \(rowColumns)
        WHERE uri_key = ? AND +surface = 2 AND id > ? AND fresh_until > ? ORDER BY id LIMIT ?
        """

    // `responses_by_cached_url`, a range of targets: the path itself, and the path with a query.
    // In the order of that index, so that each page begins where the one before ended.
    static let cacheRowsOfPath = """
        \(rowColumns)
        WHERE surface = 2 AND cache_name = ? AND scheme = ? AND authority = ?
            AND target >= ? AND target < ? AND (target = ? OR target >= ?)
            AND (target, id) > (?, ?) AND fresh_until > ? ORDER BY target, id LIMIT ?
        """

    // The rowids of `caches`.
    static let caches = "SELECT name FROM caches ORDER BY id"

    // `responses_by_cache`.
    static let cacheSize = """
        SELECT count(*), coalesce(sum(body_size), 0) FROM responses
        WHERE surface = 2 AND cache_name = ?
        """

    /// For the test that explains them.
    static let ofCaches = [
        openCache, deleteCacheRows, deleteCache, noteRequest, cacheRows, cacheRowsByURL,
        cacheRowsOfURL, cacheRowsOfPath, cacheSize,
    ]
}
