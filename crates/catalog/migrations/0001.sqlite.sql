-- Every ref that is an entity or that a relation leads to. A ref and its entity have the same id.
CREATE TABLE ref(
    id INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE
);

-- What is small and looked at often. `hash` is null until the entity was processed successfully once: until then nobody
-- sees it.
CREATE TABLE entity(
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL UNIQUE,
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

CREATE TABLE search_key(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- `original` is null where it is the same as `value`.
CREATE TABLE search(
    entity_id INTEGER NOT NULL,
    key_id INTEGER NOT NULL,
    value TEXT,
    original TEXT
);
CREATE INDEX search_value ON search(key_id, value, entity_id);
CREATE INDEX search_entity ON search(entity_id);

-- `search_key` is what a filter calls it: `relations.` and the name in lower case.
CREATE TABLE relation_type(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    search_key TEXT NOT NULL
);

-- Both directions of every relation, each a row of the entity whose processing named it.
CREATE TABLE relation(
    source_id INTEGER NOT NULL,
    type_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    origin_id INTEGER NOT NULL,
    PRIMARY KEY(source_id, type_id, target_id, origin_id)
) WITHOUT ROWID;
CREATE INDEX relation_target ON relation(target_id, type_id, source_id);
CREATE INDEX relation_origin ON relation(origin_id);

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

-- Providers, with the run that is under way and how the last ones went. Times are milliseconds since 1970.
CREATE TABLE source(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    -- Of the provider that began the run.
    fingerprint TEXT,
    run TEXT,
    cursor TEXT,
    mode TEXT,
    started_at INTEGER,
    last_success INTEGER,
    last_error TEXT,
    counts TEXT,
    conflicts TEXT
);

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
    uid TEXT,
    location_key TEXT,
    source_hash TEXT,
    source TEXT,
    version TEXT,
    facts TEXT,
    PRIMARY KEY(run, ref)
) WITHOUT ROWID;

-- What is to be processed, and when. `ticket` grows with every request, so that one that arrives during the processing
-- is not taken for done. `forced` reads again what has a version that did not change.
CREATE TABLE queue(
    entity_id INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    ticket INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    forced INTEGER NOT NULL DEFAULT 0
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

-- Locations that were registered. `entity_ref` is fixed at creation.
CREATE TABLE location(
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    target TEXT NOT NULL,
    entity_ref TEXT NOT NULL,
    optional INTEGER NOT NULL,
    UNIQUE(type, target)
);

CREATE TABLE setting(
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
