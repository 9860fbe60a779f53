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
