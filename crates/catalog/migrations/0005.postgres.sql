-- Less room for what an entity needs beside its document.

-- Values of which nearly every entity has its own, and by which lists are ordered, such as names. `original` is null
-- where it is the same as `value`. `flags` is the sum of 1 for an entity's smallest value under the key, 2 for its
-- largest, 4 as `term.member`, 8 where `original` only says which letters are capitals. The columns are in the order in which they leave no gaps.
DROP TABLE wide;
CREATE TABLE wide(
    entity_id BIGINT NOT NULL,
    key_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    flags SMALLINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    original TEXT COLLATE "C",
    PRIMARY KEY(key_id, kind_id, value, entity_id)
);

-- The same of what nobody orders lists by, such as texts and links. An index with these values would need more room
-- than the values; one with their hashes finds them as well.
CREATE TABLE long(
    entity_id BIGINT NOT NULL,
    key_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    flags SMALLINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    original TEXT COLLATE "C"
);
CREATE INDEX long_value ON long(key_id, kind_id, hashtext(value));

-- An entity's relations are next to each other in the index, where its id is kept once for all of them. That none is
-- there twice is the catalog's to see to: it writes what differs.
ALTER TABLE relation DROP CONSTRAINT relation_pkey;
CREATE INDEX relation_source ON relation(source_id);

-- What one entity emitted is read from its rows, of which the index then has the places only.
DROP INDEX reference_parent;
CREATE INDEX reference_parent ON reference(parent_id);

-- Sources are packed (deflate), or the text itself as before. Neither gets smaller by packing it again.
ALTER TABLE entity_source ALTER COLUMN source TYPE BYTEA USING convert_to(source, 'UTF8');
ALTER TABLE entity_source ALTER COLUMN source SET STORAGE EXTERNAL;
ALTER TABLE staged ALTER COLUMN source TYPE BYTEA USING convert_to(source, 'UTF8');
ALTER TABLE staged ALTER COLUMN source SET STORAGE EXTERNAL;
