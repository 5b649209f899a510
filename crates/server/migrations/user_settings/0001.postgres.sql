-- What users keep for themselves. A value is JSON, as it was sent.
CREATE TABLE user_settings (
  user_entity_ref TEXT COLLATE "C" NOT NULL,
  bucket TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  value BYTEA NOT NULL,
  PRIMARY KEY (user_entity_ref, bucket, key)
);
