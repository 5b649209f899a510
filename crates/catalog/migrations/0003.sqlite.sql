-- Lists of processors of plugins with what tells whether one changed: `{"plugin/id":"digest",…}`. Many entities share
-- one. `digest` is that of the list.
CREATE TABLE chain(
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    used TEXT NOT NULL
);

-- Which processors had a say in an entity's stored result; no row where none had.
CREATE TABLE chained(
    entity_id INTEGER PRIMARY KEY,
    chain_id INTEGER NOT NULL
);
CREATE INDEX chained_chain ON chained(chain_id, entity_id);
