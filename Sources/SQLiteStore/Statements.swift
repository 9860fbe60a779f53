/// All SQL of the store, prepared once for each connection and explained by a test.
enum Statements {
    // Rowid append; `responses_by_name` for the conflict. A replaced row keeps its id and its place
    // in the index: what that holds is not set again.
    static let put = """
        INSERT INTO responses (
            primary_key, variant_key, uri_key, key_material, cache_name, method, scheme, authority,
            target, vary, reason, headers, surface, recipe, status, request_time, response_time,
            date, born_at, fresh_until, stale_while_revalidate_until, stale_if_error_until, flags,
            body_checksum, body_size, head_checksum, generation, request_content_type,
            request_content_truncated, body, request_content
        ) VALUES (
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
        )
        ON CONFLICT (uri_key, primary_key, variant_key) DO UPDATE SET
            key_material = excluded.key_material, cache_name = excluded.cache_name,
            method = excluded.method, scheme = excluded.scheme, authority = excluded.authority,
            target = excluded.target, vary = excluded.vary, reason = excluded.reason,
            headers = excluded.headers, surface = excluded.surface, recipe = excluded.recipe,
            status = excluded.status, request_time = excluded.request_time,
            response_time = excluded.response_time, date = excluded.date,
            born_at = excluded.born_at, fresh_until = excluded.fresh_until,
            stale_while_revalidate_until = excluded.stale_while_revalidate_until,
            stale_if_error_until = excluded.stale_if_error_until, flags = excluded.flags,
            body_checksum = excluded.body_checksum, body_size = excluded.body_size,
            head_checksum = excluded.head_checksum, generation = excluded.generation,
            chunk_count = 0, chunk_size = 0, frame_times = NULL,
            request_content_type = excluded.request_content_type,
            request_content_truncated = excluded.request_content_truncated,
            body = excluded.body, request_content = excluded.request_content
        """

    // `responses_by_name`, all columns. Only a row that still has the validated body.
    static let freshen = """
        UPDATE responses SET
            vary = ?, reason = ?, headers = ?, status = ?, request_time = ?, response_time = ?,
            date = ?, born_at = ?, fresh_until = ?, stale_while_revalidate_until = ?,
            stale_if_error_until = ?, flags = ?, head_checksum = ?, generation = ?
        WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
            AND body_checksum = ? AND body_size = ?
        """

    // `responses_by_name`, two columns, then rowids. What was stored first goes.
    static let trimVariants = """
        DELETE FROM responses WHERE id IN (
            SELECT id FROM responses WHERE uri_key = ? AND primary_key = ?
            ORDER BY id DESC LIMIT -1 OFFSET ?
        )
        """

    // `responses_by_name`, all columns.
    static let deleteVariant =
        "DELETE FROM responses WHERE uri_key = ? AND primary_key = ? AND variant_key = ?"

    // `responses_by_name`, two columns. Also takes rows whose variant no digest can name.
    static let deletePlain = """
        DELETE FROM responses WHERE uri_key = ? AND primary_key = ? AND length(variant_key) <> 32
        """

    // `responses_by_name`, first column.
    static let deleteURI = "DELETE FROM responses WHERE uri_key = ?"

    // Rowid append.
    static let logInvalidation =
        "INSERT INTO invalidations (uri_key, at, reason) VALUES (?, ?, ?)"

    // The rowids of `invalidations`, a range at its beginning.
    static let pruneInvalidations = "DELETE FROM invalidations WHERE sequence <= ?"

    // `responses_by_name`, two columns. Small bodies come along; larger ones only when chosen.
    static let find = """
        SELECT
            id, variant_key, uri_key, key_material, cache_name, method, scheme, authority, target,
            vary, reason, headers, surface, recipe, status, request_time, response_time, date,
            born_at, fresh_until, stale_while_revalidate_until, stale_if_error_until, flags,
            body_checksum, body_size, head_checksum,
            CASE WHEN body_size <= 16384 THEN body END
        FROM responses WHERE uri_key = ? AND primary_key = ?
        """

    // The rowid of `responses`.
    static let body = "SELECT body FROM responses WHERE id = ?"

    // `responses_by_name`, first column, covering.
    static let probeURI = "SELECT 1 FROM responses WHERE uri_key = ? LIMIT 1"

    // `responses_by_name`, covering, a range.
    static let names = """
        SELECT uri_key, primary_key, variant_key FROM responses
        WHERE (uri_key, primary_key, variant_key) > (?, ?, ?)
        ORDER BY uri_key, primary_key, variant_key LIMIT ?
        """

    // The last rowid: an upper bound of how many there are.
    static let lastRow = "SELECT max(id) FROM responses"

    // The primary key of `meta`.
    static let readMeta = "SELECT value FROM meta WHERE key = ?"

    // The primary key of `meta`.
    static let writeMeta = """
        INSERT INTO meta (key, value) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
        """

    // No table. IMMEDIATE takes the write lock at once, so that no statement after it is refused.
    static let begin = "BEGIN IMMEDIATE"
    static let commit = "COMMIT"
    static let rollback = "ROLLBACK"
    static let dataVersion = "PRAGMA data_version"

    /// Every statement that looks into a table, for the test that explains them.
    static let all = [
        put, freshen, trimVariants, deleteVariant, deletePlain, deleteURI, logInvalidation,
        pruneInvalidations,
        find, body, probeURI, names, lastRow, readMeta, writeMeta,
    ]
}
