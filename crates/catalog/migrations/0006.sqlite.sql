-- Rows of what a run brought go in at the end, whatever their refs are: a tree of whole entities in the order of refs is
-- written several times while it grows.
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
