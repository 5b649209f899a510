-- Whoever was signed in signs in again: what is now known of a session, nobody wrote down before.
DROP TABLE session;

CREATE TABLE session (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  user_ref TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  user_agent TEXT COLLATE "C",
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
  sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  session_id TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  since BIGINT NOT NULL
);

CREATE INDEX session_secret_session_id ON session_secret (session_id, state, since);

-- Who has gone to a provider to sign in, and may come back once.
CREATE TABLE sign_in_flow (
  state_sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  browser_sha256 TEXT COLLATE "C" NOT NULL,
  provider TEXT COLLATE "C" NOT NULL,
  verifier TEXT COLLATE "C" NOT NULL,
  nonce TEXT COLLATE "C" NOT NULL,
  landing TEXT COLLATE "C" NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE INDEX sign_in_flow_expires_at ON sign_in_flow (expires_at);
