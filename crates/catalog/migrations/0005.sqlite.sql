-- Less room for what an entity needs beside its document.

-- The rows of `wide` that nobody orders lists by, such as texts and links, are in a table of their own: on PostgreSQL
-- it has another index. What is in either is filled anew: `flags` has 8 where `original` only says which letters are
-- capitals.
DELETE FROM wide;
CREATE TABLE long(
    key_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    value TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    original TEXT,
    flags INTEGER NOT NULL,
    PRIMARY KEY(key_id, kind_id, value, entity_id)
) WITHOUT ROWID;

-- Sources are packed (deflate) from now on, or the text itself as before.

-- Rows go in at the end, whatever their refs are: a tree of whole entities in the order of refs is written several times
-- while it grows.
ALTER TABLE staged RENAME TO staged_before;
CREATE TABLE staged(
    run TEXT NOT NULL,
    ref TEXT NOT NULL,
    location_key TEXT,
    source_hash TEXT,
    source TEXT,
    version TEXT,
    facts TEXT,
    UNIQUE(run, ref)
);
INSERT INTO staged SELECT run, ref, location_key, source_hash, source, version, facts FROM staged_before;
DROP TABLE staged_before;
