-- The first schema of a Larder file. Immutable once released: changes go into a new file.
--
-- All times are whole seconds since 1970-01-01T00:00:00Z, all sizes bytes. People read the view
-- `entries`; the tables below it are for the proxy.

-- One row is one stored response (RFC 9111). Small columns come first and the blobs last, so that
-- a walk over the rows never follows the overflow pages of a body.
CREATE TABLE responses (
    id INTEGER PRIMARY KEY,
    -- SHA-256 of key_material; which of its stored responses: SHA-256 of the values it varies by,
    -- or empty.
    primary_key BLOB NOT NULL,
    variant_key BLOB NOT NULL DEFAULT x'',
    -- SHA-256 of surface, cache name, scheme, authority and target: all methods and contents.
    uri_key BLOB NOT NULL,
    -- The exact preimage of primary_key: digests of content and credentials, never their text.
    key_material BLOB NOT NULL,
    -- 1 = the proxy, 2 = the cache API.
    surface INTEGER NOT NULL DEFAULT 1,
    cache_name TEXT NOT NULL DEFAULT '',
    -- How a request's content became a digest: 1 = its raw bytes.
    recipe INTEGER NOT NULL DEFAULT 1,
    method TEXT NOT NULL,
    scheme TEXT NOT NULL,
    authority TEXT NOT NULL,
    target TEXT NOT NULL,
    -- Lower-case field names, sorted, joined by one space.
    vary TEXT NOT NULL DEFAULT '',
    status INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    -- "Name: value" lines, each ended by CR LF, bytes as received.
    headers TEXT NOT NULL,
    request_time INTEGER NOT NULL,
    response_time INTEGER NOT NULL,
    date INTEGER NOT NULL,
    born_at INTEGER NOT NULL,
    fresh_until INTEGER NOT NULL,
    stale_while_revalidate_until INTEGER NOT NULL,
    stale_if_error_until INTEGER NOT NULL,
    flags INTEGER NOT NULL DEFAULT 0,
    generation INTEGER NOT NULL DEFAULT 0,
    -- Which of several recorded answers to one request this is.
    sample INTEGER NOT NULL DEFAULT 0,
    -- XXH3-64 over the columns that an answer is made of, and over the body.
    head_checksum INTEGER NOT NULL,
    body_checksum INTEGER NOT NULL,
    body_size INTEGER NOT NULL,
    -- 0 = the body is inline; else it is in that many rows of `chunks`.
    chunk_count INTEGER NOT NULL DEFAULT 0,
    chunk_size INTEGER NOT NULL DEFAULT 0,
    -- When the parts of a streamed answer arrived, for replay.
    frame_times BLOB,
    request_content_type TEXT,
    request_content_truncated INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    -- Kept for people and read by nothing on the way of an answer, so it stands behind the body.
    request_content BLOB
);

-- The URI follows from the primary key, so this also makes (primary_key, variant_key) unique; one
-- index serves lookups, invalidation of a URI and the walk over all keys.
CREATE UNIQUE INDEX responses_by_name ON responses (uri_key, primary_key, variant_key);

-- Bodies too large for one row.
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    response_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE UNIQUE INDEX chunks_by_response ON chunks (response_id, seq);

-- What a response is called for purging in groups.
CREATE TABLE tags (
    response_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (response_id, tag)
) WITHOUT ROWID;

CREATE INDEX tags_by_tag ON tags (tag);

-- Last use of responses, written in batches and apart, so that a use never rewrites a response.
CREATE TABLE touches (
    response_id INTEGER PRIMARY KEY,
    last_used INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0
);

CREATE TRIGGER responses_deleted AFTER DELETE ON responses BEGIN
    DELETE FROM chunks WHERE response_id = old.id;
    DELETE FROM tags WHERE response_id = old.id;
    DELETE FROM touches WHERE response_id = old.id;
END;

-- A put replaces the row of its key in place; what belonged to the old body goes.
CREATE TRIGGER responses_replaced AFTER UPDATE OF body ON responses
WHEN old.chunk_count > 0 BEGIN
    DELETE FROM chunks WHERE response_id = old.id;
END;

-- The durable log of invalidations and purges, newest last; old rows are dropped.
CREATE TABLE invalidations (
    sequence INTEGER PRIMARY KEY,
    uri_key BLOB,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL
);

-- secret, clean_shutdown, epoch, created_at.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB
) WITHOUT ROWID;

CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
);

-- What is stored, for people: `SELECT url, status, size, age, fresh_for FROM entries`.
CREATE VIEW entries AS
SELECT
    r.id AS id,
    r.scheme || '://' || r.authority || r.target AS url,
    r.method AS method,
    r.status AS status,
    r.body_size AS size,
    max(0, CAST(strftime('%s', 'now') AS INTEGER) - r.born_at) AS age,
    r.fresh_until - CAST(strftime('%s', 'now') AS INTEGER) AS fresh_for,
    CASE
        WHEN r.flags & 1 THEN 'validate'
        WHEN r.fresh_until > CAST(strftime('%s', 'now') AS INTEGER) THEN 'fresh'
        ELSE 'stale'
    END AS state,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.response_time, 'unixepoch') AS stored_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.fresh_until, 'unixepoch') AS expires_at,
    strftime('%Y-%m-%dT%H:%M:%SZ', t.last_used, 'unixepoch') AS last_used_at,
    r.authority AS host,
    CASE r.surface WHEN 1 THEN 'proxy' WHEN 2 THEN 'cache-api' ELSE r.surface END AS surface,
    r.cache_name AS cache_name,
    r.vary AS vary,
    r.headers AS headers,
    r.content_type AS content_type,
    CASE
        WHEN char(10) || r.headers LIKE '%' || char(10) || 'content-encoding:%' THEN NULL
        WHEN r.content_type LIKE 'text/%' OR r.content_type LIKE '%json%'
            OR r.content_type LIKE '%xml%' OR r.content_type LIKE '%javascript%'
        THEN CAST(r.body AS TEXT)
    END AS body,
    CAST(r.request_content AS TEXT) AS request_content,
    r.request_content_type AS request_content_type,
    r.request_content_truncated AS request_content_truncated,
    lower(hex(r.primary_key)) AS key,
    r.sample AS sample
FROM (
    SELECT
        *,
        -- The rest of the first Content-Type line.
        CASE
            WHEN instr(lower(char(10) || headers), char(10) || 'content-type: ') > 0
            THEN substr(
                substr(
                    headers,
                    instr(lower(char(10) || headers), char(10) || 'content-type: ') + 14
                ),
                1,
                instr(
                    substr(
                        headers,
                        instr(lower(char(10) || headers), char(10) || 'content-type: ') + 14
                    ),
                    char(13)
                ) - 1
            )
        END AS content_type
    FROM responses
) AS r
LEFT JOIN touches AS t ON t.response_id = r.id;
