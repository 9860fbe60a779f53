/// All SQL of the store, prepared once for each connection and explained by a test.
enum Statements {
    private static let putColumns = """
        INTO responses (
            primary_key, variant_key, uri_key, key_material, cache_name, method, scheme, authority,
            target, vary, reason, headers, surface, recipe, status, request_time, response_time,
            date, born_at, fresh_until, stale_while_revalidate_until, stale_if_error_until, flags,
            body_checksum, body_size, head_checksum, generation, request_content_type,
            request_content_truncated, body, request_content, chunk_count, chunk_size, body_id,
            part_first, complete_length
        ) VALUES (
            ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
            ?, ?, ?, ?, ?
        )
        """

    // Rowid append. The put of a new row, which nearly all are: FAIL, unlike ABORT, needs no copy of
    // the pages before the statement, and a row that is refused has changed nothing.
    static let insert = "INSERT OR FAIL \(putColumns)"

    // Rowid append; `responses_by_name` for the conflict. A replaced row keeps its id and its place
    // in the index: what that holds is not set again. One with a large body is left as it is.
    static let put = """
        INSERT \(putColumns)
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
            chunk_count = excluded.chunk_count, chunk_size = excluded.chunk_size,
            body_id = excluded.body_id, part_first = excluded.part_first,
            complete_length = excluded.complete_length, frame_times = NULL, stored_anew = 1,
            request_content_type = excluded.request_content_type,
            request_content_truncated = excluded.request_content_truncated,
            body = excluded.body, request_content = excluded.request_content
        WHERE responses.body_id IS NULL
        """

    // `responses_by_name`, all columns. Only a row that still has the validated body.
    static let freshen = """
        UPDATE responses SET
            vary = ?, reason = ?, headers = ?, status = ?, request_time = ?, response_time = ?,
            date = ?, born_at = ?, fresh_until = ?, stale_while_revalidate_until = ?,
            stale_if_error_until = ?, flags = ?, head_checksum = ?, generation = ?, part_first = ?,
            complete_length = ?, stored_anew = 1
        WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
            AND body_checksum = ? AND body_size = ?
        """

    // `responses_by_name`, all columns. Only while the row still has that large body.
    static let bodyChecksum = """
        SELECT body_checksum FROM responses
        WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
            AND body_id = ? AND body_size = ? AND chunk_size = ?
        """

    // `responses_by_name`, two columns, covering.
    static let countVariants =
        "SELECT count(*) FROM responses WHERE uri_key = ? AND primary_key = ?"

    // `responses_by_name`, two columns, then rowids. What was used last stays, and one row for sure.
    static let trimVariants = """
        DELETE FROM responses WHERE id IN (
            SELECT r.id FROM responses AS r LEFT JOIN touches AS t ON t.response_id = r.id
            WHERE r.uri_key = ? AND r.primary_key = ?
            ORDER BY r.id = ? DESC, max(r.response_time, coalesce(t.last_used, r.response_time)) DESC,
                r.id DESC
            LIMIT -1 OFFSET ?
        )
        """

    // `responses_by_name`, all columns.
    static let deleteVariant =
        "DELETE FROM responses WHERE uri_key = ? AND primary_key = ? AND variant_key = ?"

    // `responses_by_name`, two columns. Also takes rows whose variant no digest can name.
    static let deletePlain = """
        DELETE FROM responses WHERE uri_key = ? AND primary_key = ? AND length(variant_key) <> 32
        """

    // `responses_by_name`, two columns. As numbers: whatever else stands there is damage, too.
    static let deleteUnreadable = """
        DELETE FROM responses WHERE uri_key = ? AND primary_key = ?
            AND CASE WHEN ? THEN length(variant_key) <> 32 ELSE variant_key = ? END
            AND (body_id = ? OR CAST(head_checksum AS INTEGER) = ?
                AND CAST(body_checksum AS INTEGER) = ?)
        """

    // `responses_by_name`, two columns.
    static let otherVariants = """
        SELECT id, variant_key, vary FROM responses
        WHERE uri_key = ? AND primary_key = ? AND variant_key <> ?
        """

    // `responses_by_name`, first column.
    static let deleteURI = "DELETE FROM responses WHERE uri_key = ?"

    // `responses_by_name`, all columns, then the key of `tags`.
    static let noteGroup = """
        INSERT OR IGNORE INTO tags (response_id, tag)
        SELECT id, ? FROM responses WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
        """

    // `responses_by_name`, all columns, then the key of `tags`.
    static let forgetGroups = """
        DELETE FROM tags WHERE response_id = (
            SELECT id FROM responses WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
        )
        """

    // `tags_by_tag`, then rowids.
    static let deleteGroup = """
        DELETE FROM responses WHERE id IN (SELECT response_id FROM tags WHERE tag = ?)
        """

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
            body_checksum, body_size, head_checksum, chunk_count, chunk_size, body_id,
            part_first, complete_length,
            CASE WHEN body_size <= 16384 THEN body END
        FROM responses WHERE uri_key = ? AND primary_key = ?
        """

    // The rowid of `responses`.
    static let body = "SELECT body FROM responses WHERE id = ?"

    // The rowid of `bodies`.
    static let bodyState = "SELECT state, length, chunk_size FROM bodies WHERE id = ?"

    // `chunks_by_body`, then the rowid of `bodies`. What no reader would hold is not loaded.
    static let chunk = """
        SELECT c.checksum, CASE WHEN length(c.data) <= 16777216 THEN c.data END,
            b.state, b.length, b.chunk_size
        FROM chunks AS c LEFT JOIN bodies AS b ON b.id = c.body_id
        WHERE c.body_id = ? AND c.seq = ?
        """

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

    // Rowid; the first chunk makes the row.
    static let beginBody = "INSERT INTO bodies (id) VALUES (?) ON CONFLICT (id) DO NOTHING"

    // The rowid of `bodies`. Nothing is added to a body that is visible or given up.
    static let putChunk = """
        INSERT INTO chunks (body_id, seq, checksum, data)
        SELECT id, ?, ?, ? FROM bodies WHERE id = ? AND state = 0
        ON CONFLICT (body_id, seq) DO NOTHING
        """

    // `chunks_by_body`, first column. A length is read without the data.
    static let chunkSums = """
        SELECT seq, checksum, length(data) FROM chunks WHERE body_id = ? ORDER BY seq
        """

    // `responses_by_name`, all columns.
    static let hasBody = """
        SELECT 1 FROM responses
        WHERE uri_key = ? AND primary_key = ? AND variant_key = ? AND body_id = ?
        """

    // The rowid of `bodies`.
    static let showBody =
        "UPDATE bodies SET state = 1, length = ?, chunk_size = ? WHERE id = ?"

    // The rowid of `bodies`. A response's body goes with its response only.
    static let orphanBody = "UPDATE bodies SET state = 2 WHERE id = ? AND state = 0"

    // `bodies_by_state`.
    static let orphanHidden = "UPDATE bodies SET state = 2 WHERE state = 0"

    // `bodies_by_state`, and `responses_by_body`, covering, for each.
    static let orphanLost = """
        UPDATE bodies SET state = 2 WHERE state = 1
            AND NOT EXISTS (SELECT 1 FROM responses WHERE responses.body_id = bodies.id)
        """

    // `bodies_by_state`, covering, in pages.
    static let orphans = """
        SELECT id FROM bodies WHERE state = 2 AND id > ? ORDER BY id LIMIT 64
        """

    // `chunks_by_body`, first column.
    static let someChunks = """
        SELECT id, length(data) FROM chunks WHERE body_id = ? ORDER BY seq LIMIT 64
        """

    // Rowids.
    static let deleteChunk = "DELETE FROM chunks WHERE id = ?"
    static let deleteBody = "DELETE FROM bodies WHERE id = ? AND state = 2"

    // The last rowid of `bodies`, and the last of `chunks_by_body`, below what a damaged row says.
    static let lastBody = """
        SELECT max(id) FROM bodies WHERE id < 4611686018427387904
        """
    static let lastChunkBody = """
        SELECT max(body_id) FROM chunks WHERE body_id < 4611686018427387904
        """

    // `responses_by_name`, all columns, then the rowid of `touches`.
    static let touch = """
        INSERT INTO touches (response_id, last_used, uses)
        SELECT id, ?, 1 FROM responses WHERE uri_key = ? AND primary_key = ? AND variant_key = ?
        ON CONFLICT (response_id) DO UPDATE SET
            last_used = max(last_used, excluded.last_used), uses = uses + 1
        """

    // `responses_by_end`, a range. The lengths are read without the blobs.
    static let expired = """
        SELECT id, body_id, body_size, coalesce(length(body), 0),
            coalesce(length(request_content), 0) + length(headers)
        FROM responses
        WHERE max(fresh_until, stale_while_revalidate_until, stale_if_error_until) / 21600 < ?
        ORDER BY max(fresh_until, stale_while_revalidate_until, stale_if_error_until) / 21600
        LIMIT 64
        """

    // `touches_by_time`, covering, then the rowids of `responses`.
    static let leastTouched = """
        SELECT r.id, r.body_id, r.body_size, coalesce(length(r.body), 0),
            coalesce(length(r.request_content), 0) + length(r.headers),
            r.response_time, t.response_id, t.last_used
        FROM touches AS t LEFT JOIN responses AS r ON r.id = t.response_id
        WHERE t.last_used >= ? ORDER BY t.last_used LIMIT 64
        """

    // The rowids of `responses`, a range, and of `touches`.
    static let fromHand = """
        SELECT r.id, r.body_id, r.body_size, coalesce(length(r.body), 0),
            coalesce(length(r.request_content), 0) + length(r.headers),
            r.response_time, t.response_id, r.stored_anew
        FROM responses AS r LEFT JOIN touches AS t ON t.response_id = r.id
        WHERE r.id > ? ORDER BY r.id LIMIT 64
        """

    // Rowids.
    static let deleteRow = "DELETE FROM responses WHERE id = ?"
    static let deleteTouch = "DELETE FROM touches WHERE response_id = ?"

    // The rowid of `touches`.
    static let noteUse = """
        INSERT INTO touches (response_id, last_used) VALUES (?, ?)
        ON CONFLICT (response_id) DO UPDATE SET last_used = max(last_used, excluded.last_used)
        """

    // No table. IMMEDIATE takes the write lock at once, so that no statement after it is refused.
    static let begin = "BEGIN IMMEDIATE"
    static let commit = "COMMIT"
    static let rollback = "ROLLBACK"
    static let dataVersion = "PRAGMA data_version"
    static let pageCount = "PRAGMA page_count"
    static let freePageCount = "PRAGMA freelist_count"

    /// Every statement that looks into a table, for the test that explains them.
    static let all =
        [
            insert, put, noteGroup, forgetGroups, deleteGroup, freshen, bodyChecksum, countVariants,
            trimVariants, deleteVariant, deletePlain, deleteUnreadable, otherVariants,
            deleteURI, logInvalidation, pruneInvalidations, find, body, bodyState, chunk, probeURI,
            names,
            lastRow, readMeta, writeMeta, beginBody, putChunk, chunkSums, hasBody, showBody,
            orphanBody,
            orphanHidden, orphanLost, orphans, someChunks, deleteChunk, deleteBody, lastBody,
            lastChunkBody, touch,
            expired, leastTouched, fromHand, deleteRow, deleteTouch, noteUse,
        ] + ofCaches
}
