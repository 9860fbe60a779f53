-- The caches of the Cache API (`caches.open(name)`) and what their enumeration needs. Immutable once
-- released: changes go into a new file. No row of an older file is rewritten.

-- One row is one named cache, also while nothing is stored in it; ids are the order of creation. The
-- default cache has no name and no row.
CREATE TABLE caches (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);

-- "Name: value" lines of the request that the response was put for: the fields that it varies by,
-- none of credentials; NULL = it varies by none. Stands behind the body, but NULL is read from the
-- head of a row.
ALTER TABLE responses ADD COLUMN request_headers TEXT;

-- Only of what programs put (surface 2): the proxy's rows pay nothing for it. The first has the
-- order of storing, for walks; the second finds a URL whatever its query.
CREATE INDEX responses_by_cache ON responses (cache_name) WHERE surface = 2;

CREATE INDEX responses_by_cached_url ON responses (cache_name, scheme, authority, target)
WHERE surface = 2;

DROP VIEW entries;

-- What is stored, for people: `SELECT url, status, size, part, age, fresh_for FROM entries`.
CREATE VIEW entries AS
SELECT
    r.id AS id,
    -- A program's own key has no scheme.
    CASE WHEN r.scheme = '' THEN r.target ELSE r.scheme || '://' || r.authority || r.target END AS url,
    r.method AS method,
    r.status AS status,
    r.body_size AS size,
    -- Which bytes of how many, where not all of them are stored.
    CASE
        WHEN r.part_first IS NOT NULL
        THEN r.part_first || '-' || (r.part_first + r.body_size - 1) || '/'
            || coalesce(r.complete_length, '*')
    END AS part,
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
