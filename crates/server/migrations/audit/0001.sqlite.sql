-- Every change and every denied attempt, each row with the hash of the one before. Rows are added and never changed.
CREATE TABLE audit (
  seq INTEGER NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  credential TEXT NOT NULL,
  permission TEXT NOT NULL,
  method TEXT NOT NULL,
  path TEXT NOT NULL,
  resource TEXT,
  remote TEXT,
  decision TEXT NOT NULL,
  rule TEXT NOT NULL,
  request_id TEXT NOT NULL,
  count INTEGER NOT NULL,
  follows INTEGER,
  status INTEGER,
  previous BLOB NOT NULL,
  hash BLOB NOT NULL
);

-- In the order of the log, so that a page of one actor or of one thing is as far to walk as it is long.
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_resource ON audit (resource, seq) WHERE resource IS NOT NULL;
CREATE INDEX audit_at ON audit (at);

-- The newest row, so that rows which are cut off at the end are missed. There is one, from the beginning.
CREATE TABLE audit_head (
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL
);

INSERT INTO audit_head(seq, hash) VALUES (0, zeroblob(32));
