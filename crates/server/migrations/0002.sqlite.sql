-- Whoever was signed in signs in again: what is now known of a session, nobody wrote down before.
DROP TABLE session;

CREATE TABLE session (
  id TEXT NOT NULL PRIMARY KEY,
  user_ref TEXT NOT NULL,
  provider TEXT NOT NULL,
  display_name TEXT NOT NULL,
  user_agent TEXT,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- When a new secret was last offered.
  offered_at BIGINT
);

CREATE INDEX session_user_ref ON session (user_ref);
CREATE INDEX session_expires_at ON session (expires_at);

-- Every secret that a session ever had, because an old one that turns up again was stolen. The secret itself is nowhere:
-- a copy of the database opens no session.
CREATE TABLE session_secret (
  sha256 TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL,
  state TEXT NOT NULL,
  since BIGINT NOT NULL
);

CREATE INDEX session_secret_session_id ON session_secret (session_id, state, since);

-- Who has gone to a provider to sign in, and may come back once.
CREATE TABLE sign_in_flow (
  state_sha256 TEXT NOT NULL PRIMARY KEY,
  browser_sha256 TEXT NOT NULL,
  provider TEXT NOT NULL,
  verifier TEXT NOT NULL,
  nonce TEXT NOT NULL,
  landing TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX sign_in_flow_expires_at ON sign_in_flow (expires_at);
