-- The tokens that people make for programs of theirs. The token itself is nowhere: a copy of the database lets nobody in.
CREATE TABLE personal_token (
  id TEXT NOT NULL PRIMARY KEY,
  secret_sha256 TEXT NOT NULL,
  user_ref TEXT NOT NULL,
  name TEXT NOT NULL,
  -- A JSON array of permissions, as policies write them.
  scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE INDEX personal_token_user_ref ON personal_token (user_ref);

-- The public keys of the tokens that this portal signed for users. The private ones are only ever in memory, one for each
-- process: a copy of the database signs nothing.
CREATE TABLE user_token_key (
  id TEXT NOT NULL PRIMARY KEY,
  -- A JSON Web Key.
  key TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
