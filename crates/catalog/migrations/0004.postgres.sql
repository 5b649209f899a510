-- Several replicas. Work is claimed by one of them at a time; an old claim is anybody's. The rows are written often, and
-- their index does not know of claims: with room on the page it is left alone.
ALTER TABLE queue ADD COLUMN claimed_by TEXT COLLATE "C";
ALTER TABLE queue ADD COLUMN claimed_until BIGINT;
ALTER TABLE queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- The replica that carries out the run under way: one that was taken for dead finds another here.
ALTER TABLE source ADD COLUMN holder TEXT COLLATE "C";
