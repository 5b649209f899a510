-- Who is signed in. The cookie's secret itself is nowhere: a copy of the database opens no session.
CREATE TABLE session (
  secret_sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  user_ref TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX session_expires_at ON session (expires_at);
