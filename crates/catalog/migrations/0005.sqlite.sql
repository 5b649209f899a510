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
