CREATE TABLE lease(
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE plugin_kv(
    plugin TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY(plugin, key)
);

-- What a plugin's keys and values take together, so that a write need not add them up.
CREATE TABLE plugin_kv_usage(
    plugin TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) WITHOUT ROWID;
