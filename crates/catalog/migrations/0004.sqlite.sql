-- Several replicas, which there are on PostgreSQL only: there, work is claimed by one of them at a time.
ALTER TABLE queue ADD COLUMN claimed_by TEXT;
ALTER TABLE queue ADD COLUMN claimed_until INTEGER;

-- The replica that carries out the run under way: one that was taken for dead finds another here.
ALTER TABLE source ADD COLUMN holder TEXT;
