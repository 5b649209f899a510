-- Every change and every denied attempt, each row with the hash of the one before. Rows are added and never changed.
CREATE TABLE audit (
  seq BIGINT NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  credential TEXT COLLATE "C" NOT NULL,
  permission TEXT COLLATE "C" NOT NULL,
  method TEXT COLLATE "C" NOT NULL,
  path TEXT COLLATE "C" NOT NULL,
  resource TEXT COLLATE "C",
  remote TEXT COLLATE "C",
  decision TEXT COLLATE "C" NOT NULL,
  rule TEXT COLLATE "C" NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL,
  count BIGINT NOT NULL,
  follows BIGINT,
  status BIGINT,
  previous BYTEA NOT NULL,
  hash BYTEA NOT NULL
);

-- In the order of the log, so that a page of one actor or of one thing is as far to walk as it is long.
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_resource ON audit (resource, seq) WHERE resource IS NOT NULL;
CREATE INDEX audit_at ON audit (at);

-- The newest row, so that rows which are cut off at the end are missed. There is one, from the beginning.
CREATE TABLE audit_head (
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL
);

INSERT INTO audit_head(seq, hash) VALUES (0, decode(repeat('00', 32), 'hex'));
