-- Large bodies in rows of their own, and what a file needs that keeps its size. Immutable once
-- released: changes go into a new file. No row of an older file is rewritten.

-- One row is one large body, from its first chunk until its last one is removed. A large body is
-- thousands of pages: no statement removes them at once. What ends a body's use changes its state,
-- and the proxy removes the chunks in small steps.
CREATE TABLE bodies (
    id INTEGER PRIMARY KEY,
    -- 0 = hidden: it is being written; 1 = visible: a response has it; 2 = orphan: to be removed.
    state INTEGER NOT NULL DEFAULT 0,
    -- Bytes of the whole, and of every chunk but the last; 0 while it is hidden.
    length INTEGER NOT NULL DEFAULT 0,
    chunk_size INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX bodies_by_state ON bodies (state);

-- Nothing ever wrote a row of the old table.
DROP TRIGGER responses_replaced;
DROP TRIGGER responses_deleted;
DROP TABLE chunks;

CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    body_id INTEGER NOT NULL,
    -- The chunk's place in the body, from 0.
    seq INTEGER NOT NULL,
    -- XXH3-64 of the data, seeded with body and place: a chunk in another's place is damage.
    checksum INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE UNIQUE INDEX chunks_by_body ON chunks (body_id, seq);

-- NULL = the body is inline. Both columns stand behind the body, but NULL, 0 and 1 are read from
-- the head of a row, without following the overflow pages of its body.
ALTER TABLE responses ADD COLUMN body_id INTEGER;

-- 1 = the row was stored anew in place of an older one. Rows keep their id then, so that ids are
-- the order of storing only among rows that have 0.
ALTER TABLE responses ADD COLUMN stored_anew INTEGER NOT NULL DEFAULT 0;

-- The quarter of a day in which the last window ends that a response itself names. Exact seconds
-- would scatter the rows of one batch over the whole index, which costs a put a quarter more.
CREATE INDEX responses_by_end ON responses (
    max(fresh_until, stale_while_revalidate_until, stale_if_error_until) / 21600
);

-- Only of rows that have a large body: all others pay nothing for it.
CREATE INDEX responses_by_body ON responses (body_id) WHERE body_id IS NOT NULL;

CREATE INDEX touches_by_time ON touches (last_used);

-- A row is replaced by a deletion when it has a large body. A trigger for updates would do too, but
-- every put would pay for it.
CREATE TRIGGER responses_deleted AFTER DELETE ON responses BEGIN
    UPDATE bodies SET state = 2 WHERE id = old.body_id;
    DELETE FROM tags WHERE response_id = old.id;
    DELETE FROM touches WHERE response_id = old.id;
END;

-- A body's row is the last to go: without it nothing would find the chunks.
CREATE TRIGGER bodies_deleted BEFORE DELETE ON bodies
WHEN EXISTS (SELECT 1 FROM chunks WHERE body_id = old.id) BEGIN
    UPDATE bodies SET state = 2 WHERE id = old.id;
    SELECT RAISE(IGNORE);
END;
