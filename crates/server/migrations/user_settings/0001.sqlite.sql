-- What users keep for themselves. A value is JSON, as it was sent.
CREATE TABLE user_settings (
  user_entity_ref TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (user_entity_ref, bucket, key)
);
