-- What a plugin keeps belongs to a generation of it: see src/plugins.rs.
ALTER TABLE plugin_kv RENAME TO plugin_kv_old;
CREATE TABLE plugin_kv(
    plugin TEXT NOT NULL,
    generation INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY(plugin, generation, key)
);
INSERT INTO plugin_kv(plugin, generation, key, value) SELECT plugin, 0, key, value FROM plugin_kv_old;
DROP TABLE plugin_kv_old;

ALTER TABLE plugin_kv_usage RENAME TO plugin_kv_usage_old;
CREATE TABLE plugin_kv_usage(
    plugin TEXT NOT NULL,
    generation INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY(plugin, generation)
) WITHOUT ROWID;
INSERT INTO plugin_kv_usage(plugin, generation, bytes) SELECT plugin, 0, bytes FROM plugin_kv_usage_old;
DROP TABLE plugin_kv_usage_old;

CREATE TABLE plugin_artifact(
    digest TEXT PRIMARY KEY,
    bytes BLOB NOT NULL,
    -- JSON list of the sigstore bundles that came with it.
    signatures TEXT NOT NULL
);

CREATE TABLE plugin_switch(
    plugin TEXT PRIMARY KEY,
    is_on INTEGER NOT NULL,
    decided_by TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE plugin_generation(
    plugin TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    wish TEXT NOT NULL,
    source TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    rights TEXT NOT NULL,
    limits TEXT NOT NULL,
    kv INTEGER NOT NULL,
    decided_by TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY(plugin, generation)
) WITHOUT ROWID;

CREATE TABLE plugin_replica(
    replica TEXT NOT NULL,
    plugin TEXT NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY(replica, plugin)
) WITHOUT ROWID;
