-- Entities are found by sets of numbers and no longer by a row per value. What is derived is dropped and read again;
-- registered locations (`location`) and the providers' names (`source`) stay.
DROP TABLE search;
DROP TABLE search_key;
DROP TABLE ref;
DROP TABLE entity;
DROP TABLE entity_source;
DROP TABLE document;
DROP TABLE relation;
DROP TABLE relation_type;
DROP TABLE reference;
DROP TABLE contender;
DROP TABLE provided;
DROP TABLE staged;
DROP TABLE queue;
DROP TABLE dependency;
DELETE FROM setting;
UPDATE source SET run = NULL, cursor = NULL, mode = NULL, fingerprint = NULL, counts = NULL, conflicts = NULL;

-- Kinds in lower case, with the next number that one of their refs gets. At most 65,535: see `uid` below.
CREATE TABLE kind(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    next INTEGER NOT NULL
);

-- Every ref that is an entity or that a relation leads to. A ref and its entity have the same id, which is
-- `kind.id << 32 | number`: the entities of a kind are a range of ids.
CREATE TABLE ref(
    id INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE
);

-- What is small and looked at often. `hash` is null until the entity was processed successfully once: until then nobody
-- sees it. The first 48 bits of a uid are the id, so that it needs no index; one that was brought along from elsewhere
-- (`foreign_uid`) does.
CREATE TABLE entity(
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    foreign_uid INTEGER NOT NULL DEFAULT 0,
    location_key TEXT,
    source_hash TEXT NOT NULL,
    -- The source's version, where a provider told it, and the one that was last read successfully.
    version TEXT,
    read_version TEXT,
    -- Source, settings and program that the stored result was made with.
    made_with TEXT,
    hash TEXT,
    -- A JSON array; null where the last processing succeeded.
    errors TEXT
);
CREATE INDEX entity_failed ON entity(id) WHERE errors IS NOT NULL;
CREATE UNIQUE INDEX entity_foreign_uid ON entity(uid) WHERE foreign_uid = 1;

-- The entity as its source delivered it.
CREATE TABLE entity_source(
    entity_id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    facts TEXT
);

-- The entity as it goes out, but for its relations and status, which are joined when it is read.
CREATE TABLE document(
    entity_id INTEGER PRIMARY KEY,
    document TEXT NOT NULL
);

-- What can be filtered by: dotted paths in lower case.
CREATE TABLE key(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Values that many entities share. `original` is empty where it is the same as `value`. `member` is 1 for the strings
-- of an array, by which `<key>.<value>` is `true` for the entity as well.
CREATE TABLE term(
    id INTEGER PRIMARY KEY,
    key_id INTEGER NOT NULL,
    value TEXT NOT NULL,
    original TEXT NOT NULL,
    member INTEGER NOT NULL,
    UNIQUE(key_id, value, original, member)
);

-- Which entities have a term: `numbers` is a roaring bitmap, in its portable form, of the numbers whose upper half is
-- `chunk`. Beside the terms, -2k are the entities with a value under the key k, -2k-1 those with one that equals
-- nothing, and 0 all that can be seen.
CREATE TABLE posting(
    term_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    count INTEGER NOT NULL,
    numbers BLOB NOT NULL,
    PRIMARY KEY(term_id, kind_id, chunk)
) WITHOUT ROWID;

-- How many entities a posting has, and those of all kinds with it (`kind_id` 0). The key 0 is that of all that can be
-- seen.
CREATE TABLE facet_count(
    key_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    term_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY(key_id, kind_id, term_id)
) WITHOUT ROWID;

-- Values of which nearly every entity has its own, such as names. `original` is null where it is the same as `value`.
-- `flags` is the sum of 1 for an entity's smallest value under the key, 2 for its largest, 4 as `term.member`.
CREATE TABLE wide(
    key_id INTEGER NOT NULL,
    kind_id INTEGER NOT NULL,
    value TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    original TEXT,
    flags INTEGER NOT NULL,
    PRIMARY KEY(key_id, kind_id, value, entity_id)
) WITHOUT ROWID;

-- `inverse` is what the relation is called from its other end; empty where it is not one there.
CREATE TABLE relation_type(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    inverse TEXT NOT NULL,
    UNIQUE(name, inverse)
);

-- A relation is one row, read from both ends, of the entity whose processing named it. Its target need not exist.
CREATE TABLE relation(
    source_id INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    origin_id INTEGER NOT NULL,
    PRIMARY KEY(source_id, type_id, target_id, origin_id)
) WITHOUT ROWID;
CREATE INDEX relation_target ON relation(target_id, type_id, source_id);
-- Most relations are named by their source, and found by it.
CREATE INDEX relation_origin ON relation(origin_id) WHERE origin_id <> source_id;

-- Which entity emitted which.
CREATE TABLE reference(
    child_id INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    PRIMARY KEY(child_id, parent_id)
) WITHOUT ROWID;
CREATE INDEX reference_parent ON reference(parent_id, child_id);

-- Entities that lost their ref to another: (the ref, the parent that would have emitted it).
CREATE TABLE contender(
    ref_id INTEGER NOT NULL,
    parent_id INTEGER NOT NULL,
    PRIMARY KEY(ref_id, parent_id)
) WITHOUT ROWID;
CREATE INDEX contender_parent ON contender(parent_id);

-- Which provider brings which entity.
CREATE TABLE provided(
    source_id INTEGER NOT NULL,
    entity_id INTEGER NOT NULL,
    PRIMARY KEY(source_id, entity_id)
) WITHOUT ROWID;
CREATE INDEX provided_entity ON provided(entity_id);

-- What the run under way has brought so far. `source` is null where the catalog has the same.
CREATE TABLE staged(
    run TEXT NOT NULL,
    ref TEXT NOT NULL,
    location_key TEXT,
    source_hash TEXT,
    source TEXT,
    version TEXT,
    facts TEXT,
    PRIMARY KEY(run, ref)
) WITHOUT ROWID;

-- What is to be processed, and when. `ticket` grows with every request, so that one that arrives during the processing
-- is not taken for done. `forced` reads again what has a version that did not change. `checked_at` is when everything was
-- last read successfully that the entity is made from.
CREATE TABLE queue(
    entity_id INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    ticket INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    forced INTEGER NOT NULL DEFAULT 0,
    checked_at INTEGER
);
CREATE INDEX queue_due ON queue(due_at);

-- What an entity was made from beside its own source: `file:<path or pattern>` and `url:<url>`, each with what tells
-- whether it changed.
CREATE TABLE dependency(
    entity_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    validator TEXT,
    PRIMARY KEY(entity_id, key)
) WITHOUT ROWID;
CREATE INDEX dependency_key ON dependency(key);
